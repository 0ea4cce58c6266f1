"""WEBEmo's own list, answered by real photos: every stage to the trained network and the report."""

import hashlib
import io
import random
import threading
from collections import Counter
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from PIL import Image

from tests.e2e.conftest import curate
from tests.sources.reading import read_list
from webemo_curate.taxonomies.webemo_labels import LABELS
from webemo_curate.workspace import Workspace

DEAD_PERCENT = 17
LIMIT = 500
MIN_SIDE = 100
DISTINCT = 51_212
"""URLs of the list."""


def number(path: str) -> int:
    return int.from_bytes(hashlib.sha256(path.encode()).digest()[:4], "big")


class Photos(ThreadingHTTPServer):
    """Answers any path with a photo of its own: a part of one of a folder's, turned its own way."""

    daemon_threads = True

    def __init__(self, folder: Path) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.files = sorted(filter(large, folder.iterdir()))

    def picture(self, path: str) -> bytes:
        draw = random.Random(number(path))
        with Image.open(draw.choice(self.files)) as image:
            image = image.convert("RGB")
        width, height = image.width * 2 // 3, image.height * 2 // 3
        left = draw.randint(0, image.width - width)
        top = draw.randint(0, image.height - height)
        part = image.crop((left, top, left + width, top + height))
        stream = io.BytesIO()
        part.rotate(90 * draw.randrange(4), expand=True).save(stream, "JPEG", quality=85)
        return stream.getvalue()


def large(file: Path) -> bool:
    with Image.open(file) as image:
        return min(image.size) >= MIN_SIDE


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Photos

    def do_GET(self) -> None:
        dead = number(self.path) % 100 < DEAD_PERCENT
        body = b"" if dead else self.server.picture(self.path)
        self.send_response(404 if dead else 200)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Content-Type", "image/jpeg")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def mirror(shared_data: Path) -> Iterator[str]:
    with Photos(shared_data / "dev" / "web") as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def test_whole_list_parses_to_the_line(shared_data: Path) -> None:
    file = shared_data / "webemo" / "test25.txt"
    table = read_list(file)
    lines = file.read_text().splitlines()
    assert table.num_rows == len(lines) == 53_489
    assert len(table["url"].unique()) == DISTINCT
    counted = Counter(LABELS[int(line.split()[1])].name for line in lines)
    assert Counter(table["label"].to_pylist()) == counted
    assert len(counted) == 25


@pytest.mark.slow
@pytest.mark.timeout(1500)
def test_from_the_list_to_the_report(shared_data: Path, mirror: str, tmp_path: Path) -> None:
    workspace = tmp_path / "ws"
    curate(
        "fetch",
        "--lists",
        shared_data / "webemo",
        "--mirror",
        mirror,
        "--limit",
        LIMIT,
        "--rate",
        2000,
        "--concurrency",
        16,
        "--workspace",
        workspace,
    )
    place = Workspace(workspace)
    fetch = place.read("fetch").to_pandas()
    assert len(fetch) == LIMIT
    dead = fetch["url"].map(lambda url: number(url[url.index("/jpg") :]) % 100 < DEAD_PERCENT)
    assert (fetch["status"].astype(str) == dead.map({True: "not_found", False: "ok"})).all()
    curate(
        "train-model",
        "--workspace",
        workspace,
        "--from-scratch",
        "--image-size",
        64,
        "--epochs",
        1,
        "--batch-size",
        32,
    )
    assert "accuracy" in curate("evaluate", "--workspace", workspace)
    curate("report", "--workspace", workspace)
    assert f"{DISTINCT - LIMIT:,}" in place.report.read_text()
    assert "Everything adds up." in curate("verify", "--workspace", workspace)
