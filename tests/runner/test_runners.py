"""Both runners: equal results however they are run, and only the guilty row is charged."""

import io
import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import psutil
import pyarrow as pa
import pytest
from PIL import Image

from tests.runner.doubling import POISON, RAY, Doubler, job
from tests.stages.tables import manifest
from webemo_curate.config import DecodingConfig, ImagesConfig, PipelineConfig, RunnerConfig
from webemo_curate.errors import CurateError, InputError
from webemo_curate.progress import ProgressBar
from webemo_curate.runner import ray_counts, reporting
from webemo_curate.runner.factory import make_runner
from webemo_curate.runner.job import Runner
from webemo_curate.runner.ray_runner import _Actor
from webemo_curate.runner.reporting import rows_done
from webemo_curate.stages.images import ImagesStage
from webemo_curate.stages.stage import StageContext
from webemo_curate.workspace import Workspace

HOARD_BYTES, BOUND_BYTES = 4 * 10**9, 10**9


@pytest.fixture(params=["local", "ray"])
def runner(request: pytest.FixtureRequest) -> Callable[[int], Runner]:
    """Make an runner of so many workers; Ray's cluster stays up for the tests that follow."""
    config = RunnerConfig(kind=request.param)
    return lambda workers: make_runner(PipelineConfig(runner=config, workers=workers))


RAY_LATER = pytest.mark.parametrize(
    "runner", ["local", pytest.param("ray", marks=pytest.mark.slow)], indirect=True
)
"""Runs a test on Ray among the slow ones alone."""


@RAY_LATER
def test_pictures_are_measured_to_the_same_bits(
    runner: Callable[[int], Runner], tmp_path: Path
) -> None:
    workspace = Workspace(tmp_path / "ws")
    fetched = []
    for seed in range(7):
        pixels = np.random.default_rng(seed).integers(0, 256, (30 + seed, 50, 3), np.uint8)
        file = io.BytesIO()
        Image.fromarray(pixels).save(file, "JPEG", quality=10 + 10 * seed)
        fetched.append({"url": str(seed), "sha256": workspace.store_image(file.getvalue(), ".jpg")})
    stage = ImagesStage(ImagesConfig(partition_rows=2), DecodingConfig())
    tables = {"fetch": manifest("fetch", fetched)}
    here = stage.worker(StageContext(workspace, runner(1), "x"))
    rows = stage.select(tables)
    places = workspace.images.places(rows["path"].combine_chunks())
    (batch,) = rows.append_column("place", places).sort_by("sha256").to_batches()
    expected = pa.Table.from_batches([here.process(batch)])
    made = stage.run(tables, StageContext(workspace, runner(2), "x"))["measures"]
    assert made.sort_by("sha256").equals(expected.select(made.column_names).cast(made.schema))


@pytest.mark.parametrize(
    ("workers", "size"),
    [
        pytest.param(1, 3, marks=pytest.mark.slow),
        (3, 4),
        pytest.param(2, 100, marks=pytest.mark.slow),
    ],
)
def test_result_is_the_same_however_it_is_run(
    runner: Callable[[int], Runner], tmp_path: Path, workers: int, size: int
) -> None:
    values = [value for value in range(25) if value != POISON]
    result = runner(workers).run(job(tmp_path, values, size))
    assert result["doubled"].to_pylist() == [2 * value for value in values]


def test_only_the_row_that_kills_its_worker_is_charged(
    runner: Callable[[int], Runner], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    result = runner(2).run(job(tmp_path, list(range(20)), 5))
    assert result["value"].to_pylist() == list(range(20))
    crashed = [v for v, d in zip(*result.to_pydict().values(), strict=True) if d == -1]
    assert crashed == [POISON]
    assert f"is recorded: {POISON}" in caplog.text


def test_finished_partitions_are_not_run_again(
    runner: Callable[[int], Runner], tmp_path: Path
) -> None:
    first = runner(1).run(job(tmp_path, [1, 2, 3, 4]))
    refusing = job(tmp_path, [1, 2, 3, 4], worker=Doubler(refuses=True))
    assert runner(1).run(refusing).equals(first)


def test_error_of_setup_reaches_the_user(runner: Callable[[int], Runner], tmp_path: Path) -> None:
    with pytest.raises(CurateError, match="no model here"):
        runner(1).run(job(tmp_path, [1], worker=Doubler(refuses=True)))


def test_a_process_sets_its_worker_up_once_for_all_its_partitions(
    runner: Callable[[int], Runner], tmp_path: Path
) -> None:
    log = tmp_path / "setups"
    runner(2).run(job(tmp_path, [1] * 24, 2, Doubler(setups=log)))
    processes = log.read_text().split()
    assert 1 <= len(processes) <= 2
    assert len(set(processes)) == len(processes)


def test_no_rows_give_no_rows(runner: Callable[[int], Runner], tmp_path: Path) -> None:
    assert runner(2).run(job(tmp_path, [])).num_rows == 0


def test_without_ray_the_message_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("webemo_curate.optional_packages.find_spec", lambda _: None)
    with pytest.raises(InputError, match=r"pip install ray"):
        make_runner(PipelineConfig(runner=RunnerConfig(kind="ray")))


def test_a_worker_that_fits_no_node_is_refused(tmp_path: Path) -> None:
    config = RunnerConfig(kind="ray", gpus=64)
    with pytest.raises(InputError, match=r"no node of the Ray cluster has .*64 GPU"):
        make_runner(PipelineConfig(runner=config)).run(job(tmp_path, [1]))


@dataclass(frozen=True)
class Hoarder(Doubler):
    """The poisoned value makes it take memory without end, as a hostile image might."""

    def process(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        if POISON in batch["value"].to_pylist():
            hoard = []
            while len(hoard) < HOARD_BYTES // 2**20:
                hoard.append(b"x" * 2**20)
                time.sleep(0.001)
            raise CurateError("it was left to take what it wanted")
        return super().process(batch)


def bounded(memory: int) -> Runner:
    return make_runner(PipelineConfig(runner=RunnerConfig(kind="ray", memory=memory), workers=1))


@pytest.mark.slow
def test_a_worker_that_takes_too_much_is_ended_and_its_row_charged(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    result = bounded(BOUND_BYTES).run(job(tmp_path, [11, 12, POISON, 14], worker=Hoarder()))
    assert result["doubled"].to_pylist() == [22, 24, -1, 28]
    assert f"held more than {BOUND_BYTES} bytes: raise --worker-memory" in caplog.text


def test_a_bound_that_no_worker_can_keep_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"once it is set up: raise --worker-memory"):
        bounded(10**6).run(job(tmp_path, [1]))


def test_a_node_with_another_version_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("webemo_curate.runner.ray_runner.__version__", "0.0.0")
    with pytest.raises(InputError, match=r"has webemo-curate .*, this is 0\.0\.0"):
        make_runner(RAY).run(job(tmp_path, [1]))


@dataclass(frozen=True)
class Watched(Doubler):
    """Ends its batch only when its driver's bar has moved, before it is done."""

    moved: Path = Path()

    def setup(self) -> None:
        reporting.TELL_SECONDS = ray_counts.NEWS_SECONDS = 0.0

    def process(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        rows_done(2)
        for _ in range(1_000):
            if self.moved.exists():
                return super().process(batch)
            time.sleep(0.1)
        raise CurateError("the bar has not moved")


@RAY_LATER
def test_a_bar_moves_within_a_partition(
    runner: Callable[[int], Runner], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    moves, moved = [], tmp_path / "moved"

    def update(_: ProgressBar, units: int = 1) -> None:
        if units:
            moves.append(units)
            moved.touch()

    monkeypatch.setattr(ProgressBar, "update", update)
    values = [1, 2, 3, 4]
    result = runner(1).run(job(tmp_path, values, worker=Watched(moved=moved)))
    assert result["value"].to_pylist() == values
    assert (moves[0], sum(moves)) == (2, len(values))


class Unwilling(_Actor):
    """An actor that cannot be made, as where the package is missing on a node."""

    def __init__(self) -> None:
        raise RuntimeError("no such package")


def test_an_actor_that_cannot_be_made_says_why(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("webemo_curate.runner.ray_runner._Actor", Unwilling)
    with pytest.raises(CurateError, match="no such package"):
        make_runner(RAY).run(job(tmp_path, [1]))


class Unreadable(Doubler):
    """A worker that cannot be unpickled where it is sent."""

    def __reduce__(self) -> tuple[type[Unwilling], tuple[()]]:
        return Unwilling, ()


def test_a_worker_that_cannot_be_read_there_says_why(tmp_path: Path) -> None:
    with pytest.raises(CurateError, match="no such package"):
        make_runner(RAY).run(job(tmp_path, [1], worker=Unreadable()))


def test_a_cluster_of_our_own_listens_on_loopback_alone(tmp_path: Path) -> None:
    make_runner(RAY).run(job(tmp_path, [1]))
    ours = {process.pid for process in psutil.Process().children(recursive=True)}
    listening = [
        connection.laddr.ip
        for connection in psutil.net_connections("tcp")
        if connection.status == psutil.CONN_LISTEN and connection.pid in ours | {os.getpid()}
    ]
    assert listening
    assert {ip.removeprefix("::ffff:") for ip in listening} <= {"127.0.0.1", "::1"}


@pytest.mark.slow
def test_ray_says_nothing_of_what_died(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    make_runner(RAY).run(job(tmp_path, [POISON]))
    assert "A worker died or was killed" not in capfd.readouterr().out
