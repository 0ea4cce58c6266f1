"""Duplicates found among labelled pairs, against imagededup and a bare perceptual hash.

    python -m benchmarks.dedup_accuracy DATA --rival /path/to/venv/bin/python

DATA holds `web/` (photos), `web_labels.csv` (file, family) and `web_pairs.csv` (file_a, file_b,
grade, overlap_iou): E byte-identical, A re-scaled or re-encoded, B cropped or edited, X unscored.
Unlisted pairs of different families show different pictures. The rival's interpreter has
imagededup.
"""

import argparse
import csv
import json
import subprocess
import sys
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
from PIL import Image

from benchmarks.contact_sheet import contact_sheet
from webemo_curate.config import DedupConfig
from webemo_curate.duplicates.candidates import candidate_pairs
from webemo_curate.duplicates.clusters import near_pairs
from webemo_curate.duplicates.compare import PAIRS, CompareWorker
from webemo_curate.duplicates.features import local_words
from webemo_curate.duplicates.perceptual import picture_hashes
from webemo_curate.imaging import load_rgb
from webemo_curate.storage.image_files import ImageFiles

MAX_PIXELS = 64 * 10**6
OVERLAP = 0.5
Pair = tuple[str, str]

RIVAL = """
import json, sys
from imagededup.methods import PHash
folder, distance = sys.argv[1], int(sys.argv[2])
found = PHash(verbose=False).find_duplicates(image_dir=folder, max_distance_threshold=distance)
print(json.dumps([[a, b] for a, others in found.items() for b in others]))
"""


@dataclass(frozen=True)
class Truth:
    """What is known of the photos.

    Attributes
    ----------
    graded
        Grade and overlap of each listed pair.
    family
        Family of each file.
    """

    graded: dict[Pair, tuple[str, float]]
    family: dict[str, str]

    @classmethod
    def read(cls, data: Path) -> "Truth":
        """Read the labels."""
        with (data / "web_pairs.csv").open() as stream:
            rows = list(csv.DictReader(stream))
        graded = {
            ordered(row["file_a"], row["file_b"]): (row["grade"], float(row["overlap_iou"] or 0))
            for row in rows
        }
        with (data / "web_labels.csv").open() as stream:
            family = {row["file"]: row["family"] for row in csv.DictReader(stream)}
        return cls(graded, family)

    def missed(self, found: set[Pair]) -> list[Pair]:
        """Return pairs that should have been found: E, A, and B of enough overlap."""
        return [p for p, (g, o) in self.graded.items() if p not in found and _wanted(g, o)]

    def false(self, found: set[Pair]) -> list[Pair]:
        """Return found pairs that show different pictures."""
        unlisted = found - self.graded.keys()
        return sorted(p for p in unlisted if self.family[p[0]] != self.family[p[1]])

    def recall(self, found: set[Pair], grade: str, low: float = 0.0, high: float = 2.0) -> str:
        """Return found of all pairs of a grade with an overlap in [low, high)."""
        pairs = [p for p, (g, o) in self.graded.items() if g == grade and low <= o < high]
        hits = sum(p in found for p in pairs)
        return f"{hits}/{len(pairs)} = {hits / max(1, len(pairs)):.3f}"


def _wanted(grade: str, overlap: float) -> bool:
    return grade in "EA" or (grade == "B" and overlap >= OVERLAP)


def ordered(one: str, other: str) -> Pair:
    """Return a pair with its names in order."""
    return (one, other) if one < other else (other, one)


def main() -> None:
    """Print each method's recall and false pairs."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path)
    parser.add_argument("--rival", type=Path, help="interpreter that has imagededup")
    parser.add_argument("--sheets", type=Path, help="folder for contact sheets of what went wrong")
    arguments = parser.parse_args()
    truth, config = Truth.read(arguments.data), DedupConfig()
    names = sorted(truth.family)
    pictures = [load_rgb(arguments.data / "web" / name, MAX_PIXELS) for name in names]
    hashed = _hash_pairs(names, pictures, config.distance)
    ours = hashed | _feature_pairs(names, pictures, arguments.data / "web", config)
    _report("curate dedup", truth, ours)
    _report("curate dedup, hashes alone", truth, hashed)
    if arguments.rival:
        for distance in (config.distance, 10):
            found = _imagededup(arguments.rival, arguments.data / "web", distance)
            _report(f"imagededup PHash, distance {distance}", truth, found)
    if arguments.sheets:
        _sheet(arguments.sheets / "missed.jpg", arguments.data / "web", truth.missed(ours))
        _sheet(arguments.sheets / "false.jpg", arguments.data / "web", truth.false(ours))


def _hash_pairs(names: list[str], pictures: list[Image.Image], distance: int) -> set[Pair]:
    hashes = picture_hashes(pictures)
    # Every pair counts here, so rows of equal hashes are spelled out.
    pairs = near_pairs(hashes[:, 0], hashes[:, 1], distance)
    near = {(int(a), int(b)) for a, b in zip(pairs.left, pairs.right, strict=True)}
    same: dict[int, list[int]] = {}
    for row, value in enumerate(hashes[:, 0].tolist()):
        same.setdefault(value, []).append(row)
    homes = {rows[0]: rows for rows in same.values()}
    return {ordered(names[a], names[member]) for a, b in near for member in homes[b] if a != member}


def _feature_pairs(
    names: list[str], pictures: list[Image.Image], folder: Path, config: DedupConfig
) -> set[Pair]:
    first, second = candidate_pairs([local_words(picture) for picture in pictures])
    table = pa.table([[names[i] for i in first], [names[i] for i in second]], schema=PAIRS)
    worker = CompareWorker(ImageFiles(folder), MAX_PIXELS)
    worker.setup()
    matches = pa.Table.from_batches([worker.process(batch) for batch in table.to_batches()])
    same = (np.array(matches["inliers"]) >= config.min_inliers) & (
        np.array(matches["correlation"]) >= config.min_correlation
    )
    print(f"{len(first)} candidate pairs looked at closely, {same.sum()} the same")
    return {ordered(names[first[i]], names[second[i]]) for i in np.flatnonzero(same)}


def _imagededup(python: Path, folder: Path, distance: int) -> set[Pair]:
    with tempfile.NamedTemporaryFile("w", suffix=".py") as script:
        script.write(RIVAL)
        script.flush()
        shown = subprocess.run(
            [str(python), script.name, str(folder), str(distance)],
            capture_output=True,
            text=True,
            check=False,
        )
    if shown.returncode:
        sys.exit(shown.stderr[-2000:])
    return {ordered(a, b) for a, b in json.loads(shown.stdout.splitlines()[-1])}


def _report(name: str, truth: Truth, found: set[Pair]) -> None:
    print(name)
    for grade in "EA":
        print(f"  {grade}: {truth.recall(found, grade)}")
    for low, high in ((0.0, 0.3), (0.3, 0.5), (0.5, 0.7), (0.7, 0.9), (0.9, 1.1)):
        print(f"  B, overlap {low} to {high}: {truth.recall(found, 'B', low, high)}")
    print(f"  B, overlap >= {OVERLAP}: {truth.recall(found, 'B', OVERLAP)}")
    print(f"  false pairs: {len(truth.false(found))}")


def _sheet(file: Path, folder: Path, pairs: Iterable[Pair]) -> None:
    contact_sheet(file, [[folder / one, folder / other] for one, other in pairs])


if __name__ == "__main__":
    main()
