"""`curate get-weights` against a copy of the publishers' sites on loopback."""

import hashlib
import io
import json
import os
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest

from tests.cli.command import curate
from webemo_curate.installation import weight_sources
from webemo_curate.models.weight_places import kept_weights
from webemo_curate.ocr.easyocr.weight_files import WeightFile

CONTENT = bytes(range(256)) * 4000
BACKBONE = "tf_efficientnetv2_b2.in1k"
AT_HUB = f"/timm/{BACKBONE}/resolve/main/model.safetensors"


def zipped(name: str, content: bytes) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        archive.writestr(name, content)
    return stream.getvalue()


@dataclass
class Mirror:
    """A site: its files, the headers beside them, after how many bytes an answer breaks off."""

    url: str = ""
    files: dict[str, bytes] = field(default_factory=dict)
    headers: dict[str, str] = field(default_factory=dict)
    break_off: int = 10**9
    ranges: list[str | None] = field(default_factory=list)


class Handler(BaseHTTPRequestHandler):
    """Serves a mirror's files, whole or from the middle."""

    site: Mirror

    def do_HEAD(self) -> None:
        self._answer(body=False)

    def do_GET(self) -> None:
        self._answer(body=True)

    def _answer(self, *, body: bool) -> None:
        content, asked = self.site.files.get(self.path), self.headers.get("Range")
        if content is None:
            self.send_error(404)
            return
        start = int(asked.removeprefix("bytes=").removesuffix("-")) if asked else 0
        self.send_response(206 if asked else 200)
        self.send_header("Content-Length", str(len(content) - start))
        for name, value in self.site.headers.items():
            self.send_header(name, value)
        self.end_headers()
        if body:
            self.site.ranges.append(asked)
            self.wfile.write(content[start : start + self.site.break_off])

    def log_message(self, *_: object) -> None:
        """Stay silent."""


@pytest.fixture
def mirror() -> Iterator[Mirror]:
    """Serve a site."""
    site = Mirror()
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Own", (Handler,), {"site": site}))
    site.url = f"http://127.0.0.1:{server.server_port}/copy"
    Thread(target=server.serve_forever, daemon=True).start()
    yield site
    server.shutdown()
    server.server_close()


@pytest.fixture
def published(mirror: Mirror, monkeypatch: pytest.MonkeyPatch) -> WeightFile:
    """Publish one small file as EasyOCR's."""
    digest = hashlib.md5(CONTENT).hexdigest()
    weights = WeightFile("craft.pth", digest, "https://publisher.example/v1/craft.zip")
    monkeypatch.setattr(weight_sources, "PUBLISHED", (weights,))
    mirror.files["/copy/v1/craft.zip"] = zipped("craft.pth", CONTENT)
    return weights


def get(which: str, mirror: Mirror, folder: Path, *options: object):  # type: ignore[no-untyped-def]
    return curate("get-weights", which, "--mirror", mirror.url, "--workspace", folder, *options)


def test_easyocr_s_weights_are_brought_checked_and_named(
    mirror: Mirror, published: WeightFile, tmp_path: Path
) -> None:
    models = tmp_path / "models"
    said = get("easyocr", mirror, tmp_path, "--models", models)
    assert said.code == 0, said
    assert (models / "craft.pth").read_bytes() == CONTENT
    assert f"downloaded: {models / 'craft.pth'} (1.0 MB, md5 {published.md5})" in said.results
    assert f"Next: curate filter-text --gpu --ocr easyocr --models {models}" in said.results
    assert [file.name for file in models.iterdir()] == ["craft.pth"]
    again = get("easyocr", mirror, tmp_path, "--models", models, "--json")
    assert json.loads(again.results)["files"][0]["there"] is True
    assert len(mirror.ranges) == 1


@pytest.mark.usefixtures("published")
def test_a_download_that_broke_off_is_gone_on_with(mirror: Mirror, tmp_path: Path) -> None:
    mirror.break_off = 100_000
    said = get("easyocr", mirror, tmp_path, "--models", tmp_path)
    assert said.code == 1
    assert "broke off" in said.rest
    assert "the same command goes on from there" in said.rest
    assert not (tmp_path / "craft.pth").exists()
    mirror.break_off = 10**9
    assert get("easyocr", mirror, tmp_path, "--models", tmp_path).code == 0
    assert (tmp_path / "craft.pth").read_bytes() == CONTENT
    assert mirror.ranges == [None, "bytes=100000-"]


@pytest.mark.usefixtures("published")
@pytest.mark.parametrize("make", [os.mkfifo, lambda path: path.symlink_to(path.parent / "own")])
def test_what_lies_in_the_place_of_a_part_is_not_written_to(
    mirror: Mirror, tmp_path: Path, make: Callable[[Path], None]
) -> None:
    (tmp_path / "own").write_bytes(b"the user's own")
    make(tmp_path / "craft.pth.download")
    said = get("easyocr", mirror, tmp_path, "--models", tmp_path)
    assert said.code == 1
    assert "craft.pth.download: cannot be written" in said.rest
    assert (tmp_path / "own").read_bytes() == b"the user's own"


SECRET = "hunter2"


@pytest.mark.parametrize(
    ("command", "environment", "named"),
    [
        (("get-weights", "easyocr", "--mirror", f"http://me:{SECRET}@127.0.0.1:9"), {}, "--mirror"),
        (("get-weights", "timm", "--mirror", f"http://me:{SECRET}@127.0.0.1:9"), {}, "--mirror"),
        (
            ("get-weights", "timm"),
            {"HF_ENDPOINT": f"http://me:{SECRET}@127.0.0.1:9"},
            "HF_ENDPOINT",
        ),
        (("doctor", "--host", f"http://me:{SECRET}@127.0.0.1:9/"), {}, "--host"),
    ],
)
def test_an_address_with_a_password_is_refused(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    command: tuple[str, ...],
    environment: dict[str, str],
    named: str,
) -> None:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    said = curate(*command, "--json", "--workspace", tmp_path)
    assert said.code == 2, said
    assert f"curate: {named} http://***@127.0.0.1:9" in said.rest
    assert SECRET not in said.results + said.rest


@pytest.mark.parametrize(
    "archive",
    [
        zipped("craft.pth", CONTENT[:-1]),
        zipped("other.pth", CONTENT),
        zipped("../craft.pth", CONTENT),
        b"no archive",
    ],
)
@pytest.mark.usefixtures("published")
def test_what_is_not_the_published_file_takes_no_place(
    mirror: Mirror, tmp_path: Path, archive: bytes
) -> None:
    mirror.files["/copy/v1/craft.zip"] = archive
    (tmp_path / "models").mkdir()
    said = get("easyocr", mirror, tmp_path, "--models", tmp_path / "models")
    assert (said.code, said.results) == (1, "")
    assert "--mirror" in said.rest
    assert "Traceback" not in said.rest
    assert not list((tmp_path / "models").iterdir())


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Keep weights below a folder of the test's own."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.mark.usefixtures("cache")
def test_timm_s_weights_are_held_against_the_digest_that_the_hub_names(
    mirror: Mirror, tmp_path: Path
) -> None:
    mirror.files[f"/copy{AT_HUB}"] = CONTENT
    mirror.headers["X-Linked-ETag"] = f'"{hashlib.sha256(CONTENT).hexdigest()}"'
    said = get("timm", mirror, tmp_path)
    assert said.code == 0, said
    assert kept_weights(BACKBONE).read_bytes() == CONTENT
    assert f"Next: curate train-model --workspace {tmp_path}" in said.results

    kept_weights(BACKBONE).unlink()
    mirror.headers["X-Linked-ETag"] = f'"{hashlib.sha256(b"other").hexdigest()}"'
    said = get("timm", mirror, tmp_path)
    assert (said.code, "not what was published: sha256" in said.rest) == (1, True)
    assert not kept_weights(BACKBONE).exists()


@pytest.mark.usefixtures("cache")
def test_without_a_digest_or_a_file_nothing_is_taken(mirror: Mirror, tmp_path: Path) -> None:
    mirror.files[f"/copy{AT_HUB}"] = CONTENT
    assert "names no SHA-256" in get("timm", mirror, tmp_path).rest
    mirror.files.clear()
    assert "HTTP status 404" in get("timm", mirror, tmp_path).rest
    assert not kept_weights(BACKBONE).exists()
