"""A hash proposes, pixels decide: strangers, siblings, flat pictures and copies."""

import csv
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageOps

from benchmarks.dedup_accuracy import prover, read_looks
from tests.duplicates.test_geometry import jpeg, scene
from webemo_curate.config import DedupConfig
from webemo_curate.duplicates.looks import PictureLooks
from webemo_curate.duplicates.methods import by_features, by_grays, by_hash
from webemo_curate.duplicates.placings import Placings, Proofs
from webemo_curate.machine import usable_cores

CONFIG = DedupConfig()
ALL_STRANGERS, PARTS = 1429, 12


def answers(folder: Path, processes: int = 1) -> dict[tuple[str, str], bool]:
    """Return the pairs found among a folder's pictures: True the same, False siblings."""
    names = sorted(file.name for file in folder.iterdir() if file.suffix in {".jpg", ".png"})
    looks, words = read_looks(folder, names, processes)
    prove = prover(folder, processes)
    found: dict[tuple[str, str], bool] = {}
    for part in (
        by_features(looks, words, CONFIG, prove),
        by_hash(looks, CONFIG, prove),
        by_grays(looks, CONFIG, prove),
    ):
        for one, other, same in zip(part.first, part.second, part.same, strict=True):
            pair = names[min(one, other)], names[max(one, other)]
            found[pair] = found.get(pair, False) or bool(same)
    return found


def save(folder: Path, **pictures: Image.Image) -> None:
    for name, picture in pictures.items():
        picture.save(folder / f"{name}.png")


def listed(shared_data: Path) -> list[tuple[int, int]]:
    """Return the listed pairs of strangers, by numbers of pictures."""
    with (shared_data / "strangers.csv").open() as stream:
        return [(int(row["a"]), int(row["b"])) for row in csv.DictReader(stream)]


def joined(
    shared_data: Path, folder: Path, pairs: Sequence[tuple[int, int]], processes: int
) -> list[tuple[int, int]]:
    """Make the pictures of some pairs of strangers, and return the pairs that are joined."""
    table = folder / "pairs.csv"
    table.write_text("a,b\n" + "".join(f"{a},{b}\n" for a, b in pairs))
    tool = shared_data.parent / "tools" / "warp_photos.py"
    subprocess.run([sys.executable, tool, folder, "--pairs", table], check=True)
    found = answers(folder, processes)
    return [pair for pair in pairs if tuple(f"{n:07d}.jpg" for n in sorted(pair)) in found]


def test_strangers_of_like_hashes_are_neither_the_same_nor_siblings(shared_data, tmp_path):
    pairs = listed(shared_data)
    assert not joined(shared_data, tmp_path, pairs[:: len(pairs) // 30], 1)


@pytest.mark.slow
@pytest.mark.parametrize("part", range(PARTS))
def test_no_listed_strangers_are_ever_the_same_or_siblings(shared_data, tmp_path, part):
    pairs = listed(shared_data)
    assert len(pairs) == ALL_STRANGERS
    assert not joined(shared_data, tmp_path, pairs[part::PARTS], usable_cores())


def test_copies_are_the_same_upright_mirrored_and_smaller(tmp_path):
    one = scene(3)
    save(tmp_path, a=one, b=jpeg(one.resize((130, 90))), c=ImageOps.mirror(one), d=scene(4))
    found = answers(tmp_path)
    assert found[("a.png", "b.png")]
    assert found[("a.png", "c.png")]
    assert not any("d.png" in pair for pair in found)


def test_flat_pictures_are_told_apart_by_color(tmp_path):
    colors = {"red": (220, 20, 20), "blue": (20, 20, 220), "white": (255,) * 3, "gray": (128,) * 3}
    flat = {name: Image.new("RGB", (200, 150), color) for name, color in colors.items()}
    # As bright as the red: only color tells them apart.
    flat["green"] = Image.new("RGB", (200, 150), (0, 136, 0))
    flat |= {"black": Image.new("RGB", (200, 150)), "dark": Image.new("RGB", (200, 150), (9, 9, 9))}
    save(tmp_path, **flat, copy=flat["red"].resize((90, 60)))
    assert answers(tmp_path) == {("copy.png", "red.png"): True}


def horizon(top, bottom, figure):
    """Draw a sky above dark ground, and someone between."""
    rows, columns = np.mgrid[:160, :220]
    depth = (rows / 160)[..., None]
    sky = np.array(top) * (1 - depth) + np.array(bottom) * depth
    sky[rows > 120] *= 0.35
    sky[(abs(columns - figure) < 5) & (abs(rows - 110) < 14)] = 0
    return Image.fromarray(sky.astype(np.uint8))


def test_black_skies_of_other_stars_are_told_apart(tmp_path):
    skies = {}
    for seed in range(3):
        values = np.full((160, 220, 3), 9, np.uint8)
        values[tuple(np.random.default_rng(seed).integers(0, 160, (2, 30)))] = 220
        skies[f"sky{seed}"] = Image.fromarray(values)
    save(tmp_path, **skies, copy=jpeg(skies["sky0"]))
    assert answers(tmp_path) == {("copy.png", "sky0.png"): True}


def test_pictures_of_few_shapes_are_told_apart_by_color(tmp_path):
    day, evening = ((90, 140, 230), (240, 200, 160)), ((230, 120, 60), (250, 220, 120))
    one = horizon(*day, 60)
    copies = {"small": jpeg(one.resize((130, 95))), "turned": ImageOps.mirror(one)}
    # As bright all over as the day, but for its colors.
    others = {"evening": horizon(*evening, 159), "elsewhere": horizon(*day, 90)}
    save(tmp_path, day=one, **copies, **others)
    found = answers(tmp_path)
    assert found[("day.png", "small.png")]
    assert found[("day.png", "turned.png")]
    assert not any(f"{name}.png" in pair for pair in found for name in others)


def test_another_part_makes_siblings_and_a_caption_does_not(tmp_path):
    one = scene(5, (330, 220))
    other = one.copy()
    patch = np.asarray(scene(40, (330, 220)).crop((100, 60, 190, 150)))
    other.paste(Image.fromarray(patch), (120, 70))
    captioned = one.copy()
    ImageDraw.Draw(captioned).rectangle((0, 0, 330, 24), fill="white")
    save(tmp_path, a=one, b=jpeg(other), c=jpeg(captioned))
    found = answers(tmp_path)
    assert found[("a.png", "b.png")] is False
    assert found[("a.png", "c.png")] is True


def looks_alike(hashes, value=0):
    """Return pictures of equal looks but for their hashes."""
    count = len(hashes)
    gray = np.asarray(scene(3).convert("L").resize((32, 32))) if not value else np.full((32, 32), 9)
    return PictureLooks(
        np.array([f"{place}.jpg" for place in range(count)], dtype=object),
        np.array(hashes, np.uint64),
        np.array(hashes, np.uint64) ^ np.uint64(2**63),
        np.repeat(gray.astype(np.uint8)[None], count, axis=0),
        np.full((count, 4, 4, 3), value, np.uint8),
    )


def no_closer_look(*closer):
    """Stand where reduced pictures decide all."""
    assert not len(closer[-1])
    return Proofs(Placings.none(0), Placings.none(0))


@pytest.mark.parametrize("method", ["hash", "grays"])
def test_every_copy_in_another_set_is_matched_with_the_workspace(method):
    """Copies of one another in a test set stand for themselves: each is a picture that leaks."""
    outer = np.array([False, True, True, True])
    if method == "hash":
        looks = looks_alike([0xF0F0, 0xF0F1, 0xF0F1, 0xF0F1])
        found = by_hash(looks, CONFIG, no_closer_look, outer)
    else:
        found = by_grays(looks_alike([0, 0, 0, 0], 9), CONFIG, no_closer_look, outer)
    assert found.same.all()
    assert sorted(zip(found.first.tolist(), found.second.tolist(), strict=True)) == [
        (0, 1),
        (0, 2),
        (0, 3),
    ]


def test_many_files_of_one_white_square_make_few_pairs():
    """Every pair of them would be 12 million."""
    found = by_grays(looks_alike([0] * 5000, 9), CONFIG, no_closer_look)
    assert found.same.all()
    assert len(found.first) == 4999
    assert set(found.first.tolist()) == {0}
