"""Another part makes siblings; what is drawn over a picture leaves it the same."""

from pathlib import Path

import numpy as np
from PIL import Image

from benchmarks.planted_siblings import COPIES, SIBLINGS, judge, plant
from tests.duplicates.test_geometry import scene

SEED = 7


def planted(folder: Path, seed: int) -> dict[str, Path]:
    """Write a drawn scene, and all edits of it that show."""
    for number in (seed, seed + 40):
        scene(number, (330, 220)).save(folder / f"scene{number}.png")
    one, other = (folder / f"scene{number}.png" for number in (seed, seed + 40))
    return dict(plant(folder, one, other, seed))


def test_edits_are_told_apart(tmp_path):
    edits = planted(tmp_path, SEED)
    said = {sort: judge(tmp_path, f"scene{SEED}.png", file.name) for sort, file in edits.items()}
    assert said == dict.fromkeys(SIBLINGS, "siblings") | dict.fromkeys(COPIES, "same")


def test_an_edit_that_does_not_show_is_left_out(tmp_path):
    Image.fromarray(np.full((220, 330, 3), 90, np.uint8)).save(tmp_path / "wall.png")
    edits = plant(tmp_path, tmp_path / "wall.png", tmp_path / "wall.png", 0)
    assert {sort for sort, _ in edits} == set(COPIES)
