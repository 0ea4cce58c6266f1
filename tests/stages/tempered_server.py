"""A server with a temper: each answer is chosen by its path and how often it was asked for."""

import io
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from PIL import Image

Answer = Callable[[str, int], tuple[int, dict[str, str]]]
"""Of a path and how often it was asked for: status and headers; status 0 breaks the body off."""


def picture(text: str) -> bytes:
    """Return a picture of a color that its number gives."""
    stream = io.BytesIO()
    number = int(text)
    Image.new("RGB", (8, 8), (number % 256, number // 256, 90)).save(stream, "PNG")
    return stream.getvalue()


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: "Tempered"

    def do_GET(self) -> None:
        if self.path == "/robots.txt":
            self.reply(404, b"", {})
            return
        name = self.path.strip("/")
        with self.server.changing:
            self.server.seen[name] += 1
            status, headers = self.server.temper(name, self.server.seen[name])
            self.server.answers.append(status)
        body = picture(name) if status in (0, 200) else b""
        self.reply(status or 200, body[: -20 if status == 0 else None], headers, len(body))
        self.close_connection = status == 0

    def reply(self, status: int, body: bytes, headers: dict[str, str], size: int = 0) -> None:
        self.send_response(status)
        for key, value in ({"Content-Length": str(size)} | headers).items():
            self.send_header(key, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


class Tempered(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, temper: Answer) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.temper = temper
        self.seen: Counter[str] = Counter()
        self.answers: list[int] = []
        self.changing = threading.Lock()

    @property
    def site(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    def urls(self, count: int) -> list[str]:
        return [f"{self.site}/{number}" for number in range(count)]

    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing: a client that is killed hangs up."""


@contextmanager
def serving(temper: Answer) -> Iterator[Tempered]:
    """Serve for as long as the block lasts."""
    with Tempered(temper) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()
