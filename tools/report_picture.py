"""The picture of README and docs/report.md: `python -m tools.report_picture docs`, in Chromium.

It curates the example's drawn world, trains on it as the notebook does, and takes the report.
"""

import io
import sys
import tempfile
from pathlib import Path
from typing import Final

from PIL import Image

from tests.chromium import chromium
from tests.e2e.conftest import PICTURES, SEED, curate, prepare
from webemo_curate.config import DemoConfig
from webemo_curate.demo import demo_world

NAME: Final = "report.png"
VIEWS: Final = ("funnel", "narrow-dedup", "dropped", "training")
"""What is shown, by the anchors of its sections: from the top left to the bottom right."""

TYPEFACE: Final = "body { font-family: 'Liberation Sans' }"
"""In place of the reader's own, so that pictures can be compared whatever is installed."""

VIEW: Final = (1000, 700)
"""Width and height of a view in pixels."""

SCALE: Final = 0.64
COLORS: Final = 64
TRAINING: Final = ("--from-scratch", "--image-size", "64", "--epochs", "1")


def main() -> None:
    """Draw the picture into a folder."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with demo_world(DemoConfig(pictures=PICTURES, seed=SEED), folder / "world") as world:
            place = ("--workspace", prepare(folder / "ws", world))
            curate("train-model", *TRAINING, *place)
        curate("evaluate", "--on", "test", *place)
        curate("report", *place)
        shown = views(folder / "ws" / "report.html").quantize(COLORS)
    shown.save(Path(sys.argv[1]) / NAME, optimize=True)


def views(report: Path) -> Image.Image:
    """Take the views of a report, two beside each other.

    Parameters
    ----------
    report : Path
        The HTML file.

    Returns
    -------
    Image
        Two views in a row.
    """
    width, height = (round(side * SCALE) for side in VIEW)
    sheet = Image.new("RGB", (2 * width, height * len(VIEWS) // 2))
    with chromium() as browser:
        # The page's own policy lets no other style in.
        page = browser.new_page(bypass_csp=True, viewport={"width": VIEW[0], "height": VIEW[1]})
        page.goto(report.as_uri())
        page.add_style_tag(content=TYPEFACE)
        for number, name in enumerate(VIEWS):
            if number:  # the first begins with the page's head
                page.locator(f"#{name}").evaluate("part => part.scrollIntoView()")
            view = Image.open(io.BytesIO(page.screenshot())).convert("RGB")
            place = (number % 2 * width, number // 2 * height)
            sheet.paste(view.resize((width, height), Image.Resampling.LANCZOS), place)
    return sheet


if __name__ == "__main__":
    main()
