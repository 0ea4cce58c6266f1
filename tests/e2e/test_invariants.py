"""The pipeline's promises, on drawn pictures over real HTTP with real OCR."""

import shutil
import signal
import subprocess
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from types import FrameType
from typing import NoReturn

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from tests.e2e.conftest import CURATE, FEW, curate, kill_in, prepare
from tests.e2e.example import EXAMPLE
from webemo_curate.config import ListingConfig, PipelineConfig
from webemo_curate.conform import conform
from webemo_curate.demo.server import DemoWorld
from webemo_curate.errors import InputError
from webemo_curate.fields import VOLATILE
from webemo_curate.manifest import Origin, empty_table, read_manifest
from webemo_curate.pipeline import build_stages
from webemo_curate.runner.job import Job
from webemo_curate.runner.local_runner import LocalRunner
from webemo_curate.schemas import MANIFESTS
from webemo_curate.stages.listing import ListingStage
from webemo_curate.stages.stage import RowLocalStage, StageContext
from webemo_curate.table_digest import content_digest
from webemo_curate.workspace import Workspace

STAGES = {stage.name: stage for stage in build_stages(PipelineConfig())}
LONG_STAGES = {"fetch": 0.3, "images": 0.5, "ocr": 2.0, "features": 1.0, "dedup": 1.0}
"""Seconds into a stage at which it is killed; the others are over too soon to wait."""
INTERRUPTS = {"fetch": 0.3, "images": 0.0, "ocr": 0.0, "features": 0.0, "dedup": 0.0}
"""Seconds after which the contract test interrupts; 0: the engine itself stops half-way."""
ROWS = {"ocr": 16}
"""Input rows that suffice for the contract test of a stage whose rows take long."""
NEED_IMAGES = {"binarize", "undersample", "split"}
"""Stages that say so where no image is left for them."""
SCORE_TOLERANCE = 1e-3
PIXEL_TOLERANCE = 1.0
"""How far a network's output may be off on another kind of CPU, whose sums round otherwise."""
BYTE_IDENTICAL = [name for name in MANIFESTS if name != "fetch"]


class HalfwayEngine(LocalRunner):
    """Does the first half of a job's rows and is then interrupted."""

    def run(self, job: Job) -> NoReturn:
        whole = job.rows.num_rows // job.partition_rows // 2 * job.partition_rows
        super().run(replace(job, rows=job.rows.slice(0, whole)))
        raise KeyboardInterrupt


@contextmanager
def interrupted_after(seconds: float) -> Iterator[None]:
    """Raise KeyboardInterrupt in the block's midst, as Ctrl-C does."""

    def interrupt(_: int, frame: FrameType | None) -> None:
        if frame is not None and frame.f_code.co_name == "gc_callback":
            # hypothesis times the garbage collection: what is raised there reaches nobody.
            signal.setitimer(signal.ITIMER_REAL, 0.01)
            return
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGALRM, interrupt)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def digests(workspace: Path) -> dict[str, str]:
    return {name: content_digest(Workspace(workspace).read(name)) for name in MANIFESTS}


def bytes_of(workspace: Path) -> dict[str, bytes]:
    place = Workspace(workspace)
    return {name: place.manifest_path(name).read_bytes() for name in BYTE_IDENTICAL}


def rows_of(table: pa.Table) -> list[dict[str, object]]:
    lasting = [field.name for field in table.schema if VOLATILE not in field.metadata]
    return table.select(lasting).to_pylist()


def approximately(value: object, tolerance: float = SCORE_TOLERANCE) -> object:
    """Return what equals a value in everything but the last digits of its floats."""
    if isinstance(value, dict):
        return {
            key: approximately(inner, PIXEL_TOLERANCE if key == "polygon" else tolerance)
            for key, inner in value.items()
        }
    if isinstance(value, list):
        return [approximately(inner, tolerance) for inner in value]
    if isinstance(value, float):
        return pytest.approx(value, abs=tolerance, nan_ok=True)
    return value


def up_to(stage: str, curated: Path, workspace: Path) -> Path:
    """Copy what the stages before one have made; of fetch nothing, whose pictures would stay."""
    if stage == "fetch":
        return workspace
    shutil.copytree(curated, workspace, dirs_exist_ok=True)
    names = list(STAGES)
    for later in names[names.index(stage) :]:
        for output in STAGES[later].outputs:
            Workspace(workspace).manifest_path(output).unlink()
    return workspace


def test_every_listed_row_is_accounted_for(curated: Path) -> None:
    assert "Everything adds up." in curate("verify", "--workspace", curated)
    place = Workspace(curated)
    listed = Counter(place.read("listing")["url"].to_pylist())
    fetch = place.read("fetch").to_pandas().set_index("url")["sha256"]
    kept = {
        s
        for split in ("train", "validation", "test")
        for s in place.read(split)["sha256"].to_pylist()
    }
    kept_rows = sum(rows for url, rows in listed.items() if fetch[url] in kept)
    left_rows = sum(place.read("decisions")["listed_rows"].to_pylist())
    assert kept_rows + left_rows == sum(listed.values())


def test_what_went_wrong_in_the_world_is_found(curated: Path) -> None:
    place = Workspace(curated)
    statuses = set(place.read("fetch")["status"].to_pylist())
    assert {"ok", "not_found", "gone"} <= statuses
    reasons = set(place.read("decisions")["reason"].to_pylist())
    assert {"text", "near_duplicate", "surplus"} <= reasons


def test_no_group_stands_in_two_splits(curated: Path) -> None:
    place = Workspace(curated)
    groups = [
        set(place.read(split)["group"].to_pylist()) for split in ("train", "validation", "test")
    ]
    assert sum(map(len, groups)) == len(set.union(*groups))


def test_second_run_does_nothing_and_says_so(curated: Path) -> None:
    before = bytes_of(curated)
    assert "Nothing to do" in curate("split", "--workspace", curated)
    assert bytes_of(curated) == before


def test_one_option_reruns_from_its_stage_only(curated: Path, tmp_path: Path) -> None:
    shutil.copytree(curated, tmp_path / "ws")
    shown = curate("split", "--workspace", tmp_path / "ws", "--seed", "5")
    ran = [line.split()[0] for line in shown.splitlines() if " s, as " in line]
    assert ran == ["split", "decisions"]
    shown = curate("filter-text", "--workspace", tmp_path / "ws", "--threshold", "0.99")
    ran = [line.split()[0] for line in shown.splitlines() if " s, as " in line]
    assert ran == ["text"], "a new threshold must need no second OCR"


@pytest.mark.parametrize("name", ["fetch", "text", "train", "decisions"])
def test_tampering_is_found(curated: Path, tmp_path: Path, name: str) -> None:
    shutil.copytree(curated, tmp_path / "ws")
    path = Workspace(tmp_path / "ws").manifest_path(name)
    table = pq.read_table(path)
    pq.write_table(table.slice(1), path)
    result = subprocess.run(
        [str(CURATE), "verify", "--workspace", str(tmp_path / "ws")],
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 1
    assert f"{name}.parquet" in result.stdout
    assert "end nowhere" in result.stdout or "differ" in result.stdout or "lacks" in result.stdout


@pytest.mark.slow
@pytest.mark.parametrize("workers", [1, 4])
def test_equal_runs_are_byte_identical(
    few_curated: Path, world: DemoWorld, tmp_path: Path, workers: int
) -> None:
    workspace = prepare(tmp_path / "ws", world, FEW, workers=workers)
    curate("split", "--workspace", workspace)
    assert bytes_of(workspace) == bytes_of(few_curated)


@pytest.mark.slow
@pytest.mark.parametrize("stage", ["fetch", "images", "ocr", "pairs", "split"])
def test_killed_stage_ends_as_an_undisturbed_one(
    few_curated: Path, world: DemoWorld, tmp_path: Path, stage: str
) -> None:
    workspace = up_to(stage, few_curated, prepare(tmp_path / "ws", world, FEW))
    kill_in(stage, LONG_STAGES.get(stage, 0.0), "split", "--workspace", workspace)
    curate("split", "--workspace", workspace)
    assert digests(workspace) == digests(few_curated)
    assert "Everything adds up." in curate("verify", "--workspace", workspace)
    assert not list(workspace.rglob("*.partial"))


@pytest.mark.parametrize("name", list(STAGES))
class TestContract:
    """What every stage promises, whatever it does."""

    def test_interrupted_and_run_again_it_ends_as_if_undisturbed(
        self, name: str, curated: Path, tmp_path: Path
    ) -> None:
        source, place = Workspace(curated), Workspace(tmp_path)
        (stage,) = [stage for stage in build_stages(source.config()) if stage.name == name]
        if name != "fetch":
            shutil.copytree(curated / "data" / "images", tmp_path / "data" / "images")
        few = ROWS.get(name)
        tables = stage.load(source)
        if few:
            tables = {manifest: rows.slice(0, few) for manifest, rows in tables.items()}
        context = StageContext(place, HalfwayEngine(), "contract")
        with suppress(KeyboardInterrupt), interrupted_after(INTERRUPTS.get(name, 0.005)):
            stage.run(tables, context)
        done = {path: path.stat().st_mtime_ns for path in tmp_path.glob("data/checkpoints/*/*/*")}
        outputs = stage.run(tables, replace(context, runner=LocalRunner(2)))
        assert all(path.stat().st_mtime_ns == changed for path, changed in done.items())
        assert done or not isinstance(stage, RowLocalStage)
        assert set(outputs) == set(stage.outputs)
        for output, table in outputs.items():
            place.write(output, table, Origin(name, 1, {}, {}))
            expected = source.read(output)
            if few:
                expected = expected.filter(pc.is_in(expected["sha256"], table["sha256"]))
            assert content_digest(place.read(output)) == content_digest(expected)

    def test_empty_input_gives_empty_output_or_a_message(self, name: str, tmp_path: Path) -> None:
        stage = STAGES[name]
        if not stage.inputs:
            (tmp_path / "empty.txt").touch()
            stage = ListingStage(ListingConfig(lists=[tmp_path / "empty.txt"]))
            with pytest.raises(InputError, match=r"empty\.txt"):
                stage.run({}, StageContext(Workspace(tmp_path), LocalRunner(1), "empty"))
            return
        context = StageContext(Workspace(tmp_path), LocalRunner(1), "empty")
        tables = {source: empty_table(source) for source in stage.inputs}
        if name in NEED_IMAGES:
            with pytest.raises(InputError, match=rf"^{name}: .*\b(0|no) "):
                stage.run(tables, context)
            return
        outputs = stage.run(tables, context)
        assert set(outputs) == set(stage.outputs)
        for output, table in outputs.items():
            assert conform(table, MANIFESTS[output]).num_rows == 0

    def test_inputs_come_from_earlier_stages(self, name: str) -> None:
        earlier: set[str] = set()
        for stage in STAGES.values():
            if stage.name == name:
                break
            earlier.update(stage.outputs)
        assert set(STAGES[name].inputs) <= earlier
        assert set(STAGES[name].outputs) <= set(MANIFESTS)


def test_manifest_columns_are_documented_and_typed(curated: Path) -> None:
    for name, schema in MANIFESTS.items():
        table = Workspace(curated).read(name)
        assert table.schema.equals(schema)
        assert all(field.metadata for field in table.schema)
        assert not any(pa.types.is_null(field.type) for field in table.schema)


def test_example_manifests_are_those_of_this_code(curated: Path) -> None:
    for name in MANIFESTS:
        example = read_manifest(EXAMPLE / f"{name}.parquet", name)
        assert rows_of(Workspace(curated).read(name)) == approximately(rows_of(example)), (
            "make them anew: python -m tests.e2e.example"
        )
