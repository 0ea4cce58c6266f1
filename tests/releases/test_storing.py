"""Rebuilt pictures in their place: as links, as copies across devices, and whatever stops it."""

import hashlib
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.exports.shared_set import Drawn
from tests.security.test_full_disk import UNSHARE
from webemo_curate.config import PipelineConfig
from webemo_curate.errors import CurateError
from webemo_curate.releases.rebuild import Rebuilt, rebuild
from webemo_curate.runner.work_context import WorkContext
from webemo_curate.verdicts import Split
from webemo_curate.workspace import Workspace

CURATE = [sys.executable, "-c", "from webemo_curate.cli import main; main()"]

KILLED = """
import os, signal
link, links = os.link, []
def link_some(*given, **named):
    link(*given, **named)
    links.append(given)
    if len(links) == 5:
        os.kill(os.getpid(), signal.SIGKILL)
os.link = link_some
from webemo_curate.cli import main
main()
"""


@pytest.fixture(scope="session")
def mine(tmp_path_factory: pytest.TempPathFactory, pictures: list[Drawn]) -> Path:
    """Every picture of the set in a folder: nothing need be asked for."""
    folder = tmp_path_factory.mktemp("mine")
    for one in pictures:
        (folder / f"{one.number}{one.suffix}").write_bytes(one.content)
    return folder


def bring_back(released: Path, place: Path, mine: Path) -> Rebuilt:
    return rebuild(released, WorkContext(Workspace(place), PipelineConfig()), pictures=mine)


def stored(place: Path) -> dict[str, str]:
    """Return the hash that each stored picture's name says, and that of its bytes."""
    files = [file for file in (place / "data" / "images").rglob("*") if file.is_file()]
    return {file.stem: hashlib.sha256(file.read_bytes()).hexdigest() for file in files}


def check_whole(place: Path, curated: Workspace) -> None:
    """See that the set is there as it was released, and nothing besides."""
    rebuilt = Workspace(place)
    hashes = {row for split in Split for row in curated.read(split)["sha256"].to_pylist()}
    assert stored(place) == {sha256: sha256 for sha256 in hashes}
    for split in Split:
        ours, theirs = rebuilt.info(split), curated.info(split)
        assert ours
        assert theirs
        assert ours.digest == theirs.digest
    assert not (place / "data" / "rebuild").exists()


def check_not_begun(place: Path) -> None:
    """See that nothing looks whole: pictures are sound, and no manifest or report names them."""
    assert not any(Workspace(place).has(split) for split in Split)
    assert not (place / "rebuild.parquet").exists()
    assert all(name == found for name, found in stored(place).items())


def test_pictures_are_not_written_a_second_time(
    curated: Workspace,
    released: Path,
    mine: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    linked = []
    link = os.link

    def note(source: Path, file: Path) -> None:
        link(source, file)
        linked.append(Path(file))
        assert Path(file).samefile(source)

    monkeypatch.setattr(os, "link", note)
    bring_back(released, tmp_path, mine)
    check_whole(tmp_path, curated)
    assert {file.stem for file in linked} == set(stored(tmp_path))


def test_killed_while_storing_it_tears_nothing_and_goes_on(
    curated: Workspace, released: Path, mine: Path, tmp_path: Path
) -> None:
    command = ["rebuild", released, "--workspace", tmp_path, "--pictures", mine]
    killed = subprocess.run(
        [sys.executable, "-c", KILLED, *command], capture_output=True, check=False
    )
    assert killed.returncode == -9, killed.stderr
    assert len(stored(tmp_path)) == 5
    check_not_begun(tmp_path)
    bring_back(released, tmp_path, mine)
    check_whole(tmp_path, curated)


def test_a_picture_that_was_torn_is_stored_anew(
    curated: Workspace, released: Path, mine: Path, tmp_path: Path, pictures: list[Drawn]
) -> None:
    torn = tmp_path / pictures[0].path
    torn.parent.mkdir(parents=True)
    torn.write_bytes(bytes(len(pictures[0].content)))
    bring_back(released, tmp_path, mine)
    check_whole(tmp_path, curated)


def test_no_space_is_said_and_nothing_looks_whole(
    curated: Workspace, released: Path, mine: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = []
    link = os.link

    def full(source: Path, file: Path) -> None:
        if len(made) == 5:
            raise OSError(28, "No space left on device", str(file))
        link(source, file)
        made.append(file)

    monkeypatch.setattr(os, "link", full)
    with pytest.raises(CurateError, match=r"No space left on device.*free some space"):
        bring_back(released, tmp_path, mine)
    monkeypatch.undo()
    assert len(stored(tmp_path)) == 5
    check_not_begun(tmp_path)
    bring_back(released, tmp_path, mine)
    check_whole(tmp_path, curated)


def test_across_devices_pictures_are_copied(
    curated: Workspace, released: Path, mine: Path, tmp_path: Path
) -> None:
    if subprocess.run([*UNSHARE, "true"], capture_output=True, check=False).returncode:
        pytest.skip("this system gives no mount namespace")
    place = tmp_path / "ws"
    (place / "data" / "images").mkdir(parents=True)
    # The mount goes with its namespace: what lies there is brought out first.
    script = (
        'mount -t tmpfs tmpfs "$1/data/images" && shift && "$@" && '
        f'cp -r "{place}/data/images" "{tmp_path}/out"'
    )
    command = [*CURATE, "rebuild", released, "--workspace", place, "--pictures", mine]
    done = subprocess.run(
        [*UNSHARE, "/bin/sh", "-c", script, "sh", place, *command],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    (place / "data" / "images").rmdir()
    (tmp_path / "out").rename(place / "data" / "images")
    check_whole(place, curated)
