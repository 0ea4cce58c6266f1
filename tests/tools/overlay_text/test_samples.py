"""Made-up pictures: words are where the map says, and the same seed makes the same picture."""

from pathlib import Path

import matplotlib as mpl
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tools.overlay_text.backgrounds import SIDE, background
from tools.overlay_text.fit_network import sample_photographs
from tools.overlay_text.lettering import draw_line, outline_of
from tools.overlay_text.sample_files import Material, make_dataset
from tools.overlay_text.samples import EITHER, STRIDE, WORDS, make_sample
from tools.overlay_text.typefaces import Typefaces, find_typefaces
from tools.overlay_text.wording import is_chinese, phrase

FONT = Path(mpl.get_data_path()) / "fonts" / "ttf" / "DejaVuSans.ttf"
TYPEFACES = Typefaces((FONT,), ())
SEEDS = st.integers(0, 10**9)


def random(seed):
    return np.random.default_rng(seed)


@given(SEEDS)
@settings(max_examples=20, deadline=None)
def test_backgrounds_are_pictures_that_their_seed_decides(seed):
    picture = background(random(seed), ())

    assert picture.shape == (SIDE, SIDE, 3)
    assert picture.dtype == np.uint8
    assert np.array_equal(picture, background(random(seed), ()))


@given(SEEDS)
@settings(max_examples=100, deadline=None)
def test_a_line_changes_the_picture_about_its_box_alone(seed):
    plain = np.full((SIDE, SIDE, 3), 120, np.uint8)

    drawn = draw_line(random(seed), plain, TYPEFACES)

    if drawn is None:
        return
    picture, line = drawn
    rows, columns = np.nonzero((picture != plain).any(2))
    corners = outline_of(line, shrink=-8)
    if line.tilt == 0:
        # A caption's bar goes across the whole width.
        columns = columns.clip(corners[:, 0].min(), corners[:, 0].max())
    assert columns.min() >= corners[:, 0].min()
    assert columns.max() <= corners[:, 0].max()
    assert rows.min() >= corners[:, 1].min()
    assert rows.max() <= corners[:, 1].max()
    assert 0 <= line.contrast <= 255.001


@given(SEEDS)
@settings(max_examples=50, deadline=None)
def test_words_are_marked_where_the_picture_was_changed(seed):
    plain = np.full((SIDE, SIDE, 3), 120, np.uint8)

    picture, target = make_sample(random(seed), [plain], TYPEFACES)

    assert picture.shape == plain.shape
    assert target.shape == (SIDE // STRIDE, SIDE // STRIDE)
    assert set(np.unique(target)) <= {0, WORDS, EITHER}
    base = np.median(picture, (0, 1))
    change = np.abs(picture - base).max(2).reshape(SIDE // STRIDE, STRIDE, -1, STRIDE)
    if (target == WORDS).any():
        assert change.max((1, 3))[target == WORDS].max() > 10


def test_what_is_made_up_is_decided_by_the_seed_not_by_the_processes(tmp_path):
    material = Material(TYPEFACES, sample_photographs()[:2])
    made = []
    for name in ("one", "other"):
        folder = tmp_path / name
        folder.mkdir()
        made.append(make_dataset(folder, material, backgrounds=3, samples=20, seed=5))

    one, other = made
    assert np.array_equal(one.pictures, other.pictures)
    assert np.array_equal(one.targets, other.targets)
    assert len({picture.tobytes() for picture in one.pictures}) == 20
    assert (one.targets == WORDS).any()


def test_font_files_are_sorted_by_what_they_can_write(tmp_path):
    (tmp_path / "broken.ttf").write_bytes(b"no font")

    bundled = find_typefaces(FONT.parent, without=["dejavu"])

    names = {path.name for path in bundled.latin}
    assert "STIXGeneral.ttf" in names
    assert FONT.name not in names
    assert bundled.chinese == ()
    assert find_typefaces(tmp_path) == ((), ())


def test_the_sample_photographs_are_installed():
    assert len(sample_photographs()) == 15


@pytest.mark.parametrize("chinese", [True, False])
def test_lines_are_words_or_where_wanted_chinese(chinese):
    made_up = [phrase(random(seed), chinese=chinese) for seed in range(400)]

    assert any(is_chinese(line) for line in made_up) == chinese
    assert all(line.strip() == line != "" for line in made_up)
    assert len(set(made_up)) > 380
