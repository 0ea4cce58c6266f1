"""One writing command at a time, in a folder and on a store that has no locks."""

import json
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from webemo_curate.errors import CurateError
from webemo_curate.storage import lease
from webemo_curate.storage.bucket import LOCK_KEY, BucketStore
from webemo_curate.storage.folder import FolderStore
from webemo_curate.storage.lease import Lease


@pytest.fixture(autouse=True)
def _hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lease, "RENEW_SECONDS", 0.3)
    monkeypatch.setattr(lease, "POLL_SECONDS", 0.1)
    monkeypatch.setattr(lease, "SILENT_SECONDS", 3.0)


def test_a_folder_is_held_by_one(tmp_path: Path) -> None:
    place, other = FolderStore(tmp_path), FolderStore(tmp_path)
    with place.lock(), pytest.raises(CurateError, match="another curate command"), other.lock():
        pass
    with other.lock():
        pass


def test_a_living_holder_keeps_its_lease(store: BucketStore) -> None:
    theirs, ours = Lease(store, LOCK_KEY, "there", 1), Lease(store, LOCK_KEY, "here", 1)
    with theirs.held(), pytest.raises(CurateError, match="process 1 on there"), ours.held():
        pass
    assert not store.exists(LOCK_KEY)
    with ours.held():
        assert store.exists(LOCK_KEY)


def test_a_silent_holder_loses_it(store: BucketStore) -> None:
    store.write(LOCK_KEY, json.dumps({"host": "there", "pid": 1, "token": "x"}).encode())
    started = time.monotonic()
    with Lease(store, LOCK_KEY, "here", 1).held():
        assert time.monotonic() - started >= lease.SILENT_SECONDS


def test_a_dead_process_of_this_machine_loses_it_at_once(store: BucketStore) -> None:
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    document = {"host": "here", "pid": process.pid, "token": "x"}
    store.write(LOCK_KEY, json.dumps(document).encode())
    started = time.monotonic()
    with Lease(store, LOCK_KEY, "here", 1).held():
        assert time.monotonic() - started < lease.SILENT_SECONDS


def test_a_holder_that_was_taken_for_dead_stops(store: BucketStore) -> None:
    def work_while_another_takes_it() -> None:
        with Lease(store, LOCK_KEY, "here", 1).held():
            store.write(LOCK_KEY, json.dumps({"host": "there", "token": "x"}).encode())
            threading.Event().wait(10)

    with pytest.raises(KeyboardInterrupt):
        work_while_another_takes_it()
    assert store.exists(LOCK_KEY)
