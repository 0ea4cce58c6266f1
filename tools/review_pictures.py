"""The pictures of docs/review.md: `python -m tools.review_pictures docs`, in Debian's Chromium."""

import io
import sys
import tempfile
import threading
from pathlib import Path
from queue import Queue
from typing import Any

from PIL import Image

from tests.chromium import chromium
from tests.review_page.made import make_cases
from webemo_curate.review_page.session import Session
from webemo_curate.runner.work_context import WorkContext
from webemo_curate.workspace import Workspace

SHOWN: dict[str, tuple[int, int, str, str, str]] = {
    "review-text": (900, 700, "light", "text", ""),
    "review-pair": (900, 620, "light", "duplicate", "w"),
    "review-narrow": (400, 800, "dark", "text", "g"),
}
"""By name of a picture: width and height in pixels, color scheme, kind of case, and key to
press."""

COLORS = 64
"""Number of colors of a picture: a third of the bytes, without a loss that readers would notice."""

HARMLESS = "a sign"

SEEN = "[...document.images].filter(i => i.checkVisibility()).every(i => i.complete)"
"""Whether all pictures on the page are there: a busy machine is slow to bring them."""


def main() -> None:
    """Draw the pictures into a folder."""
    with tempfile.TemporaryDirectory() as folder:
        workspace = make_cases(Workspace(Path(folder) / "ws"), HARMLESS)
        addresses: Queue[str] = Queue()
        session = Session("ann", ready=addresses.put)
        work = WorkContext(workspace, workspace.config())
        served = threading.Thread(target=session.near, args=(work, None, 0.1))
        served.start()
        draw(addresses.get(), Path(sys.argv[1]))
        served.join()


def draw(address: str, folder: Path) -> None:
    """Take a picture of each view, and end the server."""
    with chromium() as browser:
        page = browser.new_page()
        for name in SHOWN:
            show(page, address, name)
            shown = Image.open(io.BytesIO(page.screenshot())).convert("RGB")
            shown.quantize(COLORS).save(folder / f"{name}.png", optimize=True)
        page.click("#done")


def show(page: Any, address: str, name: str) -> None:
    """Bring a page to one of the views."""
    width, height, colors, kind, key = SHOWN[name]
    page.set_viewport_size({"width": width, "height": height})
    page.emulate_media(color_scheme=colors, reduced_motion="reduce")
    page.goto(address)
    page.wait_for_selector('#work[data-ready="1"]')
    page.select_option("#kind", kind)
    page.wait_for_selector('#work[data-ready="2"]')
    page.locator("#work").focus()
    if key:
        page.keyboard.press(key)
    page.wait_for_load_state("networkidle")
    page.wait_for_function(SEEN)


if __name__ == "__main__":
    main()
