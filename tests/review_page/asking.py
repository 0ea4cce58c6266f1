"""Requests to the page's server as any program could make them."""

import http.client
import json
from dataclasses import dataclass
from urllib.parse import urlsplit


@dataclass(frozen=True)
class Answer:
    """What the server said."""

    status: int
    headers: dict[str, str]
    content: bytes

    def document(self) -> dict[str, object]:
        """Return its JSON."""
        read: dict[str, object] = json.loads(self.content)
        return read


def ask(
    address: str,
    path: str = "",
    *,
    document: object = None,
    headers: dict[str, str] | None = None,
    method: str | None = None,
) -> Answer:
    """Ask the server; headers are those of the page itself unless others are given."""
    place = urlsplit(address)
    asked = {"Host": place.netloc, "Origin": f"http://{place.netloc}"}
    body = None
    if document is not None:
        asked["Content-Type"] = "application/json"
        body = document if isinstance(document, bytes) else json.dumps(document).encode()
    connection = http.client.HTTPConnection(place.hostname or "", place.port, timeout=30)
    try:
        full = path if path.startswith("/") else place.path + path
        method = method or ("GET" if body is None else "POST")
        connection.request(method, full, body, asked | (headers or {}))
        response = connection.getresponse()
        return Answer(response.status, dict(response.headers.items()), response.read())
    finally:
        connection.close()
