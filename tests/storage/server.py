"""A real S3 server (moto's) on loopback that fails as asked."""

import threading
import urllib.request
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from moto.server import DomainDispatcherApplication, create_backend_app
from werkzeug.serving import make_server
from werkzeug.wrappers import Request, Response

BUCKET = "photos"
ANSWERS = {
    503: "<Error><Code>SlowDown</Code><Message>Please reduce your request rate.</Message></Error>",
    403: "<Error><Code>InvalidAccessKeyId</Code><Message>No such key.</Message></Error>",
}


class Faulty:
    """A WSGI application before moto's: answers some requests itself.

    Attributes
    ----------
    bucket
        The one bucket there is.
    url
        Where it is served.
    status
        503 or 403: what failing requests are answered.
    left
        Requests that still fail.
    """

    bucket = BUCKET

    def __init__(self) -> None:
        self._moto = DomainDispatcherApplication(create_backend_app)
        self._lock = threading.Lock()
        self.url = ""
        self.requests: list[str] = []
        self.fail(503, 0)

    def fail(self, status: int, requests: int) -> None:
        """Fail the next so many requests."""
        self.status, self.left = status, requests

    def __call__(self, environ: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
        with self._lock:
            self.requests.append(f"{environ['REQUEST_METHOD']} {environ['PATH_INFO']}")
            fails, self.left = self.left > 0, max(0, self.left - 1)
        if fails:
            Request(environ).get_data()
            answer = Response(ANSWERS[self.status], self.status, content_type="application/xml")
            return answer(environ, start)
        return self._moto(environ, start)


@contextmanager
def s3_server() -> Iterator[Faulty]:
    """Serve S3 while the block runs, with `BUCKET` made."""
    application = Faulty()
    server = make_server("127.0.0.1", 0, application, threaded=True)
    application.url = f"http://127.0.0.1:{server.server_port}"
    threading.Thread(target=server.serve_forever, daemon=True).start()
    urllib.request.urlopen(urllib.request.Request(f"{application.url}/{BUCKET}", method="PUT"))
    yield application
    server.shutdown()


def credentials(url: str) -> dict[str, str]:
    """Return the environment of a command that uses a server."""
    return {
        "AWS_ENDPOINT_URL": url,
        "AWS_ACCESS_KEY_ID": "somebody",
        "AWS_SECRET_ACCESS_KEY": "secret",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_EC2_METADATA_DISABLED": "true",
    }
