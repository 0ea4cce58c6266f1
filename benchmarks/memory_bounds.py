"""Run each whole-table part within bounds of memory in small steps, and say where it fails.

    python -m benchmarks.memory_bounds [--rows 1000000] [--urls 1] [--tail 1] [--most 800000000]
    python -m benchmarks.memory_bounds --folder FOLDER --parts split --bounds 3000000000 2650000000

Where tables nearly fit, what an operator cannot spill, or holds for itself, may leave too little
for others of the same statement, although smaller bounds do. So bounds are tried from the largest
down, each a tenth below the one before, to the least that `--memory` takes. What a part gives
must be equal at all of them. A line for each run tells its time, or the statement that failed.
Some stages are also run as options and people's decisions change their statements: `undersample
--drop-worst`, `split --official` and `--extend`, dedup and binarize with a review for each
twenty images.
"""

import argparse
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa

from benchmarks.measure import MEGABYTE
from benchmarks.whole_tables import STAGES, run_stages, write_inputs
from webemo_curate.accounting import funnel
from webemo_curate.audit import discrepancies
from webemo_curate.config import (
    BinarizeConfig,
    DedupConfig,
    LabelIssuesConfig,
    PipelineConfig,
    SplitConfig,
    StageConfig,
    UndersampleConfig,
)
from webemo_curate.config.pipeline_config import MIN_MEMORY
from webemo_curate.errors import CurateError
from webemo_curate.label_schemas import DOUBTS
from webemo_curate.manifest import Origin
from webemo_curate.named_files import named_files
from webemo_curate.report.leaks import leaks
from webemo_curate.report.sections import split_rows
from webemo_curate.reviews.decided_reviews import DECIDED, REVIEWS
from webemo_curate.reviews.review import Decision
from webemo_curate.runner.local_runner import LocalRunner
from webemo_curate.runner.work_context import WorkContext
from webemo_curate.stages.binarize import BinarizeStage
from webemo_curate.stages.dedup import DedupStage
from webemo_curate.stages.split import SplitStage
from webemo_curate.stages.stage import Stage, StageContext
from webemo_curate.stages.undersample import UndersampleStage
from webemo_curate.table_engine import OUT_OF_BOUND
from webemo_curate.taxonomies.webemo_labels import LABELS
from webemo_curate.verdicts import Split
from webemo_curate.workspace import Workspace

STAGE_NAMES = ("dedup", "binarize", "undersample", "split", "decisions")

Part = Callable[[Workspace, int], object]

COUNTS: dict[str, Part] = {
    "funnel": funnel,
    "audit": discrepancies,
    "splits": split_rows,
    "leaks": lambda workspace, memory: leaks(WorkContext(workspace, PipelineConfig(memory=memory))),
    "files": lambda workspace, memory: named_files(workspace, (), memory),
}
"""What `status`, `verify` and the report count, and the files that `verify` reads."""

EARLIER = "earlier"
"""Folder, in the workspace, of the split that `--extend` is given."""

WORST = 5
"""Percentage that `--drop-worst` is given."""

EVERY = 20
"""Images for each review."""

STEP = 0.9
"""A bound, as a share of the one before."""

WORDS = 60
"""Letters of a statement that are told."""


def stage_part(name: str) -> Part:
    """Return the part that computes a stage's outputs, which are not written."""
    (stage,) = (stage for stage in STAGES if stage.name == name)

    def run(workspace: Workspace, memory: int) -> object:
        context = StageContext(workspace, LocalRunner(), "benchmark", memory)
        return stage.run(stage.load(workspace), context)

    return run


def option_part(make: Callable[[Workspace], Stage[StageConfig]]) -> Part:
    """Return the part that computes a stage's outputs as options change its statements."""

    def run(workspace: Workspace, memory: int) -> object:
        stage = make(workspace)
        context = StageContext(workspace, LocalRunner(), "benchmark", memory)
        tables = stage.load(workspace)
        if stage.reviewed is not None:
            tables |= {REVIEWS: reviews(workspace, stage.name)}
        return stage.run(tables, context)

    return run


OPTIONS: dict[str, Part] = {
    "drop_worst": option_part(
        lambda _: UndersampleStage(UndersampleConfig(), LabelIssuesConfig(drop_worst=WORST))
    ),
    "official": option_part(lambda _: SplitStage(SplitConfig(official=True))),
    "extend": option_part(
        lambda workspace: SplitStage(SplitConfig(extend=workspace.root / EARLIER))
    ),
    "reviewed_dedup": option_part(lambda _: DedupStage(DedupConfig())),
    "reviewed_binarize": option_part(lambda _: BinarizeStage(BinarizeConfig())),
}
"""Stages with the options, or the people's decisions, that give them statements of their own."""


def reviews(workspace: Workspace, stage: str) -> pa.Table:
    """Return what people decided: of random images their label, of random pairs whether same."""
    random = np.random.default_rng(1)
    images = workspace.read("duplicates", ["sha256"])["sha256"].combine_chunks()
    first, second = random.integers(0, len(images), (2, len(images) // EVERY))
    if stage == DedupStage.name:
        first, second = first[first != second], second[first != second]
        answers = pa.array([str(Decision.SAME), str(Decision.DIFFERENT)])
    else:
        first, second = np.unique(first), None
        answers = pa.array([label.name for label in LABELS])
    decision = answers.take(pa.array(random.integers(0, len(answers), len(first))))
    other = pa.nulls(len(first)) if second is None else images.take(pa.array(second))
    return pa.table([images.take(pa.array(first)), other, decision], DECIDED.names).cast(DECIDED)


def write_doubts(workspace: Workspace) -> None:
    """Write the doubts that `--drop-worst` reads: a random score for each kept image."""
    labels = workspace.read("labels", ["cluster", "label"])
    rows, random = labels.num_rows, np.random.default_rng(2)
    filled = {"given": "others", "suggested": "others", "lines": 1, "other_lines": 0}
    filled |= {"given_probability": 0.5, "suggested_probability": 0.5, "issue": False}
    table = pa.table(
        {
            "rank": pa.array(range(1, rows + 1), pa.int32()),
            "sha256": labels["cluster"],
            "label": labels["label"],
            "score": random.random(rows),
            **{name: pa.repeat(pa.scalar(value), rows) for name, value in filled.items()},
        }
    ).select(DOUBTS["label_issues"].names)
    workspace.write("label_issues", table, Origin("label_issues", 1, {}, {}))


def write_earlier(workspace: Workspace) -> None:
    """Keep the splits as the earlier ones that `--extend` is given."""
    folder = workspace.root / EARLIER
    folder.mkdir()
    for split in Split:
        shutil.copy(workspace.manifests / f"{split}.parquet", folder)


def sweep(folder: str, name: str, bounds: list[int]) -> None:
    """Run one part within each bound, and print what came of it."""
    workspace = Workspace(Path(folder))
    part, expected = (COUNTS | OPTIONS).get(name) or stage_part(name), None
    for bound in bounds:
        started, spent = time.perf_counter(), time.process_time()
        try:
            given = part(workspace, bound)
        except CurateError as error:
            if OUT_OF_BOUND not in str(error.__cause__):
                raise
            said = f"FAILS: {statement(error)}"
        else:
            expected = given if expected is None else expected
            assert given == expected, f"{name} gives something else within {bound} bytes"
            del given
            said = f"{time.perf_counter() - started:7.1f} s"
        spent = time.process_time() - spent
        print(
            f"  {name:<12} {bound / MEGABYTE:7.0f} MB {spent:7.1f} CPU-s {said}",
            flush=True,
        )


def statement(error: BaseException) -> str:
    """Return the first words of the statement that an error comes from."""
    words, trace = "", error.__traceback__
    while trace is not None:
        words = str(trace.tb_frame.f_locals.get("sql", words))
        trace = trace.tb_next
    return " ".join(words.split())[:WORDS]


def steps(most: int) -> list[int]:
    """Return bounds from the largest down to the least that `--memory` takes."""
    bounds = []
    while most > MIN_MEMORY:
        bounds.append(most)
        most = int(most * STEP)
    return [*bounds, MIN_MEMORY]


def main() -> None:
    """Sweep every part, each in a process of its own."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000, help="images")
    parser.add_argument("--urls", type=int, default=1, help="of each image, each listed once")
    parser.add_argument("--tail", type=int, default=1, help="letters that end a URL")
    parser.add_argument("--folder", help="of a workspace that has the manifests")
    parser.add_argument("--parts", nargs="*", default=[*STAGE_NAMES, *COUNTS, *OPTIONS])
    parser.add_argument("--most", type=int, default=800_000_000, help="bytes")
    parser.add_argument("--bounds", type=int, nargs="*", help="bytes, in place of small steps")
    arguments = parser.parse_args()
    bounds = arguments.bounds or steps(arguments.most)
    with tempfile.TemporaryDirectory() as made:
        folder = arguments.folder or made
        if not arguments.folder:
            write_inputs(folder, arguments.rows, arguments.urls, "a" * arguments.tail)
            run_stages(folder, None, STAGE_NAMES)
            write_doubts(Workspace(Path(folder)))
            write_earlier(Workspace(Path(folder)))
        for name in arguments.parts:
            code = f"from benchmarks.memory_bounds import *; sweep({folder!r}, {name!r}, {bounds})"
            subprocess.run([sys.executable, "-c", code], check=True)


if __name__ == "__main__":
    main()
