"""Two commands at once: neither takes what is the other's, and no settings outlive a refusal."""

import json
import os
import shutil
import subprocess
import sys
import threading
import time
from pathlib import Path

import pyarrow as pa
import pytest

from tests.download.site import Site, answer, picture
from tests.trainable import TINY
from tests.work import work_on
from webemo_curate.config import PipelineConfig, UndersampleConfig, override
from webemo_curate.errors import CurateError
from webemo_curate.pipeline import Pipeline
from webemo_curate.storage.atomic import PARTIAL_SUFFIX, atomic_path
from webemo_curate.storage.checkpoints import Checkpoints
from webemo_curate.storage.folder import FolderStore, remove_partials
from webemo_curate.storage.held_folders import HeldFolders
from webemo_curate.training.fit import pack_splits
from webemo_curate.workspace import Workspace

CURATE = Path(sys.executable).with_name("curate")
KILLED_WHILE_WRITING = """
import os, sys
from pathlib import Path
from webemo_curate.storage.atomic import atomic_path
with atomic_path(Path(sys.argv[1])) as partial:
    partial.write_bytes(b"half")
    os.kill(os.getpid(), 9)
"""


def partials(folder: Path) -> list[Path]:
    return list(folder.rglob(f".*{PARTIAL_SUFFIX}"))


def test_a_sweep_takes_what_killed_writers_left_and_nothing_of_living_ones(tmp_path: Path) -> None:
    command = [sys.executable, "-c", KILLED_WHILE_WRITING, str(tmp_path / "dead")]
    subprocess.run(command, check=False)
    assert len(partials(tmp_path)) == 1
    with atomic_path(tmp_path / "alive") as partial:
        partial.write_bytes(b"half")
        remove_partials(tmp_path)
        assert partials(tmp_path) == [partial]
    assert (tmp_path / "alive").read_bytes() == b"half"
    assert not partials(tmp_path)


def test_a_link_that_looks_like_a_temporary_file_costs_its_target_nothing(tmp_path: Path) -> None:
    (tmp_path / "own").write_bytes(b"own")
    (tmp_path / f".x{PARTIAL_SUFFIX}").symlink_to(tmp_path / "own")
    remove_partials(tmp_path)
    assert (tmp_path / "own").read_bytes() == b"own"


def test_two_packings_at_once_give_both_their_pixels(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    from webemo_curate.dataset import packing
    from webemo_curate.dataset.labeled_images import COLUMNS, open_images

    monkeypatch.setattr(packing, "SHARD_IMAGES", 5)
    workspace.save_config(PipelineConfig(workers=1))
    table, errors, found = workspace.read("train", COLUMNS), [], []

    def pack() -> None:
        try:
            found.append(open_images(table, TINY, work_on(Workspace(workspace.root))))
        except BaseException as error:
            errors.append(error)

    both = [threading.Thread(target=pack) for _ in range(2)]
    for each in both:
        each.start()
    for each in both:
        each.join()
    assert not errors
    assert len(found) == 2
    assert not workspace.store.keys("data/checkpoints")


PACKING_FEW = """
from webemo_curate.cli import main
from webemo_curate.dataset import packing
packing.SHARD_IMAGES = 2  # so that there are several files, which the runner's processes pack
main()
"""


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_two_evaluations_at_once_measure_the_same(trained: tuple[Workspace, Path]) -> None:
    workspace, run = trained
    shutil.rmtree(workspace.root / "data/packed")
    on_test = ["evaluate", run.name, "--on", "test", "--json", "--workspace", str(workspace.root)]
    command = [sys.executable, "-c", PACKING_FEW, *on_test]
    both = [
        subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        for _ in range(2)
    ]
    said = [each.communicate() for each in both]
    assert [each.returncode for each in both] == [0, 0], said
    one, other = (json.loads(answer) for answer, _ in said)
    assert one == other
    assert len(workspace.store.keys("data/packed")) == 3
    assert not workspace.store.keys("data/checkpoints")
    assert not partials(workspace.root)


@pytest.mark.slow
def test_a_command_whose_workspace_is_moved_says_so(tmp_path: Path, site: Site) -> None:
    site.answers = {f"/{number}.jpg": answer(picture(number)) for number in range(200)}
    (tmp_path / "list.txt").write_text("".join(f"{site.base}{path} 0\n" for path in site.answers))
    command = [str(CURATE), "fetch", "--lists", "list.txt", "--rate", "20", "--ignore-robots"]
    fetching = subprocess.Popen(
        [*command, "--workspace", "ws"], cwd=tmp_path, stderr=subprocess.PIPE, text=True
    )
    while len(site.heads) < 5 and fetching.poll() is None:
        time.sleep(0.02)
    (tmp_path / "ws").rename(tmp_path / "elsewhere")
    _, said = fetching.communicate()
    assert fetching.returncode == 1, said
    assert "ws: the workspace was moved or removed while this command worked in it" in said
    assert "Traceback" not in said
    assert not (tmp_path / "ws").exists()
    assert len(site.heads) < 200, "it does not wait for the end"


@pytest.mark.parametrize("made_anew", [False, True])
def test_a_workspace_moved_while_in_use_ends_with_an_error(tmp_path: Path, made_anew: bool) -> None:
    workspace = Workspace(tmp_path / "ws")
    with workspace.lock():
        workspace.store.write("report.html", b"1")
        workspace.root.rename(tmp_path / "elsewhere")
        if made_anew:
            workspace.root.mkdir()
        with pytest.raises(CurateError, match="moved or removed"):
            workspace.store.write("report.html", b"2")
        with pytest.raises(CurateError, match="moved or removed"):
            workspace.store_image(b"an image", ".jpg")
    assert (tmp_path / "elsewhere" / "report.html").read_bytes() == b"1"
    assert not list(workspace.root.rglob("*"))


def test_settings_are_remembered_once_they_have_worked(tmp_path: Path) -> None:
    (tmp_path / "test25.txt").write_text("http://127.0.0.1:9/1.jpg 3\n")
    workspace = Workspace(tmp_path)
    config = override(
        PipelineConfig(undersample=UndersampleConfig(size=10**6)),
        {
            "listing": {"lists": [tmp_path / "test25.txt"]},
            "fetch": {"retries": 0, "passes": 1, "timeout": 5.0},
            "decoding": {"max_pixels": 1_000_000},
            "filter_text": {"preset": "lenient", "min_area": 0.9},
            "dedup": {"distance": 4},
        },
    )
    with pytest.raises(CurateError, match="no image is left"):
        list(Pipeline(workspace, config).run())
    known = workspace.config()
    assert known.fetch.retries == 0
    assert known.decoding.max_pixels == 1_000_000
    assert known.filter_text == config.filter_text
    assert known.dedup.distance == 4
    assert known.listing.lists == config.listing.lists
    assert known.undersample.size is None


def test_a_refused_training_is_not_remembered(workspace: Workspace) -> None:
    command = [str(CURATE), "train-model", "--only", "--lr", "7", "--weights", "nowhere.pth"]
    result = subprocess.run(
        [*command, "--workspace", str(workspace.root)],
        capture_output=True,
        text=True,
        check=False,
        env=os.environ | {"CUDA_VISIBLE_DEVICES": ""},
    )
    assert result.returncode == 2, result.stderr
    assert workspace.config().train.lr != 7


def test_a_partition_in_the_place_of_another_is_done_again(tmp_path: Path) -> None:
    held = Checkpoints(FolderStore(tmp_path), "data/checkpoints/x/new")
    held.save("one", pa.table({"a": [1]}))
    held.save("two", pa.table({"a": [2]}))
    folder = tmp_path / "data/checkpoints/x/new"
    (folder / "one.arrow").write_bytes((folder / "two.arrow").read_bytes())
    assert held.load("one") is None
    assert held.load("two") == pa.table({"a": [2]})


def test_the_packed_files_of_another_command_are_used(workspace: Workspace) -> None:
    pack_splits(TINY, work_on(workspace))
    before = {
        key: (workspace.root / key).stat().st_mtime_ns
        for key in workspace.store.keys("data/packed")
    }
    pack_splits(TINY, work_on(Workspace(workspace.root)))
    assert before == {key: (workspace.root / key).stat().st_mtime_ns for key in before}


def test_images_are_written_in_place_of_nothing_else(tmp_path: Path) -> None:
    (tmp_path / "own").write_bytes(b"own")
    (tmp_path / "images").mkdir()
    (tmp_path / "images/x.jpg").symlink_to(tmp_path / "own")
    HeldFolders(tmp_path).write("images/x.jpg", b"image")
    assert (tmp_path / "images/x.jpg").read_bytes() == b"image"
    assert (tmp_path / "own").read_bytes() == b"own"
