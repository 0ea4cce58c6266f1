"""The server of the page: on loopback alone, until Ctrl-C or until the page says done."""

import secrets
import socket
from collections.abc import Callable
from contextlib import closing
from typing import Final

import uvicorn

from webemo_curate.errors import InputError
from webemo_curate.review_page.desk import Desk
from webemo_curate.review_page.door import Door
from webemo_curate.review_page.page_app import PageApp
from webemo_curate.review_page.shown_picture import PictureShop
from webemo_curate.runner.work_context import WorkContext

ADDRESS: Final = "127.0.0.1"
TOKEN_BYTES: Final = 24
PATIENCE: Final = 1
"""Seconds that requests have to end when the server stops."""


def serve(
    work: WorkContext, desk: Desk, port: int, ready: Callable[[str], None] | None = None
) -> None:
    """Serve the page of a desk until Ctrl-C, or until the page says that the work is done.

    Parameters
    ----------
    work : WorkContext
        Where pictures lie, and how large they may be.
    desk : Desk
        Cases and decisions; the caller holds the workspace's lock.
    port : int
        On loopback; 0: any that is free.
    ready : callable, optional
        Called with the page's address once it can be opened.

    Raises
    ------
    InputError
        If the port is taken.
    """
    token = secrets.token_urlsafe(TOKEN_BYTES)
    with closing(_listening(port)) as listening, closing(PictureShop(work.max_pixels)) as shop:
        address = f"http://{ADDRESS}:{listening.getsockname()[1]}/{token}/"
        app = PageApp(desk, work.workspace, shop, lambda: setattr(server, "should_exit", True))
        config = uvicorn.Config(
            Door(app.starlette(), token),
            http="h11",
            ws="none",
            lifespan="off",
            log_config=None,
            access_log=False,
            server_header=False,
            timeout_graceful_shutdown=PATIENCE,
        )
        server = uvicorn.Server(config)
        if ready:
            ready(address)  # the socket listens: what is asked now is answered when it serves
        try:
            server.run(sockets=[listening])
        except KeyboardInterrupt:
            return  # Ctrl-C is how a review ends


def _listening(port: int) -> socket.socket:
    listening = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind((ADDRESS, port))
        listening.listen()
    except (OSError, OverflowError) as error:
        listening.close()
        reason = getattr(error, "strerror", None) or error
        raise InputError(f"--port {port}: {reason}; give another, or 0 for any") from error
    return listening
