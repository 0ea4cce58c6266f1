"""Hostile servers and hostile lists: each ends in its typed outcome, in bounded time and memory."""

import gc
import json
import os
import signal
import socketserver
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from urllib.parse import urlsplit

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.stages.hostile_server import MEGABYTE, Handler, Hostile, jpeg
from webemo_curate.config import DecodingConfig, FetchConfig
from webemo_curate.download.answers import retry_after
from webemo_curate.download.journal import Journal
from webemo_curate.download.rota import MAX_UNEXAMINED
from webemo_curate.errors import CurateError
from webemo_curate.runner.local_runner import LocalRunner
from webemo_curate.stages.fetch import FetchStage
from webemo_curate.stages.stage import StageContext
from webemo_curate.verdicts import FetchStatus
from webemo_curate.workspace import Workspace

LISTED = "https://a.example"


@pytest.fixture(scope="module")
def server() -> Iterator[Hostile]:
    with Hostile() as running:
        threading.Thread(target=running.serve_forever, daemon=True).start()
        yield running
        running.shutdown()


def run(workspace: Workspace, server: Hostile, paths: list[str], **options: object) -> pa.Table:
    config = FetchConfig.model_validate(
        {
            "mirror": f"http://127.0.0.1:{server.server_port}",
            "rate": 5000,
            "timeout": 2,
            "retries": 2,
            "passes": 1,
            "max_bytes": 4 * MEGABYTE,
        }
        | options
    )
    urls = [path if ":" in path else f"{LISTED}/{path}" for path in paths]
    context = StageContext(workspace, LocalRunner(1), "test")
    return FetchStage(config, DecodingConfig()).run({"listing": pa.table({"url": urls})}, context)[
        "fetch"
    ]


ENDS = {
    "good": FetchStatus.OK,
    "absent": FetchStatus.OK,
    "gone": FetchStatus.GONE,
    "forbidden": FetchStatus.FORBIDDEN,
    "error": FetchStatus.SERVER_ERROR,
    "busy": FetchStatus.OK,
    "reset": FetchStatus.OK,
    "short": FetchStatus.TRUNCATED,
    "page": FetchStatus.NOT_IMAGE,
    "torn": FetchStatus.CORRUPT,
    "garbage": FetchStatus.CONNECTION,
    "scheme": FetchStatus.BAD_URL,
}


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("endless/1", FetchStatus.TOO_LARGE),
        ("gzip/1", FetchStatus.TOO_LARGE),
        ("headers/1", FetchStatus.CONNECTION),
        ("trickle/1", FetchStatus.TIMEOUT),
        ("wide/1", FetchStatus.TOO_LARGE),
        ("../../etc/passwd", FetchStatus.NOT_FOUND),
        ("good/../../../../1.jpg%00.sh", FetchStatus.NOT_FOUND),
        ("data:image/png;base64,AAAA", FetchStatus.BAD_URL),
        ("file:///etc/passwd", FetchStatus.BAD_URL),
    ],
)
def test_hostile_answer_ends_in_its_outcome(
    tmp_path: Path, server: Hostile, path: str, status: FetchStatus
) -> None:
    started = time.monotonic()
    (row,) = run(Workspace(tmp_path), server, [path], retries=0).to_pylist()
    assert row["status"] == status
    assert time.monotonic() - started < 15
    assert not list((tmp_path / "data").rglob("*.partial"))
    assert not list((tmp_path / "data").rglob("*.jpg"))


def test_nobody_is_there(tmp_path: Path, server: Hostile) -> None:
    with socketserver.TCPServer(("127.0.0.1", 0), Handler) as closed:
        mirror = f"http://127.0.0.1:{closed.server_address[1]}"
    (row,) = run(Workspace(tmp_path), server, ["good/1"], mirror=mirror, retries=0).to_pylist()
    assert row["status"] == FetchStatus.CONNECTION


@settings(
    max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(plan=st.lists(st.sampled_from(sorted(ENDS)), min_size=1, max_size=25))
def test_every_url_ends_once_with_the_bytes_served(
    tmp_path_factory: pytest.TempPathFactory, server: Hostile, plan: list[str]
) -> None:
    server.seen.clear()
    workspace = Workspace(tmp_path_factory.mktemp("ws"))
    paths = {f"{kind}/{index}": ENDS[kind] for index, kind in enumerate(plan)}
    rows = run(workspace, server, list(paths), placeholder_urls=10**6).to_pylist()
    assert {row["url"].removeprefix(f"{LISTED}/"): row["status"] for row in rows} == paths
    assert len(rows) == len(paths)
    for row in rows:
        if row["status"] == FetchStatus.OK:
            stored = workspace.root / workspace.image_path(row["sha256"], row["suffix"])
            assert stored.read_bytes() == jpeg(int(row["url"].rsplit("/", 1)[1]))


def test_retry_after_is_read_as_seconds_or_as_a_date() -> None:
    assert retry_after("7") == 7
    soon = format_datetime(datetime.now(UTC) + timedelta(seconds=30), usegmt=True)
    assert 28 <= retry_after(soon) <= 30
    for past in (
        "Sun, 06 Nov 1994 08:49:37 GMT",
        "Sunday, 06-Nov-94 08:49:37 GMT",
        "Sun Nov  6 08:49:37 1994",
    ):
        assert retry_after(past) == 0
    asctime = (datetime.now(UTC) + timedelta(seconds=30)).strftime("%a %b %d %H:%M:%S %Y")
    assert 28 <= retry_after(asctime) <= 30
    assert retry_after("soon") is None
    assert retry_after(None) is None


def test_image_torn_by_a_power_cut_is_fetched_again(tmp_path: Path, server: Hostile) -> None:
    workspace = Workspace(tmp_path)
    server.seen.clear()
    (row,) = run(workspace, server, ["good/5"]).to_pylist()
    journal = min((tmp_path / "data/checkpoints/fetch").iterdir())
    settings, outcome, *_ = journal.read_bytes().splitlines()
    journal.write_bytes(settings + b"\n" + outcome + b"\n")  # settled no more
    stored = tmp_path / workspace.image_path(row["sha256"], row["suffix"])
    stored.write_bytes(bytes(len(stored.read_bytes())))
    run(workspace, server, ["good/5"])
    assert stored.read_bytes() == jpeg(5)
    assert server.seen["/good/5"] == 2


def test_full_disk_is_said_and_loses_nothing(tmp_path: Path, server: Hostile) -> None:
    small = tmp_path / "small"
    small.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(small)], check=False
    )
    if mounted.returncode:
        pytest.skip("only root may mount the small disk that this needs")
    try:
        server.seen.clear()
        paths = [f"good/{number}" for number in range(2000)]
        with pytest.raises(CurateError, match="free some space"):
            run(Workspace(small), server, paths)
        journaled = Journal(Workspace(small).store, "data/checkpoints/fetch").read()
        stored = {urlsplit(entry.outcome.url).path for entry in journaled}
        subprocess.run(["mount", "-o", "remount,size=200m", str(small)], check=True)
        rows = run(Workspace(small), server, paths, placeholder_urls=10**6).to_pylist()
        assert Counter(row["status"] for row in rows) == {FetchStatus.OK: len(paths)}
        assert len(stored) > 100
        assert {server.seen[path] for path in stored} == {1}, "it must not be fetched again"
    finally:
        gc.collect()  # what the failed run had mapped
        subprocess.run(["umount", str(small)], check=True)


@pytest.mark.slow
def test_killed_twenty_times_nothing_is_lost_or_stored_twice(
    tmp_path: Path, server: Hostile
) -> None:
    server.seen.clear()
    paths = [f"good/{number}" for number in range(3000)]
    (tmp_path / "list.txt").write_text("".join(f"{LISTED}/{path} 3\n" for path in paths))
    command = [
        *(Path(sys.executable).with_name("curate"), "fetch", "--lists", tmp_path / "list.txt"),
        *("--mirror", f"http://127.0.0.1:{server.server_port}", "--rate", "400"),
        *("--workspace", tmp_path / "ws", "--json"),
    ]
    draw = np.random.default_rng(0)
    kills = 0
    while kills < 20:
        process = subprocess.Popen(list(map(str, command)), stderr=subprocess.DEVNULL, stdout=-3)
        time.sleep(1.5 + float(draw.uniform(0, 0.4)))
        if process.poll() is not None:
            break
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
        kills += 1
    shown = subprocess.run(list(map(str, command)), capture_output=True, text=True, check=True)
    assert json.loads(shown.stdout.splitlines()[-1])["stages"]
    rows = Workspace(tmp_path / "ws").read("fetch").to_pylist()
    assert len(rows) == len(paths)
    files = [file.stem for file in (tmp_path / "ws/data/images").rglob("*.jpg")]
    assert len(files) == len(set(files)) == len({row["sha256"] for row in rows})
    # At a kill the requests under way may have been answered, and bodies wait to be examined.
    unnoted = FetchConfig().concurrency + MAX_UNEXAMINED
    assert sum(server.seen[f"/{path}"] - 1 for path in paths) <= unnoted * kills
    assert kills >= 3
