"""The demo's HTTP server: a separate process on loopback that ends with its parent."""

import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from webemo_curate.config import DemoConfig
from webemo_curate.demo.own_data import write_photos, write_table
from webemo_curate.demo.world import BODIES, LISTS, ServedAnswer, make_world
from webemo_curate.errors import CurateError

LOOPBACK = "127.0.0.1"
SLOW_SECONDS = 0.5
RETRY_AFTER_SECONDS = 1
ONCE = {"throttled": 429, "failing_once": 500}


@dataclass(frozen=True)
class DemoWorld:
    """The demo's world while it is served.

    Attributes
    ----------
    lists
        Folder of category.txt, train25.txt and test25.txt.
    mirror
        Scheme, host and port to fetch from instead of those in the lists.
    own
        The same pictures as a user's own collection, if requested.
    """

    lists: Path
    mirror: str
    own: Path | None = None


@contextmanager
def demo_world(config: DemoConfig, folder: Path) -> Iterator[DemoWorld]:
    """Draw the world if necessary, and serve it while the block runs.

    Parameters
    ----------
    config : DemoConfig
        Number of pictures and seed.
    folder : Path
        Folder to keep it in.

    Yields
    ------
    DemoWorld
        Places of the lists and the server.

    Raises
    ------
    CurateError
        If the server does not start.
    """
    plan = make_world(config, folder)
    forms = {"folder": write_photos, "table": write_table}
    own = forms[config.form](plan, folder) if config.form in forms else None
    command = [sys.executable, "-m", __package__, str(folder), config.model_dump_json()]
    # The child reads the pipe on its standard input: when this process dies, the pipe ends and it
    # stops.
    process = subprocess.Popen(  # noqa: S603 - our own interpreter and module
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    try:
        port = process.stdout.readline().strip() if process.stdout else ""
        if not port.isdigit():
            raise CurateError("the demo's server did not start; is loopback networking allowed?")
        yield DemoWorld(folder / LISTS, f"http://{LOOPBACK}:{port}", own)
    finally:
        process.kill()
        process.communicate()


class PictureServer(ThreadingHTTPServer):
    """Serves the answers of a plan.

    Parameters
    ----------
    answers : dict of str to ServedAnswer
        Answers by URL path.
    bodies : Path
        Folder of the bodies.
    """

    daemon_threads = True

    def __init__(self, answers: dict[str, ServedAnswer], bodies: Path) -> None:
        super().__init__((LOOPBACK, 0), _Handler)
        self.answers = answers
        self.bodies = bodies
        self.seen: Counter[str] = Counter()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: PictureServer

    def do_GET(self) -> None:
        answer = self.server.answers.get(self.path, ServedAnswer(404, None))
        self.server.seen[self.path] += 1
        first = self.server.seen[self.path] == 1
        if answer.fault == "slow":
            time.sleep(SLOW_SECONDS)
        if first and answer.fault in ONCE:
            self._send(ONCE[answer.fault], b"")
        else:
            body = (self.server.bodies / answer.body).read_bytes() if answer.body else b""
            self._send(answer.status, body)

    def _send(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", "image/jpeg")
        self.send_header("Content-Length", str(len(body)))
        if status == ONCE["throttled"]:
            self.send_header("Retry-After", str(RETRY_AFTER_SECONDS))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - http.server's name
        """Print nothing: the demo's output is the pipeline's."""


def serve(folder: Path, config: DemoConfig) -> None:
    """Serve a world until standard input ends; print the port first.

    Parameters
    ----------
    folder : Path
        Folder of the world.
    config : DemoConfig
        Number of pictures and seed of the world.
    """
    plan = make_world(config, folder)
    with PictureServer(plan.answers, folder / BODIES) as server:
        print(server.server_port, flush=True)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        sys.stdin.read()
