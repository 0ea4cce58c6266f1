"""One writing command at a time, in a folder and on a store that has no locks."""

import json
import os
import subprocess
import sys
import threading
import time
from dataclasses import asdict, replace
from pathlib import Path

import pytest

from webemo_curate.errors import CurateError
from webemo_curate.storage import lease
from webemo_curate.storage.bucket import LOCK_KEY, BucketStore
from webemo_curate.storage.conditional import ConditionalObject
from webemo_curate.storage.folder import FolderStore
from webemo_curate.storage.lease import Holder, Lease

HERE = Holder.here("here")
THERE = replace(HERE, host="there", boot="another boot")


@pytest.fixture(autouse=True)
def _hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lease, "RENEW_SECONDS", 0.3)
    monkeypatch.setattr(lease, "POLL_SECONDS", 0.1)
    monkeypatch.setattr(lease, "SILENT_SECONDS", 3.0)


@pytest.fixture
def place(store: BucketStore) -> ConditionalObject:
    return ConditionalObject(store._base, LOCK_KEY, store.where(LOCK_KEY))


def leave(store: BucketStore, holder: Holder) -> None:
    """Leave the lease of a holder that renews it no more."""
    store.write(LOCK_KEY, json.dumps(asdict(holder) | {"token": "x"}).encode())


def ended() -> int:
    """Return the number of a process that is no more."""
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    return process.pid


def test_a_folder_is_held_by_one(tmp_path: Path) -> None:
    place, other = FolderStore(tmp_path), FolderStore(tmp_path)
    with place.lock(), pytest.raises(CurateError, match="another curate command"), other.lock():
        pass
    with other.lock():
        pass


def test_a_living_holder_keeps_its_lease(store: BucketStore, place: ConditionalObject) -> None:
    theirs, ours = Lease(place, THERE), Lease(place, HERE)
    with theirs.held(), pytest.raises(CurateError, match="on there"), ours.held():
        pass
    assert not store.exists(LOCK_KEY)
    with ours.held():
        assert store.exists(LOCK_KEY)


def test_of_many_that_start_at_once_one_gets_it(place: ConditionalObject) -> None:
    start, holding, most = threading.Barrier(6), [], []

    def compete() -> None:
        rival = Lease(place, THERE)
        start.wait()
        try:
            with rival.held():
                holding.append(rival)
                most.append(len(holding))
                time.sleep(0.5)
                holding.remove(rival)
        except CurateError:
            pass

    rivals = [threading.Thread(target=compete) for _ in range(6)]
    for rival in rivals:
        rival.start()
    for rival in rivals:
        rival.join()
    assert most
    assert max(most) == 1


def test_a_silent_holder_loses_it(store: BucketStore, place: ConditionalObject) -> None:
    leave(store, THERE)
    started = time.monotonic()
    with Lease(place, HERE).held():
        assert time.monotonic() - started >= lease.SILENT_SECONDS


def test_a_dead_process_that_could_be_seen_loses_it_at_once(
    store: BucketStore, place: ConditionalObject, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lease, "SILENT_SECONDS", 60.0)  # a busy machine takes some seconds
    leave(store, replace(HERE, pid=ended()))
    started = time.monotonic()
    with Lease(place, HERE).held():
        assert time.monotonic() - started < lease.SILENT_SECONDS


@pytest.mark.parametrize("change", [{"boot": "another"}, {"namespace": "pid:[1]"}, {"boot": ""}])
def test_a_number_of_another_boot_or_container_says_nothing(change: dict[str, str]) -> None:
    document = asdict(HERE) | {"pid": ended()}
    assert HERE.died(document)
    assert not HERE.died(document | change)


@pytest.mark.parametrize("pid", ["1", 1.5, None, True, -1, 0, 10**30])
def test_odd_numbers_are_no_dead_process(pid: object) -> None:
    assert not HERE.died(asdict(HERE) | {"pid": pid})


def test_a_holder_that_was_taken_for_dead_stops(
    store: BucketStore, place: ConditionalObject
) -> None:
    def work_while_another_takes_it() -> None:
        with Lease(place, HERE).held():
            leave(store, THERE)
            threading.Event().wait(10)

    with pytest.raises(KeyboardInterrupt):
        work_while_another_takes_it()
    assert store.exists(LOCK_KEY)


def test_a_holder_that_could_not_renew_writes_no_more(
    store: BucketStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    with store.lock():
        store.write("manifests/x", b"1")
        monkeypatch.setattr(lease, "FENCED_SECONDS", -1.0)
        with pytest.raises(CurateError, match="could not keep the workspace"):
            store.write("manifests/x", b"2")
    assert store.open("manifests/x").read() == b"1"


@pytest.mark.parametrize("content", [b"", b"[]", b"[" * 10_000, b"\xff", b'{"pid": "x"}'])
def test_a_lease_that_nobody_can_read_is_waited_for(
    store: BucketStore, place: ConditionalObject, content: bytes
) -> None:
    store.write(LOCK_KEY, content)
    with Lease(place, HERE).held():
        assert str(os.getpid()).encode() in store.open(LOCK_KEY).read()
