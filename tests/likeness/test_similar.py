"""Pictures by likeness: exact, the same for a file as for its stored copy, near for near looks."""

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from tests.cli.command import curate
from tests.likeness.drawn_pictures import drawn_pictures
from webemo_curate.duplicates.perceptual import reduce_color, reduce_gray
from webemo_curate.likeness.appearance import WIDTH, appearance
from webemo_curate.likeness.nearest import nearest
from webemo_curate.workspace import Workspace

SCENES = 30


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    return drawn_pictures(tmp_path_factory.mktemp("alike"))


def pairs(place: Workspace) -> list[tuple[str, str]]:
    lines = (place.root / "pairs.txt").read_text().splitlines()
    return [(one, other) for one, other in map(str.split, lines)]


def test_a_copy_is_the_nearest_of_its_scene(place: Workspace) -> None:
    for scene, copy in pairs(place)[:5]:
        result = curate("similar", scene, "--count", "3", "--json", "--workspace", place.root)
        found = json.loads(result.results)["similar"]
        assert len(found) == 3
        assert found[0]["sha256"] == copy
        assert scene not in [each["sha256"] for each in found]
        values = [each["likeness"] for each in found]
        assert values == sorted(values, reverse=True)


def test_a_file_is_found_as_its_stored_copy(place: Workspace) -> None:
    (scene, copy), *_ = pairs(place)
    file = place.root / place.image_paths([scene])[scene]
    result = curate("similar", file, "--workspace", place.root)
    lines = [line.split("\t") for line in result.results.splitlines()]
    assert len(lines) == 20
    assert lines[0] == ["1.0000", "-", "-", place.image_path(scene, ".png")]
    assert lines[1][-1] == place.image_path(copy, ".png")


@pytest.mark.parametrize(
    ("asked", "said"),
    [("nowhere.jpg", "no such image file"), ("0" * 64, "no picture of this hash that decodes")],
)
def test_what_is_not_there_is_named(place: Workspace, asked: str, said: str) -> None:
    result = curate("similar", asked, "--workspace", place.root)
    assert result.code == 2
    assert asked in result.rest
    assert said in result.rest


def test_a_file_that_is_no_picture_is_named(place: Workspace, tmp_path: Path) -> None:
    (tmp_path / "words.jpg").write_text("no picture")
    result = curate("similar", tmp_path / "words.jpg", "--workspace", place.root)
    assert result.code == 2
    assert "words.jpg: " in result.rest


@given(st.integers(1, 60), st.integers(1, 70), st.integers(1, 17), st.integers(0, 99))
def test_blocks_change_nothing(rows: int, count: int, block: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    vectors = rng.integers(-2, 3, (rows, 4)).astype(np.float32)  # small whole numbers: ties
    asked = rng.integers(-2, 3, 4).astype(np.float32)
    blocks = (vectors[start : start + block] for start in range(0, rows, block))
    found, products = nearest(asked, blocks, count)
    plain = sorted(range(rows), key=lambda row: (-float(vectors[row] @ asked), row))[:count]
    assert found.tolist() == plain
    assert products.tolist() == [float(vectors[row] @ asked) for row in plain]


def test_vectors_have_length_one_also_of_flat_pictures() -> None:
    flat = np.full((2, 32, 32), 200, np.uint8)
    colors = np.stack([np.full((4, 4, 3), level, np.uint8) for level in (0, 200)])
    found = appearance(flat, colors)
    assert found.shape == (2, WIDTH)
    assert np.linalg.norm(found, axis=1) == pytest.approx(1)
    drawn = Image.fromarray(np.arange(32 * 32, dtype=np.uint8).reshape(32, 32)).convert("RGB")
    own = appearance(reduce_gray(drawn)[:1], reduce_color(drawn)[None])
    assert np.linalg.norm(own) == pytest.approx(1)
