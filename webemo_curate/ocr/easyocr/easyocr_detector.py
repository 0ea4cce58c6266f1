"""EasyOCR's networks in batches: the engine for a GPU; on a CPU it is slow, with equal results."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from webemo_curate.ocr.asking import Networks, networks_for
from webemo_curate.ocr.batches import canvas_entries, crop_entries
from webemo_curate.ocr.canvas import scale_for
from webemo_curate.ocr.detector import Device, TextBox, polygon_area
from webemo_curate.ocr.easyocr.weight_files import (
    DETECTION,
    PUBLISHED,
    RECOGNITION,
    WeightFile,
    check,
    load_tensors,
)
from webemo_curate.ocr.pixels import Pixels
from webemo_curate.ocr.two_steps import TwoStepDetector

if TYPE_CHECKING:
    from webemo_curate.ocr.device_network import NetworkFile
    from webemo_curate.ocr.easyocr.craft import Heatmap, HeatmapNetwork, Line
    from webemo_curate.ocr.easyocr.line_recognizer import Crop, LineNetwork, LineReader

LineCrop = tuple["Line", "Crop"]


def engine_version(device: Device) -> str:
    """Return easyocr's version, its networks' names and their precision, without importing it."""
    names = " ".join(Path(weights.name).stem for weights in PUBLISHED)
    precision = "cuda half" if device == "gpu" else "single"
    return f"{version('easyocr')} {names} {precision}"


@dataclass(frozen=True)
class EasyDetectionFile:
    """The file of CRAFT; a `NetworkFile`.

    Attributes
    ----------
    path
        Path of its weights.
    published
        The published file that it must equal.
    batch_size
        Canvases of a common shape that run together.
    """

    path: Path
    published: WeightFile
    batch_size: int

    def open(self, device: str) -> "HeatmapNetwork":
        """Check the file and load it; see `NetworkFile.open`."""
        import torch

        from webemo_curate.ocr.easyocr.craft import HeatmapNetwork

        check(self.path, self.published)
        return HeatmapNetwork(load_tensors(self.path), torch.device(device))

    def entries(self, shape: tuple[int, ...]) -> int:
        """Return how many canvases make a batch; see `NetworkFile.entries`."""
        return canvas_entries(shape, self.batch_size)


@dataclass(frozen=True)
class EasyRecognitionFile:
    """The file of the recognizer; a `NetworkFile`.

    Attributes
    ----------
    path
        Path of its weights.
    published
        The published file that it must equal.
    batch_size
        Crops of a common width that run together.
    """

    path: Path
    published: WeightFile
    batch_size: int

    def open(self, device: str) -> "LineNetwork":
        """Check the file and load it; see `NetworkFile.open`."""
        import torch

        from webemo_curate.ocr.easyocr.line_recognizer import LineNetwork

        check(self.path, self.published)
        return LineNetwork(load_tensors(self.path), torch.device(device))

    def entries(self, shape: tuple[int, ...]) -> int:
        """Return how many crops make a batch; see `NetworkFile.entries`."""
        return crop_entries(shape[2], self.batch_size)


@dataclass
class EasyDetector(TwoStepDetector["LineCrop", tuple[str, float]]):
    """Detects by CRAFT and reads by EasyOCR's English recognizer; a `TextDetector`.

    Parameters
    ----------
    detection, recognition : Path
        The weight files.
    device : {"cpu", "gpu"}
        The device that runs the networks.
    short_side : int
        Length to scale the short side to for detection, in pixels.
    score_floor : float
        Boxes with a lower detection score are dropped.
    batch_size : int
        Canvases, and crops, run together on a GPU.
    published : (WeightFile, WeightFile)
        The published files that they must equal.
    """

    detection: Path
    recognition: Path
    device: Device
    short_side: int
    score_floor: float
    batch_size: int
    published: tuple[WeightFile, WeightFile] = PUBLISHED
    _networks: Networks | None = field(default=None, init=False, repr=False)
    _reader: "LineReader | None" = field(default=None, init=False, repr=False)

    def setup(self) -> None:
        """Check the files and load both networks; see `TextDetector.setup`."""
        import cv2

        cv2.setNumThreads(1)
        device = "cuda" if self.device == "gpu" else "cpu"
        self._networks = networks_for(self.networks(), device)
        self._reader = self._open_reader(self._networks)

    def networks(self) -> "Mapping[str, NetworkFile]":
        """Return the networks that run on a GPU; see `TextDetector.networks`."""
        finds, reads = self.published
        return {
            DETECTION.name: EasyDetectionFile(self.detection, finds, self.batch_size),
            RECOGNITION.name: EasyRecognitionFile(self.recognition, reads, self.batch_size),
        }

    def _open_reader(self, networks: Networks) -> "LineReader":
        import torch

        from webemo_curate.ocr.easyocr.line_recognizer import LineReader

        # Parallelism comes from processes, so torch uses one thread of the CPU in each.
        torch.set_num_threads(1)
        return LineReader(networks, RECOGNITION.name)

    def _ready(self) -> "tuple[Networks, LineReader]":
        assert self._networks is not None, "setup() comes first"  # noqa: S101
        assert self._reader is not None, "setup() comes first"  # noqa: S101
        return self._networks, self._reader

    def _canvas(self, pixels: Pixels) -> Pixels:
        from webemo_curate.ocr.easyocr.craft import make_canvas

        return make_canvas(pixels, self.short_side).pixels

    def _heatmaps(self, canvases: Sequence[Pixels]) -> "list[Heatmap | None]":
        networks, _ = self._ready()
        return [
            None if answer is None else answer[0]
            for answer in networks.ask(DETECTION.name, canvases)
        ]

    def _cut(self, pixels: Pixels, heatmap: "Heatmap") -> "list[LineCrop]":
        from webemo_curate.ocr.easyocr.craft import decode_lines
        from webemo_curate.ocr.easyocr.line_recognizer import cut_line

        height, width = pixels.shape[:2]
        gray = np.asarray(Image.fromarray(pixels).convert("L"))
        lines = decode_lines(heatmap, scale_for(width, height, self.short_side))
        lines = [line for line in lines if line.score >= self.score_floor]
        cuts = [(line, cut_line(gray, line)) for line in lines]
        whole = [(line, crop) for line, crop in cuts if crop is not None]
        return sorted(whole, key=lambda cut: (cut[0].corners[0, 1], cut[0].corners[0, 0]))

    def _read_boxes(
        self,
        images: Sequence[Pixels],  # noqa: ARG002
        found: "Sequence[Sequence[LineCrop]]",
    ) -> Iterator[tuple[str, float]]:
        _, reader = self._ready()
        return iter(reader.read([crop for cuts in found for _, crop in cuts]))

    def _to_box(
        self, box: "LineCrop", reading: tuple[str, float], size: tuple[int, int]
    ) -> TextBox:
        line, (text, confidence) = box[0], reading
        polygon = tuple(float(number) for number in line.corners.ravel())
        return TextBox(polygon, line.score, text, confidence, polygon_area(polygon, *size))
