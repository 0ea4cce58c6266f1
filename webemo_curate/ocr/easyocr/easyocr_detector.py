"""EasyOCR's networks in batches: the engine for a GPU, slow but equal on a CPU."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from PIL import Image

from webemo_curate.ocr.canvas import scale_for
from webemo_curate.ocr.detector import Device, TextBox, polygon_area
from webemo_curate.ocr.easyocr.weight_files import PUBLISHED, WeightFile, check, load_tensors
from webemo_curate.ocr.two_steps import Pixels, TwoStepDetector

if TYPE_CHECKING:
    import torch

    from webemo_curate.ocr.easyocr.craft import Heatmap, HeatmapNetwork, Line
    from webemo_curate.ocr.easyocr.line_recognizer import Crop, LineReader

LineCrop = tuple["Line", "Crop"]


def engine_version(device: Device) -> str:
    """Return easyocr's version, its networks' names and their precision, without importing it."""
    names = " ".join(Path(weights.name).stem for weights in PUBLISHED)
    precision = "half" if device == "gpu" else "single"
    return f"{version('easyocr')} {names} {precision}"


class EasyOcrNetworks(NamedTuple):
    """Both networks, loaded."""

    heatmaps: "HeatmapNetwork"
    reader: "LineReader"


@dataclass
class EasyDetector(TwoStepDetector["LineCrop", tuple[str, float]]):
    """CRAFT detection and English recognition; a `TextDetector`.

    Parameters
    ----------
    detection, recognition : Path
        The weight files.
    device : {"cpu", "gpu"}
        Where the networks run.
    short_side : int
        Pixels the short side is scaled to for detection.
    score_floor : float
        Boxes whose detection score is lower are not kept.
    batch_size : int
        Canvases, and crops, run together on a GPU.
    published : (WeightFile, WeightFile)
        What the files must be.
    """

    detection: Path
    recognition: Path
    device: Device
    short_side: int
    score_floor: float
    batch_size: int
    published: tuple[WeightFile, WeightFile] = PUBLISHED
    _networks: EasyOcrNetworks | None = field(default=None, init=False, repr=False)

    def setup(self) -> None:
        """Check the files and load both networks; see `TextDetector.setup`."""
        import cv2
        import torch

        cv2.setNumThreads(1)
        if self.device == "cpu":
            # Processes are the unit of parallelism on a CPU.
            torch.set_num_threads(1)
        for path, weights in zip((self.detection, self.recognition), self.published, strict=True):
            check(path, weights)
        self._networks = self._load(torch.device("cuda" if self.device == "gpu" else "cpu"))

    def _load(self, device: "torch.device") -> EasyOcrNetworks:
        from webemo_curate.ocr.easyocr.craft import HeatmapNetwork
        from webemo_curate.ocr.easyocr.line_recognizer import LineReader

        return EasyOcrNetworks(
            HeatmapNetwork(load_tensors(self.detection), device),
            LineReader(load_tensors(self.recognition), device, self._batching.batch_size),
        )

    def _ready(self) -> EasyOcrNetworks:
        assert self._networks is not None, "setup() comes first"  # noqa: S101
        return self._networks

    def _canvas(self, pixels: Pixels) -> Pixels:
        from webemo_curate.ocr.easyocr.craft import make_canvas

        return make_canvas(pixels, self.short_side).pixels

    def _heatmaps(self, canvases: Pixels) -> "list[Heatmap | None]":
        return self._ready().heatmaps(canvases)

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
        return iter(self._ready().reader.read([crop for cuts in found for _, crop in cuts]))

    def _to_box(
        self, box: "LineCrop", reading: tuple[str, float], size: tuple[int, int]
    ) -> TextBox:
        line, (text, confidence) = box[0], reading
        polygon = tuple(float(number) for number in line.corners.ravel())
        return TextBox(polygon, line.score, text, confidence, polygon_area(polygon, *size))
