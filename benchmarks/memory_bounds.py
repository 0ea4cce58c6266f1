"""Run each whole-table part within bounds of memory in small steps, and say where it fails.

    python -m benchmarks.memory_bounds [--rows 1000000] [--urls 1] [--tail 1] [--most 800000000]
    python -m benchmarks.memory_bounds --folder FOLDER --parts split --bounds 3000000000 2650000000

Where tables nearly fit, what an operator cannot spill, or holds for itself, may leave too little
for others of the same statement, although smaller bounds do. So bounds are tried from the largest
down, each a tenth below the one before, to the least that `--memory` takes. What a part gives
must be equal at all of them. A line for each run tells its time, or the statement that failed.
"""

import argparse
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from benchmarks.measure import MEGABYTE
from benchmarks.whole_tables import STAGES, run_stages, write_inputs
from webemo_curate.accounting import funnel
from webemo_curate.audit import discrepancies
from webemo_curate.config.pipeline_config import MIN_MEMORY
from webemo_curate.errors import CurateError
from webemo_curate.named_files import named_files
from webemo_curate.report.sections import split_rows
from webemo_curate.runner.local_runner import LocalRunner
from webemo_curate.stages.stage import StageContext
from webemo_curate.table_engine import OUT_OF_BOUND
from webemo_curate.workspace import Workspace

STAGE_NAMES = ("dedup", "binarize", "undersample", "split", "decisions")

Part = Callable[[Workspace, int], object]

COUNTS: dict[str, Part] = {
    "funnel": funnel,
    "audit": discrepancies,
    "splits": split_rows,
    "files": lambda workspace, memory: named_files(workspace, (), memory),
}
"""What `status`, `verify` and the report count, and the files that `verify` reads."""

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


def sweep(folder: str, name: str, bounds: list[int]) -> None:
    """Run one part within each bound, and print what came of it."""
    workspace = Workspace(Path(folder))
    part, expected = COUNTS.get(name) or stage_part(name), None
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
    parser.add_argument("--parts", nargs="*", default=[*STAGE_NAMES, *COUNTS])
    parser.add_argument("--most", type=int, default=800_000_000, help="bytes")
    parser.add_argument("--bounds", type=int, nargs="*", help="bytes, in place of small steps")
    arguments = parser.parse_args()
    bounds = arguments.bounds or steps(arguments.most)
    with tempfile.TemporaryDirectory() as made:
        folder = arguments.folder or made
        if not arguments.folder:
            write_inputs(folder, arguments.rows, arguments.urls, "a" * arguments.tail)
            run_stages(folder, None, STAGE_NAMES)
        for name in arguments.parts:
            code = f"from benchmarks.memory_bounds import *; sweep({folder!r}, {name!r}, {bounds})"
            subprocess.run([sys.executable, "-c", code], check=True)


if __name__ == "__main__":
    main()
