"""Every URL ends in its typed outcome, by real requests to a loopback server."""

import io
import threading
from collections import Counter
from collections.abc import Iterator, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pyarrow as pa
import pytest
from PIL import Image

from webemo_curate.config import DecodingConfig, FetchConfig
from webemo_curate.errors import InputError
from webemo_curate.manifest import Origin
from webemo_curate.runner.local_runner import LocalRunner
from webemo_curate.stages.fetch import FetchStage
from webemo_curate.stages.stage import StageContext
from webemo_curate.verdicts import FetchStatus
from webemo_curate.workspace import Workspace


def picture(seed: int, size: int = 40) -> bytes:
    stream = io.BytesIO()
    Image.new("RGB", (size, size), (seed % 256, seed * 7 % 256, 90)).save(stream, "PNG")
    return stream.getvalue()


def noise() -> bytes:
    stream = io.BytesIO()
    Image.effect_noise((64, 64), 80).convert("RGB").save(stream, "JPEG")
    return stream.getvalue()


NO_HEADERS: Mapping[str, str] = {}
ANSWERS: dict[str, tuple[int, bytes, dict[str, str]]] = {
    "robots.txt": (200, b"User-agent: *\nDisallow: /private/\n", {}),
    "page": (200, b"<html>not an image</html>", {}),
    "broken": (200, noise()[:-500], {}),
    "short": (200, picture(1), {"Content-Length": "5000"}),
    "long": (200, noise() * 50, {}),
    "wide": (200, picture(3, 500), {}),
    "noai": (200, picture(2), {"X-Robots-Tag": "noai"}),
    "loop": (302, b"", {"Location": "/loop/1.png"}),
    "file": (302, b"", {"Location": "file:///etc/passwd"}),
}


class Faulty(ThreadingHTTPServer):
    """Serves by path: what the path says goes wrong goes wrong."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.seen: Counter[str] = Counter()


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Faulty

    def do_GET(self) -> None:
        self.server.seen[self.path] += 1
        kind = self.path.strip("/").split("/")[0]
        if kind == "slow":
            threading.Event().wait(5)
        if kind.startswith("once") and self.server.seen[self.path] == 1:
            self.answer(int(kind.removeprefix("once")), b"", {"Retry-After": "0"})
        elif kind.isdigit():
            self.answer(int(kind), b"")
        elif kind in ANSWERS:
            self.answer(*ANSWERS[kind])
            self.close_connection = kind == "short"
        else:
            self.answer(200, picture(sum(self.path.encode())))

    def answer(self, status: int, body: bytes, headers: Mapping[str, str] = NO_HEADERS) -> None:
        self.send_response(status)
        for name, value in ({"Content-Length": str(len(body))} | dict(headers)).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def server() -> Iterator[Faulty]:
    with Faulty() as running:
        threading.Thread(target=running.serve_forever, daemon=True).start()
        yield running
        running.shutdown()


def fetch(
    workspace: Workspace, server: Faulty, paths: list[str], **options: object
) -> dict[str, dict[str, object]]:
    """Fetch paths (or whole URLs) and store the manifest, as the pipeline does."""
    settings = {
        "rate": 1000,
        "timeout": 3,
        "retries": 1,
        "passes": 1,
        "max_bytes": 20_000,
    }
    config = FetchConfig.model_validate(
        settings | {"mirror": f"http://127.0.0.1:{server.server_port}"} | options
    )
    urls = [path if ":" in path else f"https://a.example/{path}" for path in paths]
    context = StageContext(workspace, LocalRunner(1), "test")
    stage = FetchStage(config, DecodingConfig(max_pixels=10_000))
    (table,) = stage.run({"listing": pa.table({"url": urls})}, context).values()
    workspace.write("fetch", table, Origin("fetch", stage.version, stage.configuration(), {}))
    rows = workspace.read("fetch").to_pylist()
    return {str(row["url"]).removeprefix("https://a.example/"): row for row in rows}


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("good/1.png", FetchStatus.OK),
        ("404/1.jpg", FetchStatus.NOT_FOUND),
        ("410/1.jpg", FetchStatus.GONE),
        ("403/1.jpg", FetchStatus.FORBIDDEN),
        ("429/1.jpg", FetchStatus.THROTTLED),
        ("500/1.jpg", FetchStatus.SERVER_ERROR),
        ("once429/1.png", FetchStatus.OK),
        ("once500/1.png", FetchStatus.OK),
        ("page/1.jpg", FetchStatus.NOT_IMAGE),
        ("broken/1.jpg", FetchStatus.CORRUPT),
        ("short/1.png", FetchStatus.TRUNCATED),
        ("long/1.jpg", FetchStatus.TOO_LARGE),
        ("wide/1.png", FetchStatus.TOO_LARGE),
        ("noai/1.png", FetchStatus.ROBOTS),
        ("private/1.png", FetchStatus.ROBOTS),
        ("loop/1.png", FetchStatus.BAD_URL),
        ("file/1.png", FetchStatus.BAD_URL),
        ("slow/1.png", FetchStatus.TIMEOUT),
        ("ftp://a.example/1.jpg", FetchStatus.BAD_URL),
        ("https://me:secret@a.example/1.jpg", FetchStatus.BAD_URL),
        ("javascript:alert(1)", FetchStatus.BAD_URL),
    ],
)
def test_outcome(tmp_path: Path, server: Faulty, path: str, status: FetchStatus) -> None:
    row = fetch(Workspace(tmp_path), server, [path])[path]
    assert row["status"] == status
    assert (row["sha256"] is not None) == (status is FetchStatus.OK)


def test_final_statuses_are_asked_once_and_passing_ones_again(
    tmp_path: Path, server: Faulty
) -> None:
    fetch(Workspace(tmp_path), server, ["404/1.jpg", "500/1.jpg"], retries=2)
    assert server.seen["/404/1.jpg"] == 1
    assert server.seen["/500/1.jpg"] == 3


def test_bytes_are_stored_as_served_and_never_asked_for_again(
    tmp_path: Path, server: Faulty
) -> None:
    workspace = Workspace(tmp_path)
    paths = [f"good/{index}.png" for index in range(20)]
    rows = fetch(workspace, server, paths + paths)
    for path, row in rows.items():
        stored = tmp_path / workspace.image_path(str(row["sha256"]), str(row["suffix"]))
        assert stored.read_bytes() == picture(sum(f"/{path}".encode()))
    fetch(workspace, server, [*paths, "good/more.png"])
    assert {server.seen[f"/{path}"] for path in paths} == {1}
    next((tmp_path / "data" / "images").rglob("*.png")).unlink()
    fetch(workspace, server, paths)
    assert sum(server.seen[f"/{path}"] for path in paths) > len(paths)


def test_retry_status_asks_for_the_named_failures_alone(tmp_path: Path, server: Faulty) -> None:
    workspace = Workspace(tmp_path)
    paths = ["404/1.jpg", "410/1.jpg", "good/1.png"]
    fetch(workspace, server, paths)
    fetch(workspace, server, paths, retry_status=["404"])
    assert [server.seen[f"/{path}"] for path in paths] == [2, 1, 1]
    with pytest.raises(InputError, match="nonsense"):
        fetch(workspace, server, paths, retry_status=["nonsense"])


def test_torn_journal_line_is_ignored(tmp_path: Path, server: Faulty) -> None:
    workspace = Workspace(tmp_path)
    rows = fetch(workspace, server, ["good/1.png", "good/2.png"])
    workspace.manifest_path("fetch").unlink()
    journal = min((tmp_path / "data/checkpoints/fetch").iterdir())
    lines = journal.read_bytes().splitlines()
    settings, first, second, *_ = lines
    journal.write_bytes(b"\n".join([settings, first, second[:40]]))
    again = fetch(workspace, server, list(rows))
    assert {r["sha256"] for r in again.values()} == {r["sha256"] for r in rows.values()}
    assert sorted(server.seen[f"/{path}"] for path in rows) == [1, 2]


def test_limit_takes_the_same_urls_first(tmp_path: Path, server: Faulty) -> None:
    paths = [f"good/{index}.png" for index in range(30)]
    few = fetch(Workspace(tmp_path / "few"), server, paths, limit=5)
    more = fetch(Workspace(tmp_path / "more"), server, paths[::-1], limit=10)
    assert len(few) == 5
    assert set(few) < set(more)


def test_shared_body_is_a_placeholder(tmp_path: Path, server: Faulty) -> None:
    # The letters of each path add up to the same picture.
    rows = fetch(
        Workspace(tmp_path),
        server,
        ["good/ab.png", "good/ba.png", "good/x.png"],
        placeholder_urls=2,
    )
    statuses = Counter(row["status"] for row in rows.values())
    assert statuses == {FetchStatus.PLACEHOLDER: 2, FetchStatus.OK: 1}


def test_mirror_must_be_http(tmp_path: Path, server: Faulty) -> None:
    with pytest.raises(InputError, match="--mirror"):
        fetch(Workspace(tmp_path), server, ["good/1.png"], mirror="file:///tmp")
