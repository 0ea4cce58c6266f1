"""The base of engines with two networks: find boxes first, then read all of them together."""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from webemo_curate.ocr.asking import is_served
from webemo_curate.ocr.batches import Batching, batching
from webemo_curate.ocr.detector import Device, TextBox
from webemo_curate.ocr.pixels import Pixels

if TYPE_CHECKING:
    from webemo_curate.ocr.device_network import NetworkFile

BoxT = TypeVar("BoxT")
"""A box before it is read, cut out of its image."""

ReadingT = TypeVar("ReadingT")
"""The recognizer's result for a box."""


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

    def detect(self, images: Sequence[Pixels]) -> list[list[TextBox]]:
        """Find and read the text of each image; see `TextDetector.detect`."""
        with ThreadPoolExecutor(self._batching.threads) as pool:
            heatmaps = self._heatmaps(list(pool.map(self._canvas, images)))
            found = list(pool.map(self._boxes, images, heatmaps))
        readings = self._read_boxes(images, found)
        sizes = [(pixels.shape[1], pixels.shape[0]) for pixels in images]
        return [
            [self._to_box(box, next(readings), size) for box in boxes]
            for size, boxes in zip(sizes, found, strict=True)
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
