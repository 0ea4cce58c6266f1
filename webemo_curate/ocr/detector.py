"""The protocol of text detectors, and the boxes that they return."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Literal, Protocol

import pyarrow as pa

from webemo_curate.errors import CurateError
from webemo_curate.fields import TEXT_BOX
from webemo_curate.ocr.pixels import Pixels

if TYPE_CHECKING:
    from webemo_curate.ocr.device_network import NetworkFile

Device = Literal["cpu", "gpu"]


@dataclass(frozen=True)
class TextBox:
    """One piece of text that an engine found; the fields are those of `schemas.TEXT_BOX`.

    Attributes
    ----------
    polygon
        Corners x1 y1 ... x4 y4, in pixels of the image, clockwise from the top left of the text.
    score
        The detector's score, 0 to 1.
    text
        The text read by the recognizer; may be empty.
    confidence
        The recognizer's confidence, 0 to 1; 0 if it read nothing.
    area
        Fraction of the image inside the polygon.
    agreed
        Score of the box that another network found in the same place; 0 without one.
    drawn
        Whether it was found by the look for words drawn over photos.
    frame
        The frame of an animation that shows it, from 0.
    support
        Mean confidence of the readings of the slightly moved box, each weighted by its likeness to
        the first reading, 0 to 1 (`ocr.steadiness`); None if the box was not read again.
    periodic
        How much its pixels resemble those beside them, 0 to 1 (`ocr.periodicity`); 0 if the engine
        does not measure it.
    """

    polygon: tuple[float, ...]
    score: float
    text: str
    confidence: float
    area: float
    agreed: float = 0.0
    drawn: bool = False
    frame: int = 0
    support: float | None = None
    periodic: float = 0.0


def to_arrow(found: Sequence[Sequence[TextBox]]) -> pa.ListArray:
    """Return the boxes of each image in the form of the manifests.

    Parameters
    ----------
    found : Sequence of Sequence of TextBox
        The boxes of each image.

    Returns
    -------
    pyarrow.ListArray
        Lists of `schemas.TEXT_BOX`, one entry an image.
    """
    rows = [[asdict(box) for box in boxes] for boxes in found]
    return pa.array(rows, pa.list_(TEXT_BOX))


class EngineError(CurateError):
    """An engine that cannot be set up: a model file is missing or broken."""


class TextDetector(Protocol):
    """Finds and reads text; cheap to construct and to pickle before `setup`.

    The boxes of an image depend only on that image, never on its neighbors in a batch.
    """

    @property
    def images_at_once(self) -> int:
        """Number of images to pass to `detect` together."""

    def setup(self) -> None:
        """Load the networks, once a process.

        Raises
        ------
        EngineError
            If a model file is missing or broken.
        """

    def networks(self) -> "Mapping[str, NetworkFile]":
        """Return the networks that run on a GPU, by name, so that another process can run them."""

    def detect(self, images: Sequence[Pixels]) -> list[list[TextBox]]:
        """Find and read the text of each image.

        Parameters
        ----------
        images : Sequence of numpy.ndarray
            uint8, (height, width, 3), RGB, of any sizes; see `ocr.pixels.to_pixels`.

        Returns
        -------
        list of list of TextBox
            The boxes of each image, from top to bottom.
        """


def polygon_area(polygon: Sequence[float], width: int, height: int) -> float:
    """Return the fraction of an image that a simple polygon covers (the shoelace formula).

    Parameters
    ----------
    polygon : Sequence of float
        Corners x1 y1 x2 y2 ..., in pixels.
    width, height : int
        The image's size in pixels.

    Returns
    -------
    float
        0 to 1.
    """
    xs, ys = polygon[0::2], polygon[1::2]
    following = [*range(1, len(xs)), 0]
    twice: float = sum(xs[i] * ys[j] - xs[j] * ys[i] for i, j in enumerate(following))
    return min(1.0, abs(twice) / 2 / (width * height))
