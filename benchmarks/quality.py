"""Report the quality flags of a folder of photos, their reliability and their cost.

`python -m benchmarks.quality FOLDER LABELS.csv [--rounds 5] [--cost]`: the columns `file` and
`family` of LABELS name the photos and what belongs together. Prints

- how many photos each flag stands on, beside cleanvision's count on the same files;
- `blocky`: photos stored anew by JPEG at several qualities, flagged where the score is below the
  threshold, on the half that it was chosen on and on the other (`halves.half_of`), and the same of
  blank borders drawn around photos;
- time of the images stage's worker with measures over without, in turns in one process, and what
  each part of the measuring takes alone, by the time without; with `--cost`, only these.
"""

import argparse
import csv
import io
import statistics
import time
from collections import Counter
from collections.abc import Callable, Iterable
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pyarrow as pa
from cleanvision import Imagelab
from PIL import Image, ImageOps

from benchmarks.halves import half_of
from benchmarks.text_accuracy import wilson
from webemo_curate.config import DecodingConfig, PipelineConfig, QualityRuleConfig
from webemo_curate.imaging import load_rgb, measure
from webemo_curate.imaging.brightness import brightness
from webemo_curate.imaging.measures import (
    BRIGHTEST,
    DARKEST,
    Measures,
    grid_steps,
    inside_borders,
    reduced_for_edges,
)
from webemo_curate.imaging.pixel_words import Words, words_of
from webemo_curate.runner.local_runner import LocalRunner
from webemo_curate.stages import images as images_stage
from webemo_curate.stages.images import ImagesStage, ImagesWorker
from webemo_curate.stages.quality import QualityStage
from webemo_curate.stages.stage import StageContext
from webemo_curate.verdicts import QualityFlag
from webemo_curate.workspace import Workspace

MAX_PIXELS = DecodingConfig().max_pixels
QUALITIES = (10, 20, 30, 50, 75, 90)
BORDERS = (0, 2, 5, 10, 20)
"""Thickness on every side, as a percentage of the shorter side."""

OWN = (QualityFlag.COLORLESS, QualityFlag.BLANK_BORDERS, QualityFlag.BLOCKY)
NOTHING = Measures(*[0.0] * 8)


def stored(folder: Path, workspace: Workspace) -> tuple[pa.RecordBatch, dict[str, str]]:
    """Store the photos; returns what the images stage's worker gets, and names by hash."""
    names = {}
    for path in sorted(folder.iterdir()):
        names[workspace.store_image(path.read_bytes(), path.suffix)] = path.name
    hashes = list(names)
    paths = [workspace.image_path(each, Path(names[each]).suffix) for each in hashes]
    sizes = [(folder / names[each]).stat().st_size for each in hashes]
    table = pa.table({"sha256": hashes, "path": paths, "bytes": sizes})
    places = workspace.images.places(pa.array(paths))
    return table.append_column("place", places).to_batches()[0], names


def count_flags(folder: Path, worker: ImagesWorker, batch: pa.RecordBatch) -> None:
    """Count the photos under each flag, and those that cleanvision puts there."""
    found = pa.Table.from_batches([worker.process(batch)])
    tables = {"images": found, "measures": found}
    context = StageContext(Workspace(folder), LocalRunner(1), "benchmark")
    stage = QualityStage(QualityRuleConfig())
    names = {name: tables[name].select([*stage.inputs[name]]) for name in tables}
    flags = stage.run(names, context)["quality"]["flags"].to_pylist()
    ours = Counter(flag for each in flags for flag in each)
    lab = Imagelab(data_path=str(folder))
    theirs = [flag for flag in QualityFlag if flag not in OWN]
    lab.find_issues({str(flag): {} for flag in theirs}, n_jobs=1, verbose=False)
    print(f"{len(flags)} photos; {sum(map(bool, flags))} flagged")
    for flag in QualityFlag:
        other = int(lab.issues[f"is_{flag}_issue"].sum()) if flag in theirs else "-"
        print(f"{flag:<18} {ours[flag]:>5}   cleanvision {other:>5}   of {len(flags)} files once")


def recompressed(picture: Image.Image, quality: int) -> Words:
    file = io.BytesIO()
    picture.save(file, "JPEG", quality=quality)
    return words_of(Image.open(file))


def bordered(picture: Image.Image, percent: int) -> Words:
    width = min(picture.size) * percent // 100
    return recompressed(ImageOps.expand(picture, width, "white"), 80)


def show_planted(
    name: str,
    photos: dict[str, list[Image.Image]],
    plant: Callable[[Image.Image, int], Words],
    score: Callable[[Words], float],
    steps: Iterable[int],
) -> None:
    """Print the share of photos below some thresholds, by half and by how much was planted."""
    threshold = getattr(QualityRuleConfig(), name)
    for step in steps:
        for half, pictures in sorted(photos.items(), reverse=True):
            scores = np.array([score(plant(picture, step)) for picture in pictures])
            shares = ", ".join(
                f"<{at:.2f}: {np.mean(scores < at):.3f}"
                for at in (threshold - 0.1, threshold, threshold + 0.05)
            )
            hits = int((scores < threshold).sum())
            print(f"{name} {step:>3} {half:<7} {shares}  {wilson(hits, len(scores))}")


def time_ratio(worker: ImagesWorker, batch: pa.RecordBatch, rounds: int) -> float:
    """Print the time of the worker with measures over that without, in turns; return the latter."""
    ratios, bare = [], []
    for _ in range(rounds):
        with_measures = seconds(lambda: worker.process(batch))
        images_stage.measure = lambda *_, **__: NOTHING
        bare.append(seconds(lambda: worker.process(batch)))
        images_stage.measure = measure
        ratios.append(with_measures / bare[-1])
    print(
        f"time with measures over without: median {statistics.median(ratios):.2f} "
        f"({min(ratios):.2f} to {max(ratios):.2f}, {rounds} rounds)"
    )
    return min(bare)


def show_parts(pictures: list[Image.Image], bare: float) -> None:
    """Print what each part takes at its fastest, by the worker's time without measures."""
    words = [words_of(picture) for picture in pictures]
    small = [reduced_for_edges(picture) for picture in pictures]
    parts: dict[str, Callable[[int], object]] = {
        "reduction to 64 pixels, by Pillow": lambda at: reduced_for_edges(pictures[at]),
        "histogram and entropy, by Pillow": lambda at: pictures[at].entropy(),
        "ranks of brightness": lambda at: brightness(words[at], (DARKEST, BRIGHTEST)),
        "borders and grid": lambda at: (inside_borders(words[at]), grid_steps(words[at])),
        "all of the reduced picture": lambda at: measure(small[at], gray=False),
    }
    for name, part in parts.items():
        fastest = sum(
            min(seconds(lambda: part(at)) for _ in range(5))  # noqa: B023 - called at once
            for at in range(len(pictures))
        )
        print(f"  {name:<34} {fastest / bare:.2f}")


def seconds(work: Callable[[], object]) -> float:
    started = time.process_time()
    work()
    return time.process_time() - started


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("labels", type=Path)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--planted", type=int, default=200)
    parser.add_argument("--cost", action="store_true", help="print the times alone")
    given = parser.parse_args()
    with given.labels.open(newline="") as lines:
        families = {row["file"]: row["family"] for row in csv.DictReader(lines)}
    with TemporaryDirectory() as scratch:
        workspace = Workspace(Path(scratch))
        batch, _ = stored(given.folder, workspace)
        worker = ImagesStage(PipelineConfig().images, DecodingConfig()).worker(
            StageContext(workspace, LocalRunner(1), "benchmark")
        )
        bare = time_ratio(worker, batch, given.rounds)
        show_parts([load_rgb(path, MAX_PIXELS) for path in sorted(given.folder.iterdir())], bare)
        if given.cost:
            return
        count_flags(given.folder, worker, batch)
    halves: dict[str, list[Image.Image]] = {}
    chosen = sorted(families)[:: max(1, len(families) // given.planted)]
    for name in chosen:
        picture = load_rgb(given.folder / name, MAX_PIXELS)
        halves.setdefault(half_of(families[name]), []).append(picture)
    show_planted("blocky", halves, recompressed, grid_steps, QUALITIES)
    show_planted("blank_borders", halves, bordered, inside_borders, BORDERS)


if __name__ == "__main__":
    main()
