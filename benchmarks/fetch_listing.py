"""Fetch a whole listing with faults through `curate fetch --mirror`; check counts and memory.

    python -m benchmarks.fetch_listing --list /path/to/test25.txt
    python -m benchmarks.fetch_listing --lines 267441

The second draws a listing of WEBEmo's size. Each URL's fate follows from a hash of its path.
"""

import argparse
import asyncio
import hashlib
import io
import multiprocessing
import sys
import tempfile
from collections import Counter
from multiprocessing.connection import Connection
from pathlib import Path

import numpy as np
from PIL import Image

from benchmarks.measure import MEGABYTE, run
from webemo_curate.verdicts import FetchStatus
from webemo_curate.workspace import Workspace

CURATE = Path(sys.executable).with_name("curate")
FATES = [
    ("gone", 17, FetchStatus.NOT_FOUND),
    ("forever", 1, FetchStatus.GONE),
    ("page", 1, FetchStatus.NOT_IMAGE),
    ("error_once", 1, FetchStatus.OK),
    ("busy_once", 1, FetchStatus.OK),
    ("short_once", 1, FetchStatus.OK),
    ("reset_once", 1, FetchStatus.OK),
    ("fine", 77, FetchStatus.OK),
]
"""Name, per cent of the URLs, and how it must end."""


def fate(path: str) -> tuple[str, FetchStatus]:
    """Return what a path meets and how it must end."""
    number = int.from_bytes(hashlib.sha256(path.encode()).digest()[:4], "big") % 100
    for name, share, status in FATES:
        if number < share:
            return name, status
        number -= share
    raise AssertionError("the shares are a hundred per cent")


class Server:
    """Answers keep-alive GET requests by their path's fate, on asyncio streams."""

    def __init__(self) -> None:
        stream = io.BytesIO()
        noise = np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8)
        Image.fromarray(noise).save(stream, "JPEG")
        self._jpeg = stream.getvalue()
        self._seen: set[str] = set()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one connection to its end."""
        try:
            while request := await reader.readuntil(b"\r\n\r\n"):
                path = request.split(b" ", 2)[1].decode()
                answer, keep = self._answer(path)
                writer.write(answer)
                await writer.drain()
                if not keep:
                    break
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        writer.close()

    def _answer(self, path: str) -> tuple[bytes, bool]:
        name, status = fate(path)
        first = path not in self._seen
        self._seen.add(path)
        if status is not FetchStatus.OK:
            code = {FetchStatus.NOT_FOUND: 404, FetchStatus.GONE: 410}.get(status, 200)
            return _reply(code, b"<html>" if code == 200 else b""), True
        body = self.picture(path)
        if name == "fine" or not first:
            return _reply(200, body), True
        if name == "short_once":
            return _reply(200, body)[:-50], False
        if name == "reset_once":
            return b"", False
        return _reply(500 if name == "error_once" else 503, b""), True

    def picture(self, path: str) -> bytes:
        """Return the picture with a comment of the path's own, so that all differ."""
        comment = path.encode()[-200:]
        head, tail = self._jpeg[:2], self._jpeg[2:]
        return head + b"\xff\xfe" + (len(comment) + 2).to_bytes(2, "big") + comment + tail


def _reply(code: int, body: bytes) -> bytes:
    head = f"HTTP/1.1 {code} x\r\nContent-Length: {len(body)}\r\nRetry-After: 0\r\n\r\n"
    return head.encode() + body


def _serve(port: Connection) -> None:
    async def forever() -> None:
        server = await asyncio.start_server(Server().serve, "127.0.0.1", 0)
        port.send(server.sockets[0].getsockname()[1])
        await server.serve_forever()

    asyncio.run(forever())


def main() -> None:
    """Fetch the listing and compare outcome counts with the plan."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--list", type=Path, help="a list file of WEBEmo's form")
    parser.add_argument("--lines", type=int, default=50_000, help="lines drawn without --list")
    parser.add_argument("--folder", type=Path, help="where to work; default: the system's")
    arguments = parser.parse_args()
    ours, theirs = multiprocessing.get_context("spawn").Pipe()
    server = multiprocessing.get_context("spawn").Process(target=_serve, args=(theirs,))
    server.start()
    try:
        with tempfile.TemporaryDirectory(dir=arguments.folder) as name:
            _run(Path(name), arguments.list, arguments.lines, ours.recv())
    finally:
        server.terminate()


def _run(folder: Path, listed: Path | None, lines: int, port: int) -> None:
    listing = listed or folder / "list.txt"
    if listed is None:
        urls = (
            f"https://pictures.example/jpg/{index:08}/x.jpg {index % 25}\n"
            for index in range(lines)
        )
        listing.write_text("".join(urls))
    cost = run(
        [
            *(CURATE, "fetch", "--lists", listing, "--mirror", f"http://127.0.0.1:{port}"),
            *("--workspace", folder / "ws", "--rate", "100000", "--concurrency", "32"),
        ],
        folder / "log",
    )
    rows = Workspace(folder / "ws").read("fetch", ["url", "status"]).to_pydict()
    paths = ["/" + url.split("/", 3)[3] for url in rows["url"]]
    found = Counter(map(str, rows["status"]))
    planned = Counter(str(fate(path)[1]) for path in paths)
    print(f"{len(paths)} URLs in {cost.seconds:.0f} s, {cost.peak_bytes / MEGABYTE:.0f} MB at most")
    print(f"planned {dict(planned)}\nfound   {dict(found)}")
    print("equal" if found == planned else "DIFFERENT")


if __name__ == "__main__":
    main()
