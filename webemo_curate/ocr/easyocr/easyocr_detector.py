"""EasyOCR's networks in batches: the engine for a GPU, slow but equal on a CPU."""

from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from PIL import Image

from webemo_curate.ocr.batches import Batching, batching, map_batches
from webemo_curate.ocr.detector import Device, TextBox, polygon_area
from webemo_curate.ocr.easyocr.weight_files import PUBLISHED, WeightFile, check, load_tensors

if TYPE_CHECKING:
    import torch

    from webemo_curate.ocr.easyocr.craft import Heatmap, HeatmapNetwork, Line
    from webemo_curate.ocr.easyocr.line_recognizer import Crop, LineReader

Cut = list[tuple["Line", "Crop"]]


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
class EasyDetector:
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

    @property
    def images_at_once(self) -> int:
        """Images worth passing together; see `TextDetector`."""
        return self._batching.images

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

    def detect(self, images: Sequence[Image.Image]) -> list[list[TextBox]]:
        """Find and read the text of each image; see `TextDetector.detect`.

        Threads scale images and decode heatmaps while the network runs; the lines of all images
        are then read together.
        """
        networks = self._ready()
        with ThreadPoolExecutor(self._batching.threads) as pool:
            cuts = [future.result() if future else [] for future in self._locate(images, pool)]
        readings = iter(networks.reader.read([crop for cut in cuts for _, crop in cut]))
        found = [
            [_to_box(line, next(readings), image.size) for line, _ in cut]
            for image, cut in zip(images, cuts, strict=True)
        ]
        return [sorted(boxes, key=_from_top_to_bottom) for boxes in found]

    @property
    def _batching(self) -> Batching:
        return batching(self.device, self.batch_size)

    def _load(self, device: "torch.device") -> EasyOcrNetworks:
        from webemo_curate.ocr.easyocr.craft import HeatmapNetwork
        from webemo_curate.ocr.easyocr.line_recognizer import LineReader

        return EasyOcrNetworks(
            HeatmapNetwork(load_tensors(self.detection), device),
            LineReader(load_tensors(self.recognition), device, self._batching.batch_size),
        )

    def _locate(
        self, images: Sequence[Image.Image], pool: ThreadPoolExecutor
    ) -> list[Future[Cut] | None]:
        """Run detection; returns for each image its lines being cut, None if it has none."""
        from webemo_curate.ocr.easyocr.craft import make_canvas

        networks = self._ready()
        canvases = list(
            pool.map(lambda image: make_canvas(np.asarray(image), self.short_side), images)
        )

        def cut(batch: list[int]) -> list[Future[Cut] | None]:
            heatmaps = networks.heatmaps(np.stack([canvases[i].pixels for i in batch]))
            return [
                None
                if heatmap is None
                else pool.submit(self._cut, images[index], heatmap, canvases[index].scale)
                for index, heatmap in zip(batch, heatmaps, strict=True)
            ]

        sizes = [canvas.pixels.shape for canvas in canvases]
        return map_batches(sizes, self._batching.batch_size, cut)

    def _ready(self) -> EasyOcrNetworks:
        assert self._networks is not None, "setup() comes first"  # noqa: S101
        return self._networks

    def _cut(self, image: Image.Image, heatmap: "Heatmap", scale: float) -> Cut:
        from webemo_curate.ocr.easyocr.craft import decode_lines
        from webemo_curate.ocr.easyocr.line_recognizer import cut_line

        gray = np.asarray(image.convert("L"))
        lines = [line for line in decode_lines(heatmap, scale) if line.score >= self.score_floor]
        crops = [cut_line(gray, line) for line in lines]
        return [(line, crop) for line, crop in zip(lines, crops, strict=True) if crop is not None]


def _to_box(line: "Line", reading: tuple[str, float], size: tuple[int, int]) -> TextBox:
    polygon = tuple(float(number) for number in line.corners.ravel())
    text, confidence = reading
    return TextBox(polygon, line.score, text, confidence, polygon_area(polygon, *size))


def _from_top_to_bottom(box: TextBox) -> tuple[float, ...]:
    return box.polygon[1], box.polygon[0]
