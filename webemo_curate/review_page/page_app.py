"""The application behind the page: its files, its cases, pictures by hash, decisions."""

import json
from collections.abc import Callable, Mapping
from importlib.resources import files
from typing import Any, Final

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from webemo_curate.errors import CurateError, InputError
from webemo_curate.imaging import DecodeError
from webemo_curate.review_page.case_queue import CaseFilter
from webemo_curate.review_page.desk import Desk
from webemo_curate.review_page.shown_picture import SIDES, PictureShop
from webemo_curate.system_faults import raise_system_fault
from webemo_curate.workspace import Workspace

KINDS: Final = {
    "html": "text/html",
    "css": "text/css",
    "js": "text/javascript",
    "svg": "image/svg+xml",
}
MAX_BYTES: Final = 64 * 1024
"""Of a request: 500 numbers have 4 KB."""

FOREVER: Final = {"cache-control": "private, max-age=31536000, immutable"}
"""A picture's address is its hash, so it never changes."""


class PageApp:
    """Answers the page's requests.

    Parameters
    ----------
    desk : Desk
        Cases and decisions.
    workspace : Workspace
        Where pictures lie.
    shop : PictureShop
        How they are shown.
    leave : callable
        Called when the page says that the work is done.
    """

    def __init__(
        self, desk: Desk, workspace: Workspace, shop: PictureShop, leave: Callable[[], None]
    ) -> None:
        self._desk, self._workspace, self._shop, self._leave = desk, workspace, shop, leave
        self._files = _page_files()

    def starlette(self) -> Starlette:
        """Return the application."""
        routes = [
            Route("/", self._file),
            Route("/page/{name}", self._file),
            Route("/view", self._view),
            Route("/cases", self._cases),
            Route("/changes", self._changes),
            Route("/picture/{sha256}", self._picture),
            Route("/laid/{first}/{second}", self._laid),
            Route("/decide", self._decide, methods=["POST"]),
            Route("/undo", self._undo, methods=["POST"]),
            Route("/done", self._done, methods=["POST"]),
        ]
        return Starlette(routes=routes, exception_handlers={CurateError: _told})

    async def _file(self, request: Request) -> Response:
        name = request.path_params.get("name", "index.html")
        content = self._files.get(name)
        if content is None:
            return PlainTextResponse("There is no such file.\n", 404)
        return Response(content, media_type=KINDS[name.rpartition(".")[2]])

    async def _view(self, request: Request) -> Response:
        asked = request.query_params
        wanted = CaseFilter(asked.get("kind", ""), asked.get("rule", ""))
        return JSONResponse(
            await run_in_threadpool(self._desk.view, wanted, asked.get("state", ""))
        )

    async def _cases(self, request: Request) -> Response:
        numbers = [_whole(text) for text in request.query_params.get("numbers", "").split(",")]
        return JSONResponse(await run_in_threadpool(self._desk.details, numbers))

    async def _changes(self, request: Request) -> Response:
        return JSONResponse(self._desk.changes(_whole(request.query_params.get("since", "0"))))

    async def _decide(self, request: Request) -> Response:
        asked = await _document(request)
        numbers, decision = asked.get("numbers"), asked.get("decision")
        if not isinstance(decision, str) or not _are_whole(numbers) or not numbers:
            raise InputError("give numbers of cases, and a decision")
        since = _whole(str(asked.get("since", 0)))
        return JSONResponse(await run_in_threadpool(self._desk.decide, numbers, decision, since))

    async def _undo(self, request: Request) -> Response:
        since = _whole(str((await _document(request)).get("since", 0)))
        return JSONResponse(await run_in_threadpool(self._desk.undo, since))

    async def _done(self, request: Request) -> Response:
        await _document(request)
        self._leave()
        return JSONResponse({"made": self._desk.made})

    async def _picture(self, request: Request) -> Response:
        sha256, asked = request.path_params["sha256"], request.query_params
        known = self._desk.queue.facts.pictures.get(sha256)
        side = SIDES.get(asked.get("side", "fit"))
        if known is None or side is None:
            return PlainTextResponse("There is no such picture.\n", 404)
        frame = _whole(asked["frame"]) if "frame" in asked else None
        try:
            content = await run_in_threadpool(self._workspace.read_image, known.path)
            shown = await self._shop.show(content, side, frame)
        except (OSError, DecodeError) as error:
            return _not_shown(error, sha256)
        return Response(shown, media_type="image/jpeg", headers=FOREVER)

    async def _laid(self, request: Request) -> Response:
        pair = request.path_params["first"], request.path_params["second"]
        pictures = self._desk.queue.facts.pictures
        if not pictures.keys() >= set(pair):
            return PlainTextResponse("There is no such picture.\n", 404)
        try:
            first, second = [
                await run_in_threadpool(self._workspace.read_image, pictures[sha256].path)
                for sha256 in pair
            ]
            laid = await self._shop.lay(first, second, SIDES["fit"])
        except (OSError, DecodeError) as error:
            return _not_shown(error, " and ".join(pair))
        return Response(laid, media_type="image/webp", headers=FOREVER)


def _not_shown(error: OSError | DecodeError, place: str) -> Response:
    raise_system_fault(error, place)
    return PlainTextResponse(f"It cannot be shown: {error}\n", 404)


def _page_files() -> Mapping[str, bytes]:
    folder = files("webemo_curate.review_page").joinpath("page")
    return {
        each.name: each.read_bytes()
        for each in folder.iterdir()
        if each.name.rpartition(".")[2] in KINDS
    }


async def _document(request: Request) -> dict[str, Any]:
    """Read a request's JSON object; a page of another origin cannot send this type unasked."""
    if request.headers.get("content-type") != "application/json":
        raise InputError("a request's content-type must be application/json")
    content = b""
    async for part in request.stream():
        content += part
        if len(content) > MAX_BYTES:
            raise InputError("a request is too long")
    try:
        document = json.loads(content or b"{}")
    except (ValueError, RecursionError):
        document = None
    if not isinstance(document, dict):
        raise InputError("a request must be a JSON object")
    return document


def _are_whole(numbers: object) -> bool:
    return isinstance(numbers, list) and all(type(number) is int for number in numbers)


def _whole(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) < 10):
        raise InputError(f"{text!r} is no number")
    return int(text)


async def _told(request: Request, error: Exception) -> Response:  # noqa: ARG001
    status = 400 if isinstance(error, InputError) else 503
    return JSONResponse({"error": str(error)}, status)
