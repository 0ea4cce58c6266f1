"""Measure the processor time a picture of the stages that open pictures: `stage.seconds_a_row`.

    OMP_NUM_THREADS=1 python -m benchmarks.stage_seconds WORKSPACE [PICTURES]

WORKSPACE is one whose `fetch` and `images` have run. Each stage's worker runs in this process, so
that only its work counts; start-up is reported separately.
"""

import argparse
import time
from pathlib import Path

import pyarrow as pa

from webemo_curate.pipeline import build_stages
from webemo_curate.runner.factory import make_runner
from webemo_curate.stages.stage import RowLocalStage, StageContext
from webemo_curate.workspace import Workspace

PICTURES = 60


def measure(stage: RowLocalStage, workspace: Workspace, pictures: int) -> tuple[float, float, int]:  # type: ignore[type-arg]
    """Return the processor seconds of setting up, those of a picture, and how many were taken."""
    context = StageContext(workspace, make_runner(workspace.config()), "benchmark")
    rows = stage.select(stage.load(workspace)).slice(0, pictures)
    places = workspace.images.places(rows["path"].combine_chunks())
    (batch,) = rows.append_column("place", places).combine_chunks().to_batches()
    worker, begun = stage.worker(context), time.process_time()
    worker.setup()
    ready = time.process_time()
    assert isinstance(worker.process(batch), pa.RecordBatch)
    return ready - begun, (time.process_time() - ready) / batch.num_rows, batch.num_rows


def main() -> None:
    """Measure each stage and print what stands in it beside it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("workspace", type=Path)
    parser.add_argument("pictures", type=int, nargs="?", default=PICTURES)
    given = parser.parse_args()
    workspace = Workspace(given.workspace)
    print(f"{'stage':<10} {'set up':>8} {'a picture':>10} {'said':>8} {'pictures':>9}")
    for stage in build_stages(workspace.config()):
        if isinstance(stage, RowLocalStage):
            start, each, rows = measure(stage, workspace, given.pictures)
            said = stage.seconds_a_row
            print(f"{stage.name:<10} {start:>7.2f}s {each:>9.4f}s {said:>7.4f}s {rows:>9}")


if __name__ == "__main__":
    main()
