"""rapidocr's PP-OCR engine: one image at a time on the CPU, in batches on a GPU.

The networks, their box decoding and their text decoding are rapidocr's. Its `RapidOCR` class is not
used: it enlarges every image to 736 pixels, pads every crop to 320 pixels and downloads missing
files.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from importlib.metadata import version
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from webemo_curate.ocr.asking import networks_for
from webemo_curate.ocr.canvas import STRIDE, scale_for
from webemo_curate.ocr.detector import Device, TextBox, polygon_area
from webemo_curate.ocr.periodicity import periodicity
from webemo_curate.ocr.pixels import Pixels
from webemo_curate.ocr.rapidocr.gpu_networks import GpuNetworks, network_files
from webemo_curate.ocr.rapidocr.rapidocr_networks import (
    ANY_TEXT,
    PIXEL_THRESHOLD,
    RECOGNITION_MODEL,
    CpuNetworks,
    Detection,
    Heatmap,
    RapidOcrNetworks,
)
from webemo_curate.ocr.steadiness import MOVES, moved, support, worth_reading_again
from webemo_curate.ocr.two_steps import TwoStepDetector

if TYPE_CHECKING:
    from webemo_curate.ocr.device_network import NetworkFile

MAX_CANDIDATES = 1000
"""Threshold of box decoding; rapidocr's own setting (its config.yaml, section Det)."""

CROP_HEIGHT = 48
WIDTH_STEP = 8
WIDEST_CROP = 2048
"""Pixels; the recognizer reads crops 48 high, with one symbol every 8. Widths are rounded up to a
multiple of this, so that many crops can be read together; longer ones are squeezed."""


class Found(NamedTuple):
    """A box before it is read.

    Attributes
    ----------
    corners
        float32, (4, 2), image pixels, clockwise from the top left.
    score
        The detector's score.
    crop
        uint8, (48, width, 3) RGB, upright.
    periodic
        How much the pixels repeat; see `TextBox`.
    """

    corners: NDArray[np.float32]
    score: float
    crop: Pixels
    periodic: float


class Reading(NamedTuple):
    """The recognizer's result for a box; see `TextBox`."""

    text: str
    confidence: float
    support: float | None


def engine_version(device: Device) -> str:
    """Return rapidocr's version, its networks' names and what runs them, without importing it."""
    runtime = "cuda" if device == "gpu" else "onnxruntime"
    names = f"{Path(ANY_TEXT.file).stem} {Path(RECOGNITION_MODEL).stem}"
    return f"{version('rapidocr')} {names} {runtime}"


def canvas_size(width: int, height: int, short_side: int) -> tuple[int, int]:
    """Return the size at which an image is shown to the detection network.

    Parameters
    ----------
    width, height : int
        The image's size in pixels.
    short_side : int
        Length to scale the short side to, in pixels.

    Returns
    -------
    (int, int)
        Width and height, multiples of `STRIDE`.
    """
    scale = scale_for(width, height, short_side)
    return _to_stride(width * scale), _to_stride(height * scale)


@dataclass
class RapidDetector(TwoStepDetector[Found, Reading]):
    """Detects and reads by PP-OCR; a `TextDetector`.

    Parameters
    ----------
    device : {"cpu", "gpu"}
        The device that runs the networks.
    short_side : int
        Length to scale the short side to for detection, in pixels.
    score_floor : float
        Boxes with a lower detection score are dropped.
    batch_size : int
        Canvases, and crops, run together on a GPU.
    detection : Detection, default ANY_TEXT
        The network that finds text.
    """

    device: Device
    short_side: int
    score_floor: float
    batch_size: int
    detection: Detection = ANY_TEXT
    _networks: RapidOcrNetworks | None = field(default=None, init=False, repr=False)
    _decode_boxes: Any = field(default=None, init=False, repr=False)
    _decode_text: Any = field(default=None, init=False, repr=False)

    def setup(self) -> None:
        """Load both networks; see `TextDetector.setup`."""
        import cv2

        # Each process has one core; OpenCV's threads would compete with the other processes.
        cv2.setNumThreads(1)
        self._networks = self._load()
        self._decode_boxes = _box_decoder(self.score_floor, self.detection.unclip_ratio)
        self._decode_text = _text_decoder(self._networks.characters)

    def networks(self) -> "Mapping[str, NetworkFile]":
        """Return the networks that run on a GPU; see `TextDetector.networks`."""
        return network_files(self.detection, self.batch_size)

    def _load(self) -> RapidOcrNetworks:
        if self.device == "cpu":
            return CpuNetworks(self.detection)
        return GpuNetworks(self.detection, networks_for(self.networks(), "cuda"))

    def _canvas(self, pixels: Pixels) -> Pixels:
        import cv2

        height, width = pixels.shape[:2]
        canvas = canvas_size(width, height, self.short_side)
        smooth = cv2.INTER_AREA if canvas[0] < width else cv2.INTER_LINEAR
        return np.asarray(cv2.resize(pixels, canvas, interpolation=smooth), np.uint8)

    def _heatmaps(self, canvases: Sequence[Pixels]) -> list[Heatmap | None]:
        return self._ready().heatmaps(canvases)

    def _cut(self, pixels: Pixels, heatmap: Heatmap) -> list[Found]:
        boxes, scores = self._decode_boxes(heatmap, pixels.shape[:2])
        found = [
            _found(pixels, corners, float(score))
            for corners, score in zip(boxes, scores, strict=True)
        ]
        return sorted(found, key=lambda box: (*box.corners[0][::-1].tolist(), box.score))

    def _read_boxes(
        self, images: Sequence[Pixels], found: Sequence[Sequence[Found]]
    ) -> Iterator[Reading]:
        """Yield each box's reading; boxes that may confirm text are moved and read again."""
        boxes = [
            (pixels, box)
            for pixels, of_image in zip(images, found, strict=True)
            for box in of_image
        ]
        first = self._read([box.crop for _, box in boxes])
        doubtful = [index for index, read in enumerate(first) if worth_reading_again(*read)]
        crops = [
            _upright(pixels, corners)
            for pixels, box in (boxes[index] for index in doubtful)
            for corners in moved(box.corners)
        ]
        again = iter(self._read(crops))
        supports = {index: support(*first[index], list(islice(again, MOVES))) for index in doubtful}
        for index, (text, confidence) in enumerate(first):
            yield Reading(text, confidence, supports.get(index))

    def _read(self, crops: Sequence[Pixels]) -> list[tuple[str, float]]:
        """Return text and confidence of the crops of any images."""
        lines: list[tuple[str, float]] = []
        for symbols, probabilities in self._ready().symbols(crops):
            lines += self._decode_text(symbols[None], probabilities[None], remove_duplicate=True)[0]
        return lines

    def _to_box(self, box: Found, reading: Reading, size: tuple[int, int]) -> TextBox:
        polygon = tuple(float(number) for number in box.corners.ravel())
        return TextBox(
            polygon,
            box.score,
            reading.text.strip(),
            float(reading.confidence),
            polygon_area(polygon, *size),
            drawn=self.detection.folder is not None,
            support=reading.support,
            periodic=box.periodic,
        )

    def _ready(self) -> RapidOcrNetworks:
        assert self._networks is not None, "setup() comes first"  # noqa: S101
        return self._networks


def _to_stride(length: float) -> int:
    return max(STRIDE, round(length / STRIDE) * STRIDE)


def _found(pixels: Pixels, corners: NDArray[np.float32], score: float) -> Found:
    crop = _upright(pixels, corners)
    return Found(corners, score, crop, periodicity(crop))


def _upright(pixels: Pixels, corners: NDArray[np.float32]) -> Pixels:
    """Cut a box out of its image, at the recognizer's height and nearly its natural width."""
    import cv2
    from rapidocr.utils.process_img import get_rotate_crop_image

    crop = get_rotate_crop_image(pixels, corners)
    steps = math.ceil(crop.shape[1] * CROP_HEIGHT / crop.shape[0] / WIDTH_STEP)
    size = min(steps * WIDTH_STEP, WIDEST_CROP), CROP_HEIGHT
    return np.asarray(cv2.resize(crop, size), np.uint8)


def _box_decoder(score_floor: float, unclip_ratio: float) -> Any:
    from rapidocr.ch_ppocr_det.utils import DBPostProcess

    return DBPostProcess(
        thresh=PIXEL_THRESHOLD,
        box_thresh=score_floor,
        max_candidates=MAX_CANDIDATES,
        unclip_ratio=unclip_ratio,
        score_mode="fast",
        use_dilation=True,
    )


def _text_decoder(characters: list[str]) -> Any:
    from rapidocr.ch_ppocr_rec.utils import CTCLabelDecode

    return CTCLabelDecode(character=characters).decode
