"""No number is changed unseen: `verify` tells what is not as it was written, and so does use."""

import io
import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image

from tests.trainable import TINY, draw_set
from tests.work import work_on
from webemo_curate import verification
from webemo_curate.dataset.packed_files import open_packed, write_packed
from webemo_curate.errors import InputError
from webemo_curate.evaluation.evaluate import evaluate
from webemo_curate.exports.removals import REMOVED
from webemo_curate.manifest import Origin
from webemo_curate.parquet import seal, write_parquet
from webemo_curate.report.build import build_report
from webemo_curate.run_digests import changes, file_digests, sealed
from webemo_curate.runs import DONE_FILE, find_run
from webemo_curate.sources.added import add_folder
from webemo_curate.training.fit import pack_splits
from webemo_curate.workspace import Workspace

SHAPE = (4, 3, 8, 8)


@pytest.fixture
def copied(trained: tuple[Workspace, Path]) -> Workspace:
    """Give a workspace with a run that was measured on test."""
    workspace, run = trained
    if not (run / "metrics-test.json").exists():
        evaluate(run, "test", work_on(workspace), "cpu")
    return workspace


def the_run(workspace: Workspace) -> Path:
    (folder,) = workspace.runs.iterdir()
    return folder


def flip(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


@pytest.mark.parametrize(
    "name",
    [
        "last.safetensors",
        "best.safetensors",
        "config.json",
        "log.jsonl",
        "predictions-test.parquet",
        "predictions-validation.parquet",
        "metrics-test.json",
    ],
)
def test_a_changed_file_of_a_run_is_named_and_the_run_left_out(
    copied: Workspace, name: str
) -> None:
    run = the_run(copied)
    assert not list(changes(run, DONE_FILE))
    flip(run / name)
    (problem,) = changes(run, DONE_FILE)
    assert name in problem
    page = Path(build_report(work_on(copied))).read_text()
    assert run.name in page
    assert "Left out" in page
    assert "accuracy on test, 95" not in page


@pytest.mark.parametrize("content", [b"", b"[]", b"{", b'{"files": 3}', b"[" * 100_000])
def test_a_broken_run_is_skipped_and_the_others_are_shown(
    copied: Workspace, content: bytes
) -> None:
    run = the_run(copied)
    shutil.copytree(run, run.with_name("broken"))
    (run.with_name("broken") / DONE_FILE).write_bytes(content)
    page = Path(build_report(work_on(copied))).read_text()
    assert page.count("Left out") == 1
    assert "accuracy on test, 95" in page


def test_a_run_of_the_first_versions_is_shown_as_one_that_nothing_can_be_held_against(
    copied: Workspace,
) -> None:
    run = the_run(copied)
    (run / DONE_FILE).write_text('{"epochs": 1}')
    page = Path(build_report(work_on(copied))).read_text()
    assert "No digests were recorded of this run" in page
    assert "accuracy on test, 95" in page
    assert list(changes(run, DONE_FILE))


def test_the_metrics_of_a_split_are_overwritten_by_that_split_alone(
    copied: Workspace, tmp_path: Path
) -> None:
    run = the_run(copied)
    before = (run / "metrics-test.json").read_bytes()
    other = evaluate(run, str(draw_set(tmp_path / "elsewhere" / "test")), work_on(copied), "cpu")
    assert (run / "metrics-test.json").read_bytes() == before
    assert other.on.startswith("test-")
    first = evaluate(run, str(draw_set(tmp_path / "a" / "emo")), work_on(copied), "cpu")
    second = evaluate(run, str(draw_set(tmp_path / "b" / "emo", 3)), work_on(copied), "cpu")
    assert first.on == "emo"
    assert second.on.startswith("emo-")
    assert json.loads((run / "metrics-emo.json").read_bytes())["images"] == first.metrics.images
    assert not list(changes(run, DONE_FILE))


def test_an_added_set_whose_targets_were_flipped_is_refused(
    copied: Workspace, tmp_path: Path
) -> None:
    with copied.lock():
        added = add_folder(draw_set(tmp_path / "emo"), "emo", work_on(copied))
    flip_targets(Path(added.path))
    problems = [*verification._changed(copied, "emo")]
    assert any("values have been changed" in problem for problem in problems)
    with pytest.raises(InputError, match="changed since it was written"):
        evaluate(the_run(copied), added.path, work_on(copied), "cpu")


def flip_targets(path: Path) -> None:
    """Change a manifest's targets and keep what it says of itself."""
    table = pq.read_table(path)
    flipped = pa.array([1 - target for target in table["target"].to_pylist()], pa.int8())
    place = table.schema.get_field_index("target")
    changed = table.set_column(place, table.schema.field("target"), flipped)
    pq.write_table(changed.replace_schema_metadata(table.schema.metadata), path)


def test_verify_sees_added_and_shared_sets_packed_pixels_and_runs(copied: Workspace) -> None:
    assert verification.further_manifests(copied) == []
    copied.write_as("test", "emo", copied.read("test"), Origin("add-folder", 1, {}, {}))
    assert verification.further_manifests(copied) == ["emo"]
    packed = copied.root / copied.store.keys("data/packed")[0]
    flip(packed)
    (problem,) = verification._changed_packed(copied)
    assert str(packed) in problem
    flip(the_run(copied) / "last.safetensors")
    (problem,) = verification._changed_runs(copied)
    assert "last.safetensors" in problem


def test_figures_of_another_set_or_network_are_named(copied: Workspace) -> None:
    run = the_run(copied)
    other = run.with_name("other")
    shutil.copytree(run, other)
    shutil.copy(other / "metrics-validation.json", other / "metrics-test.json")
    (problem,) = changes(other, DONE_FILE)
    assert "metrics-test.json: is of 'validation'" in problem
    flip(other / "last.safetensors")
    done = json.loads((other / DONE_FILE).read_bytes())
    done["files"] |= file_digests(other, ["last.safetensors"])
    (other / DONE_FILE).write_text(json.dumps(sealed({k: done[k] for k in done if k != "digest"})))
    shutil.copy(run / "metrics-test.json", other / "metrics-test.json")
    found = [*changes(other, DONE_FILE)]
    assert len(found) == 2
    assert all("of another network than last.safetensors" in problem for problem in found)


@pytest.mark.timeout(60)
@pytest.mark.parametrize(
    "name", ["config.json", "log.jsonl", "metrics-test.json", "predictions-test.parquet"]
)
@pytest.mark.parametrize("make", [os.mkfifo, lambda path: path.symlink_to("/etc/hostname")])
def test_pipes_and_links_in_a_run_hang_and_read_nothing(
    copied: Workspace, name: str, make: Callable[[Path], None]
) -> None:
    run = the_run(copied)
    (run / name).unlink()
    make(run / name)
    with pytest.raises(InputError, match=name):
        find_run(run.name, copied)
    with pytest.raises(InputError, match=name):
        find_run(str(run), Workspace(copied.root / "elsewhere"))
    (problem,) = verification._changed_runs(copied)
    assert name in problem
    assert "Left out" in Path(build_report(work_on(copied))).read_text()


def test_a_changed_list_of_what_was_taken_down_is_named(copied: Workspace) -> None:
    with copied.store.writing(verification.TOMBSTONES) as partial:
        write_parquet(REMOVED.empty_table(), partial)
    (problem,) = verification._changed_tombstones(copied)
    assert verification.TOMBSTONES in problem
    with copied.store.writing(verification.TOMBSTONES) as partial:
        write_parquet(REMOVED.empty_table(), partial)
        seal(partial)
    assert not [*verification._changed_tombstones(copied)]


def packed(pixels: np.ndarray, path: str = "set/x.npy") -> bytes:
    stream = io.BytesIO()
    write_packed(stream, pixels, path)
    return stream.getvalue()


@pytest.mark.parametrize(
    "spoil",
    [
        lambda content: bytes(len(content)),
        lambda content: content[:-1],
        lambda content: content[: len(content) // 2],
        lambda content: content[:0],
        lambda content: content[:-33] + bytes([content[-33] ^ 1]) + content[-32:],
        lambda content: packed(np.zeros((2, 3, 8, 8), np.uint8)) + content[:0],
        lambda content: packed(np.zeros(SHAPE, np.uint8), "other/x.npy") + content[:0],
    ],
)
def test_packed_pixels_that_were_torn_or_changed_are_not_taken(
    tmp_path: Path, spoil: Callable[[bytes], bytes]
) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, SHAPE, dtype=np.uint8)
    path = tmp_path / "set" / "x.npy"
    path.parent.mkdir()
    path.write_bytes(packed(pixels))
    opened = open_packed(path, SHAPE)
    assert opened is not None
    assert np.array_equal(opened, pixels)
    path.write_bytes(spoil(packed(pixels)))
    assert open_packed(path, SHAPE) is None


def test_zeroed_pixels_are_packed_anew(workspace: Workspace) -> None:
    pack_splits(TINY, work_on(workspace))
    keys = workspace.store.keys("data/packed")
    sound = {key: (workspace.root / key).read_bytes() for key in keys}
    for key in keys:
        (workspace.root / key).write_bytes(bytes(len(sound[key])))
    pack_splits(TINY, work_on(workspace))
    assert {key: (workspace.root / key).read_bytes() for key in keys} == sound


def test_an_image_of_an_added_set_is_hashed_too(copied: Workspace, tmp_path: Path) -> None:
    with copied.lock():
        add_folder(draw_set(tmp_path / "emo"), "emo", work_on(copied))
    (named,) = verification._further_images(copied)
    row = named.to_pylist()[0]
    Image.new("RGB", (9, 9)).save(copied.root / row["path"])
    problem = verification._problem(copied, row | {"place": row["path"]})
    assert problem
    assert "have changed" in problem
