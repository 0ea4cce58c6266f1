"""Several processes fetch, and some are killed, stopped or short of space: nothing is lost."""

import gc
import os
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest

from tests.download.several_hosts import base, fetch, lay_out, moved, owners, targets
from tests.download.site import Site, answer, picture, stored
from webemo_curate.download.journal import SUFFIX, Journal
from webemo_curate.storage.bucket import BucketStore
from webemo_curate.storage.folder import FolderStore
from webemo_curate.storage.image_files import ImageFiles
from webemo_curate.storage.image_shards import STAGED
from webemo_curate.verdicts import FetchStatus
from webemo_curate.workspace import Workspace

pytestmark = pytest.mark.usefixtures("short_lists_go_to_several")


def kill_one(hosts: list[Site], number: int) -> None:
    """Kill a process that owns hosts, by its place, once a hundred or so requests were made."""
    wait_for(lambda: sum(len(site.heads) for site in hosts) >= 150)
    owners()[number].send_signal(signal.SIGKILL)


@pytest.mark.parametrize(
    "number", [pytest.param(0, marks=pytest.mark.slow), 1, pytest.param(2, marks=pytest.mark.slow)]
)
def test_a_killed_process_loses_nothing(
    tmp_path: Path, hosts: list[Site], number: int, caplog: pytest.LogCaptureFixture
) -> None:
    urls = lay_out(hosts, 150)
    for place, site in enumerate(hosts):
        site.answers["/0.jpg"] = moved(f"{base(hosts[place - 1])}/1.jpg")

    killing = threading.Thread(target=kill_one, args=(hosts, number))
    killing.start()
    rows = fetch(tmp_path, urls, 3, rate=150, ignore_robots=True)
    killing.join()
    assert "a process died" in caplog.text
    assert Counter(row["status"] for row in rows.values()) == {FetchStatus.OK: len(urls)}
    again = sum((targets(site) for site in hosts), Counter())
    assert len(again) == 150
    twice = sum(count - 1 for site in hosts for count in targets(site).values())
    assert twice <= len(hosts) + 8 * len(hosts) + 32, "what was in a journal is not asked for again"
    assert not list(tmp_path.rglob("*.partial"))
    assert not owners()


def wait_for(done: Callable[[], object], seconds: float = 60) -> None:
    end = time.monotonic() + seconds
    while not done():
        assert time.monotonic() < end
        time.sleep(0.02)


def command(folder: Path, urls: list[str], workers: int, *options: str) -> list[str]:
    listed = folder / "list.txt"
    listed.write_text("".join(f"{url} 3\n" for url in urls))
    code = (
        "from webemo_curate.download import deal; deal.URLS_A_PROCESS = 1; "
        "from webemo_curate.cli import main; main()"
    )
    fixed = ["fetch", "--lists", str(listed), "--workspace", str(folder / "ws"), "--rate", "60"]
    return [sys.executable, "-c", code, *fixed, "--workers", str(workers), *options]


@pytest.mark.slow
def test_a_run_goes_on_with_another_number_of_processes(tmp_path: Path, hosts: list[Site]) -> None:
    urls = lay_out(hosts, 150)
    for workers, enough in ((3, 160), (2, 350)):
        process = subprocess.Popen(
            command(tmp_path, urls, workers), stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL
        )
        wait_for(lambda enough=enough: sum(len(site.asked()) for site in hosts) >= enough)
        process.kill()
        process.wait()
    store = Workspace(tmp_path / "ws").store
    journaled = list(Journal(store, "data/checkpoints/fetch").read())
    assert len(journaled) > 100
    before = {f"{base(site)}{path}": n for site in hosts for path, n in targets(site).items()}
    subprocess.run(command(tmp_path, urls, 1), check=True, capture_output=True)
    rows = Workspace(tmp_path / "ws").read("fetch").to_pylist()
    assert Counter(row["status"] for row in rows) == {FetchStatus.OK: len(urls)}
    after = {f"{base(site)}{path}": n for site in hosts for path, n in targets(site).items()}
    for entry in journaled:
        assert after[entry.outcome.url] == before[entry.outcome.url], "it is in a journal"


added: list[Path] = []
"""Pictures that this process has stored."""


@dataclass(frozen=True)
class LosingImages(ImageFiles):
    """Pictures of one process are lost, and it dies, just as it wants to have them safe."""

    def add(self, content: bytes, path: str) -> None:
        super().add(content, path)
        added.append(self.root / path)

    def settle(self) -> None:
        if added and self._is_first():
            for file in added:
                file.unlink()
            os.kill(os.getpid(), signal.SIGKILL)
        super().settle()

    def _is_first(self) -> bool:
        """Leave a note of what is lost, unless another process has."""
        try:
            with (self.root / "lost").open("x") as note:
                note.write(str(len(added)))
        except FileExistsError:
            return False
        return True


class LosingStore(FolderStore):
    def images(self) -> LosingImages:
        return LosingImages(self.root)


def test_pictures_lost_while_the_fetch_ends_are_fetched_anew(
    tmp_path: Path, hosts: list[Site], caplog: pytest.LogCaptureFixture
) -> None:
    """As where a machine goes whose pictures were in no shard yet."""
    urls = lay_out(hosts, 20)
    rows = fetch(LosingStore(tmp_path), urls, 2)
    lost = int((tmp_path / "lost").read_text())
    assert lost >= 20
    assert f"{lost} URLs are fetched anew" in caplog.text
    assert Counter(row["status"] for row in rows.values()) == {FetchStatus.OK: len(urls)}
    assert all(stored(tmp_path, row) for row in rows.values())
    asked = sum((targets(site) for site in hosts), Counter())
    assert asked.total() - asked["/robots.txt"] == len(urls) + lost


def test_ctrl_c_ends_every_process_at_once(tmp_path: Path, hosts: list[Site]) -> None:
    urls = lay_out(hosts, 300)
    process = subprocess.Popen(
        command(tmp_path, urls, 3), stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True
    )
    wait_for(lambda: sum(len(site.asked()) for site in hosts) >= 100)
    family = psutil.Process(process.pid).children(recursive=True)
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=20)  # two seconds where nothing else runs
    assert "goes on" in said or "go on" in said or "kept" in said
    psutil.wait_procs(family, timeout=3)
    assert not [p for p in family if p.is_running() and p.status() != psutil.STATUS_ZOMBIE]


@pytest.mark.slow
def test_full_disk_ends_every_process_and_loses_nothing(tmp_path: Path, hosts: list[Site]) -> None:
    small = tmp_path / "small"
    small.mkdir()
    mounting = ["mount", "-t", "tmpfs", "-o", "size=400k", "tmpfs", str(small)]
    if subprocess.run(mounting, check=False).returncode:
        pytest.skip("only root may mount the small disk that this needs")
    try:
        urls = lay_out(hosts, 150)
        with pytest.raises(Exception, match="free some space"):
            fetch(small, urls, 2)
        assert not owners()
        subprocess.run(["mount", "-o", "remount,size=200m", str(small)], check=True)
        rows = fetch(small, urls, 3)
        assert Counter(row["status"] for row in rows.values()) == {FetchStatus.OK: len(urls)}
    finally:
        gc.collect()  # what the failed run had mapped
        subprocess.run(["umount", str(small)], check=True)


@pytest.mark.slow
@pytest.mark.parametrize("killed", [False, True])
def test_a_bucket_gets_the_pictures_of_every_process(
    store: BucketStore, tmp_path: Path, hosts: list[Site], killed: bool
) -> None:
    urls = lay_out(hosts, 120)
    killing = threading.Thread(target=kill_one, args=(hosts, 1))
    if killed:
        killing.start()
    rows = fetch(store, urls, 2, rate=100, ignore_robots=True)
    assert Counter(row["status"] for row in rows.values()) == {FetchStatus.OK: len(urls)}
    there = Workspace(BucketStore(store.url, tmp_path / "elsewhere"))
    for row in rows.values():
        assert there.holds_image(str(row["sha256"]), str(row["suffix"]))
    assert not [file for file in (store.root / STAGED).rglob("*") if file.is_file()]
    if killed:
        killing.join()


@pytest.mark.slow
def test_a_lost_picture_behind_a_redirect_goes_back_to_the_urls_own_host(
    tmp_path: Path, hosts: list[Site]
) -> None:
    """As where pictures were on a machine that is gone with the process that had fetched them."""
    home, there = hosts[:2]
    home.answers = {f"/{n}.jpg": answer(picture(n)) for n in range(300)}
    there.answers = {f"/{n}.jpg": answer(picture(1000 + n)) for n in range(40)}
    urls = [f"{base(home)}{path}" for path in home.answers]
    moving = {f"/to-{n}.jpg": moved(f"{base(there)}/{n}.jpg") for n in range(30)}
    home.answers |= moving
    urls += [f"{base(home)}{path}" for path in moving]
    urls += [f"{base(there)}/{n}.jpg" for n in range(30, 40)]
    lost: list[str] = []

    def redirected(process: psutil.Process) -> list[str]:
        """Return what a process has journaled that the other host led it to."""
        names = [file.path for file in process.open_files() if file.path.endswith(SUFFIX)]
        lines = Path(names[0]).read_text().splitlines() if names else []
        found = [line.partition(f'"url": "{base(home)}')[2] for line in lines]
        return [path.partition('"')[0] for path in found if path.startswith("/to-")]

    def lose() -> None:
        found: list[psutil.Process] = []
        wait_for(lambda: found.extend(p for p in owners() if len(redirected(p)) >= 5) or found)
        lost.extend(redirected(found[0]))
        time.sleep(0.3)  # their outcomes are told
        for file in (tmp_path / "data/images").rglob("*.jpg"):
            if file.read_bytes() in fetched:
                file.unlink()
        found[0].send_signal(signal.SIGKILL)

    fetched = {picture(1000 + n) for n in range(40)}
    losing = threading.Thread(target=lose)
    losing.start()
    rows = fetch(tmp_path, urls, 2, rate=40, ignore_robots=True)
    losing.join()
    assert {row["status"] for row in rows.values()} == {FetchStatus.OK}
    assert fetched < {stored(tmp_path, row) for row in rows.values()}
    assert {targets(home)[path] for path in lost} == {2}, "each begins at its own host again"
