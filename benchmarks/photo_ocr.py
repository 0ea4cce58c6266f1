"""Run the text filter's engines over a folder of photos, for the benchmarks."""

import tempfile
from itertools import cycle, islice
from pathlib import Path

import numpy as np
import pyarrow as pa
from PIL import Image

from webemo_curate.config import FilterTextConfig
from webemo_curate.ocr.cascade import make_detector
from webemo_curate.ocr.detector import Device, TextDetector
from webemo_curate.ocr.easyocr.craft import HeatmapNetwork, decode_lines, make_canvas
from webemo_curate.ocr.easyocr.weight_files import DETECTION, load_tensors
from webemo_curate.ocr.selection import choose_engine
from webemo_curate.runner.job import Job
from webemo_curate.runner.local_runner import LocalRunner
from webemo_curate.stages.ocr import OcrWorker
from webemo_curate.storage.checkpoints import Checkpoints
from webemo_curate.storage.folder import FolderStore
from webemo_curate.storage.image_files import ImageFiles

CONFIG = FilterTextConfig()


def repeated(photos: Path | str, count: int) -> list[Path]:
    """Return so many paths of a folder's files, over again if it holds fewer."""
    return list(islice(cycle(sorted(Path(photos).iterdir())), count))


def rapid_detector(device: Device = "cpu") -> TextDetector:
    """Return rapidocr's engine as the command makes it, with its look for drawn words."""
    config = CONFIG.model_copy(update={"engine": "rapidocr", "device": device})
    return make_detector(config, choose_engine(config))


def photo_rows(photos: Path | str, count: int) -> pa.Table:
    """Return rows as the ocr stage selects them; one file has one row, under a name of its own."""
    rows = []
    for number, path in enumerate(repeated(photos, count)):
        with Image.open(path) as image:
            width, height = image.size
        row = {"sha256": f"{number:064x}", "place": str(path), "frames": 1}
        rows.append(row | {"width": width, "height": height})
    return pa.Table.from_pylist(rows)


def read_all(detector: TextDetector, photos: Path | str, count: int, workers: int) -> pa.Table:
    """Run the ocr stage's worker over photos, from files to rows of the manifest."""
    with tempfile.TemporaryDirectory() as checkpoints:
        job = Job(
            name="ocr",
            worker=OcrWorker(ImageFiles(Path("/")), "benchmark", "0", detector, 1),
            rows=photo_rows(Path(photos).absolute(), count),
            checkpoints=Checkpoints(FolderStore(Path(checkpoints)), "checkpoints"),
            partition_rows=CONFIG.partition_rows,
        )
        return LocalRunner(workers).run(job)


def easy_lines(photos: Path | str, count: int, weights: Path | str, short_side: int | None) -> None:
    """Find lines by EasyOCR's detection network in our own loop, one canvas at a time, on the CPU.

    Parameters
    ----------
    photos : Path or str
        Folder of photos.
    count : int
        Photos to look at.
    weights : Path or str
        Folder of EasyOCR's files.
    short_side : int, optional
        Pixels the short side is scaled to; None shows a photo as it is, as `Reader.detect` does.
    """
    import torch

    network = HeatmapNetwork(load_tensors(Path(weights) / DETECTION.name), torch.device("cpu"))
    for path in repeated(photos, count):
        pixels = np.asarray(Image.open(path).convert("RGB"))
        canvas = make_canvas(pixels, short_side or min(pixels.shape[:2]))
        (heatmap,) = network(canvas.pixels[None])
        if heatmap is not None:
            decode_lines(heatmap, canvas.scale)
