"""A server that goes wrong in every way, each at a path of its own."""

import gzip
import io
import socket
import threading
import time
from collections import Counter
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import numpy as np
from PIL import Image

MEGABYTE = 2**20


def jpeg(seed: int) -> bytes:
    """Return a small picture of noise."""
    stream = io.BytesIO()
    noise = np.random.default_rng(seed).integers(0, 256, (24, 24, 3), dtype=np.uint8)
    Image.fromarray(noise).save(stream, "JPEG")
    return stream.getvalue()


def flat_png(side: int) -> bytes:
    """Return a square of one color, small as a file."""
    stream = io.BytesIO()
    Image.new("1", (side, side)).save(stream, "PNG")
    return stream.getvalue()


BOMB = gzip.compress(bytes(64 * MEGABYTE))
WIDE = flat_png(20_000)


class Handler(BaseHTTPRequestHandler):
    """Goes wrong as the first part of the path says; the second is the picture's number."""

    protocol_version = "HTTP/1.1"
    server: "Hostile"

    def do_GET(self) -> None:
        kind, _, number = self.path.strip("/").partition("/")
        with self.server.changing:
            self.server.seen[self.path] += 1
        body = jpeg(int(number)) if number.isdigit() else b""
        fault = getattr(self, f"do_{kind}", None)
        if fault:
            fault(body)
        else:
            self.reply(200 if body else 404, body)

    def reply(self, status: int, body: bytes, **headers: str) -> None:
        self.send_response(status)
        self.send_header("Content-Length", headers.pop("length", str(len(body))))
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(body)

    def first(self) -> bool:
        return self.server.seen[self.path] == 1

    def do_gone(self, _: bytes) -> None:
        self.reply(410, b"")

    def do_forbidden(self, _: bytes) -> None:
        self.reply(403, b"")

    def do_error(self, _: bytes) -> None:
        self.reply(500, b"")

    def do_busy(self, body: bytes) -> None:
        self.reply(503 if self.first() else 200, b"" if self.first() else body, Retry_After="0")

    def do_reset(self, body: bytes) -> None:
        if self.first():
            self.connection.shutdown(socket.SHUT_RDWR)
            self.close_connection = True
        else:
            self.reply(200, body)

    def do_short(self, body: bytes) -> None:
        self.reply(200, body[:-20], length=str(len(body)))
        self.close_connection = True

    def do_page(self, _: bytes) -> None:
        self.reply(200, b"<html>")

    def do_torn(self, body: bytes) -> None:
        self.reply(200, body[:-200])

    def do_endless(self, _: bytes) -> None:
        self.send_response(200)
        self.end_headers()
        while True:
            self.wfile.write(bytes(MEGABYTE))

    def do_gzip(self, _: bytes) -> None:
        self.reply(200, BOMB, Content_Encoding="gzip")

    def do_headers(self, body: bytes) -> None:
        self.reply(200, body, **{f"X-{n}": "x" * 60_000 for n in range(20)})

    def do_trickle(self, body: bytes) -> None:
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        for byte in body:
            self.wfile.write(bytes([byte]))
            time.sleep(0.1)

    def do_wide(self, _: bytes) -> None:
        self.reply(200, WIDE)

    def do_scheme(self, _: bytes) -> None:
        self.reply(302, b"", Location="file:///etc/passwd")

    def do_garbage(self, _: bytes) -> None:
        self.wfile.write(b"\0\1\2 nonsense\r\n\r\n")
        self.close_connection = True

    def log_message(self, *_: object) -> None:
        pass


class Hostile(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.seen: Counter[str] = Counter()
        self.changing = threading.Lock()

    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing: clients that hang up are what is tested."""
