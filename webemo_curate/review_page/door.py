"""The door of the page's server: who may come in, and what a browser may do with what it gets."""

import secrets
from typing import Final
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

LOOPBACK: Final = ("127.0.0.1", "localhost")
"""Names of this machine; any port, for a page is looked at through a tunnel too."""

POLICY: Final = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self'",
        "connect-src 'self'",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
    )
)
"""Nothing inline, nothing from elsewhere, nothing around it."""

ALWAYS: Final = {
    "content-security-policy": POLICY,
    "referrer-policy": "no-referrer",  # the address holds the token
    "x-content-type-options": "nosniff",
    "cross-origin-resource-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
}
"""Headers of every answer."""

LOST: Final = "Open the address that the command printed: it ends in a token.\n"


class Door:
    """Lets in who names this machine, comes from the page itself, and knows the token.

    Parameters
    ----------
    app : ASGIApp
        What lies behind; it sees paths without the token.
    token : str
        First part of every path.
    """

    def __init__(self, app: ASGIApp, token: str) -> None:
        self._app, self._token = app, token.encode()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, or refuse it."""
        if scope["type"] != "http":
            return

        async def guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in ALWAYS.items():
                    headers[name] = value
                headers.setdefault("cache-control", "no-store")
            await send(message)

        status, said = _refusal(scope)
        token, _, rest = scope["path"].removeprefix("/").partition("/")
        if status:
            await PlainTextResponse(said, status)(scope, receive, guarded)
        elif not secrets.compare_digest(token.encode(), self._token):
            await PlainTextResponse(LOST, 404)(scope, receive, guarded)
        else:
            inner = {**scope, "path": f"/{rest}", "root_path": ""}
            await self._app(inner, receive, guarded)


def _refusal(scope: Scope) -> tuple[int, str]:
    """Return status and words for a request from elsewhere; 0 for one from the page."""
    headers = Headers(scope=scope)
    host = headers.get("host", "")
    if _name_of(host) not in LOOPBACK:
        return 421, "This page is for this machine alone.\n"
    writes = scope["method"] not in ("GET", "HEAD")
    origin = headers.get("origin")
    if (origin is not None or writes) and origin != f"http://{host}":
        return 403, "Other pages may not ask this one.\n"
    if headers.get("sec-fetch-site", "none") not in ("none", "same-origin"):
        return 403, "Other pages may not lead to this one.\n"
    return 0, ""


def _name_of(host: str) -> str | None:
    """Return the name in a Host header; None of one that is no host."""
    try:
        return urlsplit(f"//{host}").hostname
    except ValueError:
        return None
