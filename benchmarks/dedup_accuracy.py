"""Duplicates found among labeled pairs, against imagededup and a bare perceptual hash.

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
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
import pyarrow as pa

from benchmarks.contact_sheet import contact_sheet
from webemo_curate.config import DedupConfig
from webemo_curate.duplicates.compare import PAIRS, CompareWorker, proofs_of
from webemo_curate.duplicates.describe import FILES, DescribeWorker
from webemo_curate.duplicates.hash_keys import Indices
from webemo_curate.duplicates.local_words import TABLES, Words
from webemo_curate.duplicates.looks import PictureLooks, looks_of
from webemo_curate.duplicates.measured import FoundPairs
from webemo_curate.duplicates.methods import Prove, by_features, by_grays, by_hash
from webemo_curate.duplicates.placings import Mask, Proofs
from webemo_curate.frames import to_frame
from webemo_curate.machine import usable_cores
from webemo_curate.runner.job import Job, Worker
from webemo_curate.runner.local_runner import LocalRunner
from webemo_curate.storage.checkpoints import Checkpoints
from webemo_curate.storage.folder import FolderStore
from webemo_curate.storage.image_files import ImageFiles

MAX_PIXELS = 64 * 10**6
OVERLAP = 0.5
CHUNK = 64
"""Rows that a process gets at a time."""

Pair = tuple[str, str]
Paths = npt.NDArray[np.object_]

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
    looks, words = read_looks(arguments.data / "web", names, usable_cores())
    prove = prover(arguments.data / "web", usable_cores())
    framed = by_hash(looks, config, prove), by_grays(looks, config, prove)
    ours, siblings = found_pairs(names, *framed, by_features(looks, words, config, prove))
    ours = closed(ours)
    # What no split may part: a picture's siblings are those of its copies.
    kin = closed(ours | siblings) - ours
    _report("curate dedup", truth, ours)
    _report("curate dedup, whole frames alone", truth, closed(found_pairs(names, *framed)[0]))
    print(f"  X, the same: {truth.recall(ours, 'X')}, siblings: {truth.recall(kin, 'X')}")
    print(f"  X, siblings by a look at the pair itself: {truth.recall(siblings, 'X')}")
    print(f"  siblings of different families: {len(truth.false(siblings))}")
    if arguments.rival:
        for distance in (config.distance, 10):
            found = _imagededup(arguments.rival, arguments.data / "web", distance)
            _report(f"imagededup PHash, distance {distance}", truth, found)
    if arguments.sheets:
        _sheet(arguments.sheets / "missed.jpg", arguments.data / "web", truth.missed(ours))
        _sheet(arguments.sheets / "false.jpg", arguments.data / "web", truth.false(ours))


def closed(pairs: set[Pair]) -> set[Pair]:
    """Return all pairs of pictures that are joined: copies are compared with one of them."""
    home: dict[str, set[str]] = {}
    for one, other in pairs:
        joined = home.get(one, {one}) | home.get(other, {other})
        home |= dict.fromkeys(joined, joined)
    return {ordered(a, b) for members in home.values() for a in members for b in members if a != b}


def read_looks(
    folder: Path, names: Sequence[str], processes: int = 1
) -> tuple[PictureLooks, list[Words]]:
    """Return how the pictures of a folder look, and their local words."""
    images = ImageFiles(folder)
    rows = pa.table([images.places(pa.array(names, pa.string()))], schema=FILES)
    described = _run(DescribeWorker(images.reader, MAX_PIXELS), rows, processes)
    frame = to_frame(described.drop_columns("words")).assign(path=list(names))
    words = described["words"].combine_chunks()
    return looks_of(frame), [np.asarray(found).reshape(-1, TABLES) for found in _lists(words)]


def _lists(column: pa.ListArray) -> list[npt.NDArray[np.uint32]]:
    return np.split(column.values.to_numpy(), column.offsets.to_numpy()[1:-1])


def prover(folder: Path, processes: int = 1) -> Prove:
    """Return what looks closer at pairs of pictures of a folder, in this process or in others."""
    worker = CompareWorker(ImageFiles(folder), MAX_PIXELS)

    def prove(paths: Paths, pairs: tuple[Indices, Indices], whole: bool, mirrored: Mask) -> Proofs:
        first, second = (pa.array(paths[side], pa.string()) for side in pairs)
        table = pa.table([first, second, np.full(len(mirrored), whole), mirrored], schema=PAIRS)
        return proofs_of(_run(worker, table, processes))

    return prove


def _run(worker: Worker, rows: pa.Table, processes: int) -> pa.Table:
    """Run a worker on rows, in this process if one is enough."""
    if processes > 1:
        with tempfile.TemporaryDirectory() as folder:
            checkpoints = Checkpoints(FolderStore(Path(folder)), "parts")
            return LocalRunner(processes).run(Job("measure", worker, rows, checkpoints, CHUNK))
    cv2.setNumThreads(1)  # what bounds a worker process would end this one
    batches = [worker.process(batch) for batch in rows.to_batches(CHUNK) if batch.num_rows]
    return pa.Table.from_batches(batches, worker.output_schema)


def found_pairs(names: Sequence[str], *found: FoundPairs) -> tuple[set[Pair], set[Pair]]:
    """Return the pairs that are the same, and the siblings among the rest."""
    same: set[Pair] = set()
    siblings: set[Pair] = set()
    for first, second, _, _, _, alike in (row for part in found for row in zip(*part, strict=True)):
        (same if alike else siblings).add(ordered(names[first], names[second]))
    return same, siblings - same


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
