"""The base of engines with two networks: find boxes first, then read all of them together."""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, Generic, TypeVar

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from webemo_curate.ocr.asking import is_served
from webemo_curate.ocr.batches import Batching, batching
from webemo_curate.ocr.detector import Device, TextBox

if TYPE_CHECKING:
    from webemo_curate.ocr.device_network import NetworkFile

Pixels = NDArray[np.uint8]

BoxT = TypeVar("BoxT")
"""A box before it is read, cut out of its image."""

ReadingT = TypeVar("ReadingT")
"""The recognizer's result for a box."""

BAND_PIXELS = 2**20
"""Pixels copied at a time: Pillow takes twice the memory of what it hands to NumPy."""


class TwoStepDetector(ABC, Generic[BoxT, ReadingT]):
    """Detects boxes, then reads them; a `TextDetector`.

    Threads scale images and decode heatmaps. The canvases of all images are scored together, and
    then the boxes of all images are read together.

    Attributes
    ----------
    device
        The device that runs the networks.
    batch_size
        Canvases, and crops, run together on a GPU.
    """

    device: Device
    batch_size: int

    @property
    def images_at_once(self) -> int:
        """Number of images to pass together; see `TextDetector`."""
        return self._batching.images

    def detect(self, images: Sequence[Image.Image]) -> list[list[TextBox]]:
        """Find and read the text of each image; see `TextDetector.detect`."""
        with ThreadPoolExecutor(self._batching.threads) as pool:
            pixels = list(pool.map(pixels_of, images))
            heatmaps = self._heatmaps(list(pool.map(self._canvas, pixels)))
            found = list(pool.map(self._boxes, pixels, heatmaps))
        readings = self._read_boxes(pixels, found)
        return [
            [self._to_box(box, next(readings), image.size) for box in boxes]
            for image, boxes in zip(images, found, strict=True)
        ]

    @property
    def _batching(self) -> Batching:
        return batching(self.device, self.batch_size, served=is_served())

    def _boxes(self, pixels: Pixels, heatmap: Any | None) -> list[BoxT]:
        return [] if heatmap is None else self._cut(pixels, heatmap)

    @abstractmethod
    def networks(self) -> "Mapping[str, NetworkFile]":
        """Return the networks that run on a GPU, by name."""

    @abstractmethod
    def setup(self) -> None:
        """Load both networks; see `TextDetector.setup`."""

    @abstractmethod
    def _canvas(self, pixels: Pixels) -> Pixels:
        """Scale an image for the detection network; uint8, (height, width, 3)."""

    @abstractmethod
    def _heatmaps(self, canvases: Sequence[Pixels]) -> Sequence[Any | None]:
        """Score the pixels of canvases of any sizes; None for one without text."""

    @abstractmethod
    def _cut(self, pixels: Pixels, heatmap: Any) -> list[BoxT]:
        """Return the boxes of one heatmap, from top to bottom, cut out of the image."""

    @abstractmethod
    def _read_boxes(
        self, images: Sequence[Pixels], found: Sequence[Sequence[BoxT]]
    ) -> Iterator[ReadingT]:
        """Yield the reading of each box, image after image."""

    @abstractmethod
    def _to_box(self, box: BoxT, reading: ReadingT, size: tuple[int, int]) -> TextBox:
        """Combine a box and its reading; `size` is the image's width and height."""


def pixels_of(image: Image.Image) -> Pixels:
    """Copy a picture's pixels, band by band.

    Parameters
    ----------
    image : PIL.Image.Image
        RGB.

    Returns
    -------
    numpy.ndarray
        uint8, (height, width, 3); equal to `numpy.asarray(image)`, in half the memory.
    """
    rows = max(1, BAND_PIXELS // image.width)
    pixels = np.empty((image.height, image.width, 3), np.uint8)
    for top in range(0, image.height, rows):
        bottom = min(top + rows, image.height)
        pixels[top:bottom] = np.asarray(image.crop((0, top, image.width, bottom)))
    return pixels
