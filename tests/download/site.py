"""A host on loopback that answers each path with the very bytes it is told."""

import io
import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from ssl import SSLContext
from typing import Any

import numpy as np
import pyarrow as pa
from PIL import Image

from webemo_curate.config import DecodingConfig, FetchConfig
from webemo_curate.runner.local_runner import LocalRunner
from webemo_curate.stages.fetch import FetchStage
from webemo_curate.stages.stage import StageContext
from webemo_curate.workspace import Workspace

NONE = b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"


def picture(seed: int = 0, kind: str = "JPEG") -> bytes:
    """Draw a small picture of noise."""
    stream = io.BytesIO()
    noise = np.random.default_rng(seed).integers(0, 256, (24, 24, 3), dtype=np.uint8)
    Image.fromarray(noise).save(stream, kind)
    return stream.getvalue()


def answer(body: bytes = b"", *lines: bytes, status: bytes = b"200 OK") -> bytes:
    """Write an answer with its length; further header lines as they are given."""
    head = [b"HTTP/1.1 " + status, b"Content-Length: %d" % len(body), *lines]
    return b"\r\n".join(head) + b"\r\n\r\n" + body


class Site(socketserver.ThreadingTCPServer):
    """Answers by path; a path with a list of answers gives one after the other.

    Parameters
    ----------
    tls : SSLContext, optional
        To speak TLS.
    host : str, optional
        Address at which it listens.
    """

    daemon_threads = True
    allow_reuse_address = True
    request_queue_size = 64

    def __init__(self, tls: SSLContext | None = None, host: str = "127.0.0.1") -> None:
        super().__init__((host, 0), Connection)
        self.tls = tls
        self.answers: dict[str, bytes | list[bytes]] = {}
        self.heads: list[str] = []

    @property
    def base(self) -> str:
        """Scheme, host and port."""
        return f"http{'s' * bool(self.tls)}://127.0.0.1:{self.server_address[1]}"

    def asked(self) -> list[str]:
        """Return the targets of the requests, robots.txt left out."""
        targets = [head.split()[1] for head in self.heads]
        return [target for target in targets if target != "/robots.txt"]

    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing: clients that hang up are what is tested."""


class Connection(socketserver.BaseRequestHandler):
    server: Site

    def handle(self) -> None:
        connection = self.request
        if self.server.tls:
            connection = self.server.tls.wrap_socket(connection, server_side=True)
        head = b""
        while b"\r\n\r\n" not in head:
            piece = connection.recv(65536)
            if not piece:
                return
            head += piece
        text = head.decode("latin-1")
        self.server.heads.append(text)
        said = self.server.answers.get(text.split()[1], NONE)
        connection.sendall(said.pop(0) if isinstance(said, list) else said)
        if self.server.tls:
            connection.unwrap()


@contextmanager
def running(tls: SSLContext | None = None, host: str = "127.0.0.1") -> Iterator[Site]:
    """Serve for as long as the block lasts."""
    with Site(tls, host) as site:
        threading.Thread(target=site.serve_forever, args=(0.02,), daemon=True).start()
        yield site
        site.shutdown()


def fetch(folder: Path, urls: list[str], **options: Any) -> dict[str, dict[str, Any]]:
    """Fetch URLs with the stage; return the manifest's rows by URL."""
    settings = {"rate": 10_000, "timeout": 5, "retries": 0, "max_bytes": 100_000}
    settings |= {"patience": 2.5}  # a second pass waits for a part of it
    config = FetchConfig.model_validate(settings | {"placeholder_urls": 10**6} | options)
    context = StageContext(Workspace(folder), LocalRunner(1), "test")
    table = FetchStage(config, DecodingConfig()).run({"listing": pa.table({"url": urls})}, context)[
        "fetch"
    ]
    return {row["url"]: row for row in table.to_pylist()}


def one(folder: Path, site: Site, said: bytes, **options: Any) -> dict[str, Any]:
    """Fetch one URL that is answered so."""
    site.answers = {"/a.jpg": said}
    url = f"{site.base}/a.jpg"
    return fetch(folder, [url], **options)[url]


def stored(folder: Path, row: dict[str, Any]) -> bytes:
    """Return the bytes that were kept."""
    return (folder / Workspace(folder).image_path(row["sha256"], row["suffix"])).read_bytes()
