"""Pictures in a row, each below what a network says of it: the paper's figure 8."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import matplotlib as mpl
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from webemo_curate.imaging import load_apart
from webemo_curate.storage.atomic import atomic_path

if TYPE_CHECKING:
    from webemo_curate.evaluation.predict import Prediction


CELL = 256
"""Pixels of a picture's longer side."""

CAPTION = 26
GAP = 8
FONT_SIZE = 16
HEAT = "inferno"
HEAT_SHARE = 0.5


@dataclass(frozen=True)
class Panel:
    """A picture with its caption, and where the network looked if that is to be shown.

    Attributes
    ----------
    picture
        Upright RGB.
    caption
        One line.
    activation
        float32, 0 to 1, a square over the whole picture; None for the picture alone.
    """

    picture: Image.Image
    caption: str
    activation: NDArray[np.float32] | None = None


def draw_row(panels: Sequence[Panel], file: Path) -> None:
    """Draw panels side by side into a PNG file.

    Parameters
    ----------
    panels : sequence of Panel
        From left to right; an activation is laid over its picture, in a second row.
    file : Path
        Written whole or not at all.
    """
    rows = 2 if any(panel.activation is not None for panel in panels) else 1
    size = (len(panels) * (CELL + GAP) + GAP, GAP + rows * (CELL + GAP) + CAPTION)
    sheet = Image.new("RGB", size, "white")
    pen = ImageDraw.Draw(sheet)
    font = ImageFont.load_default(FONT_SIZE)
    for place, panel in enumerate(panels):
        left = GAP + place * (CELL + GAP)
        small = panel.picture.copy()
        small.thumbnail((CELL, CELL))
        _paste(sheet, small, left, CAPTION + GAP)
        if panel.activation is not None:
            _paste(sheet, heated(small, panel.activation), left, CAPTION + GAP + CELL + GAP)
        middle = left + CELL // 2, (CAPTION + GAP) // 2
        pen.text(middle, panel.caption, fill="black", font=font, anchor="mm")
    with atomic_path(file) as partial:
        sheet.save(partial, "PNG")


def draw_predictions(predictions: "Sequence[Prediction]", file: Path, max_pixels: int) -> None:
    """Draw classified image files with their captions; see `draw_row`."""
    panels = [
        Panel(
            load_apart(prediction.path, max_pixels, CELL),
            prediction.caption,
            prediction.activation,
        )
        for prediction in predictions
        if prediction.path is not None
    ]
    draw_row(panels, file)


def _paste(sheet: Image.Image, picture: Image.Image, left: int, top: int) -> None:
    sheet.paste(picture, (left + (CELL - picture.width) // 2, top + (CELL - picture.height) // 2))


def heated(picture: Image.Image, activation: NDArray[np.float32]) -> Image.Image:
    """Lay over a picture where a network looked: bright where most.

    Parameters
    ----------
    picture : PIL.Image.Image
        RGB.
    activation : ndarray of float32, shape (S, S)
        0 to 1, a square over the whole picture.

    Returns
    -------
    PIL.Image.Image
        RGB, of the picture's size.
    """
    heat = Image.fromarray((activation * 255).astype(np.uint8)).resize(picture.size)
    colors = mpl.colormaps[HEAT](np.asarray(heat), bytes=True)[..., :3]
    return Image.blend(picture, Image.fromarray(np.ascontiguousarray(colors)), HEAT_SHARE)
