"""What an object store does wrong reaches the user as one message with its remedy."""

import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.storage.server import BUCKET, Faulty
from webemo_curate.errors import CurateError, InputError
from webemo_curate.storage import bucket
from webemo_curate.storage.bucket import BucketStore
from webemo_curate.workspace import open_workspace

CURATE = Path(sys.executable).with_name("curate")


def status_of(place: str) -> tuple[int, str]:
    """Return the exit code and the messages of `curate status`."""
    command = [str(CURATE), "status", "--workspace", place]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    return result.returncode, result.stderr


@pytest.mark.usefixtures("s3")
def test_a_missing_bucket() -> None:
    code, message = status_of("s3://nobodys/prefix")
    assert code == 2
    assert message.strip() == (
        "curate: s3://nobodys/prefix: there is no such bucket; create it, or correct --workspace"
    )


def test_refused_credentials(s3: Faulty, url: str) -> None:
    s3.fail(403, 1000)
    code, message = status_of(url)
    assert code == 2
    assert message.startswith(f"curate: {url}: the store refuses the credentials")
    assert "AWS_SECRET_ACCESS_KEY" in message
    assert len(message.strip().splitlines()) == 1


def test_another_scheme_is_said() -> None:
    with pytest.raises(InputError, match=r"give a folder, or s3://bucket/prefix"):
        open_workspace("ftp://host/place")


def test_a_busy_server_is_asked_again(s3: Faulty, store: BucketStore) -> None:
    store.write("before", b"1")
    s3.fail(503, 3)
    store.write("after", b"2")
    s3.fail(503, 3)
    assert BucketStore(store.url, store.root / "other").local("after").read_bytes() == b"2"
    assert s3.left == 0


def test_a_server_that_stays_away_is_said_and_nothing_is_torn(
    s3: Faulty, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bucket, "ATTEMPTS", 2)
    store = BucketStore(url)
    store.write("key", b"old")
    s3.fail(503, 10**6)
    with pytest.raises(CurateError, match=r"fails after 2 attempts.*finished work is kept"):
        store.write("key", b"new" * 4_000_000)
    s3.fail(503, 0)
    assert BucketStore(url, store.root / "other").local("key").read_bytes() == b"old"
    assert store.local("key").read_bytes() == b"old"


@pytest.mark.usefixtures("s3")
def test_nobody_listening(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bucket, "ATTEMPTS", 1)
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    started = time.monotonic()
    with pytest.raises(CurateError, match="AWS_ENDPOINT_URL"):
        open_workspace(f"s3://{BUCKET}/x")
    assert time.monotonic() - started < 30
