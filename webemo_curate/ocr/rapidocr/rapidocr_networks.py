"""Detection and recognition networks on the CPU by ONNX Runtime; see `torch_networks` for GPUs.

They are rapidocr's PP-OCR networks, and a detector of our own for words drawn over photos.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from webemo_curate.ocr.detector import EngineError
from webemo_curate.ocr.pixels import Pixels
from webemo_curate.onnx_runtime import open_session

RECOGNITION_MODEL = "PP-OCRv6_rec_small.onnx"

Color = tuple[float, float, float]


@dataclass(frozen=True)
class Detection:
    """A network that scores the pixels of a picture.

    Attributes
    ----------
    file
        Its ONNX file, whose name tells versions apart. Its input is BGR.
    mean, deviation
        Mean and deviation by which its input, 0 to 1 in RGB, is normalized.
    unclip_ratio
        How far its boxes are grown before they are read; it was trained on shrunken boxes.
    folder
        Folder of its file; None for rapidocr's wheel.
    """

    file: str
    mean: Color
    deviation: Color
    unclip_ratio: float
    folder: Path | None = None

    @property
    def path(self) -> Path:
        """Path of the file; raises the errors of `model_file` if it is missing."""
        return self.folder / self.file if self.folder else model_file(self.file)


ANY_TEXT = Detection(
    "PP-OCRv6_det_small.onnx", (0.485, 0.456, 0.406), (0.229, 0.224, 0.225), unclip_ratio=1.6
)
"""PP-OCR's network, normalized with ImageNet's values: this finds faint watermarks more often than
rapidocr's 0.5 and 0.5. The ratio is that of rapidocr's config.yaml, section Det."""

PIXEL_THRESHOLD = 0.3
"""Score above which a pixel belongs to text (rapidocr's config.yaml, section Det)."""

CHARACTERS = "character"
"""Key under which the recognizer's file holds its alphabet, one character a line."""

Heatmap = NDArray[np.float32]
Symbols = tuple[NDArray[np.int64], NDArray[np.float32]]


class RapidOcrNetworks(Protocol):
    """Both networks, loaded on a device."""

    @property
    def characters(self) -> list[str]:
        """The recognizer's alphabet."""

    def heatmaps(self, canvases: Sequence[Pixels]) -> list[Heatmap | None]:
        """Score pixels.

        Parameters
        ----------
        canvases : Sequence of numpy.ndarray
            uint8, (height, width, 3) RGB, of any sizes; both sides multiples of 32.

        Returns
        -------
        list of numpy.ndarray or None
            For each canvas float32 (1, 1, height, width), 0 to 1; None if no pixel exceeds
            `PIXEL_THRESHOLD`, because no box can then be decoded.
        """

    def symbols(self, crops: Sequence[Pixels]) -> list[Symbols]:
        """Read crops.

        Parameters
        ----------
        crops : Sequence of numpy.ndarray
            uint8, (48, width, 3) RGB, of any widths.

        Returns
        -------
        list of (numpy.ndarray, numpy.ndarray)
            For each crop int64 (step,), the most likely symbol of each step, and float32 (step,),
            its probability.
        """


class CpuNetworks:
    """The networks in ONNX Runtime, with one thread, because parallelism comes from processes.

    Parameters
    ----------
    detection : Detection
        The detection network.
    """

    def __init__(self, detection: Detection) -> None:
        self._detector = _open_session(detection.path)
        self._reader = _open_session(model_file(RECOGNITION_MODEL))
        self._mean = np.array(detection.mean, np.float32)
        self._deviation = np.array(detection.deviation, np.float32)

    @property
    def characters(self) -> list[str]:
        """The recognizer's alphabet."""
        metadata = self._reader.get_modelmeta().custom_metadata_map
        return list(metadata[CHARACTERS].splitlines())

    def heatmaps(self, canvases: Sequence[Pixels]) -> list[Heatmap | None]:
        """Score pixels; see `RapidOcrNetworks.heatmaps`."""
        return [self._heatmap(canvas) for canvas in canvases]

    def symbols(self, crops: Sequence[Pixels]) -> list[Symbols]:
        """Read crops; see `RapidOcrNetworks.symbols`."""
        return [self._symbols(crop) for crop in crops]

    def _heatmap(self, canvas: Pixels) -> Heatmap | None:
        normal = (canvas.astype(np.float32) / np.float32(255) - self._mean) / self._deviation
        scores = _run(self._detector, normal[None])
        return scores if scores.max() > PIXEL_THRESHOLD else None

    def _symbols(self, crop: Pixels) -> Symbols:
        normal = crop.astype(np.float32) / np.float32(127.5) - np.float32(1)
        (probabilities,) = _run(self._reader, normal[None])
        return probabilities.argmax(1), probabilities.max(1)


def model_file(name: str) -> Path:
    """Return the path of a network in rapidocr's wheel; nothing is ever downloaded.

    Parameters
    ----------
    name : str
        The file's name.

    Returns
    -------
    Path
        An existing file.

    Raises
    ------
    EngineError
        If the file is missing.
    """
    package = find_spec("rapidocr")
    path = Path(str(package.origin)).parent / "models" / name if package else Path(name)
    if not path.is_file():
        raise EngineError(
            f"{path}: rapidocr's network is missing; reinstall it: "
            "pip install --force-reinstall --no-deps rapidocr"
        )
    return path


@cache
def _open_session(path: Path) -> Any:
    """Open a network, once a process: every look reads with the same recognizer."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 4
    # Every image has its own shape: an arena would keep the largest buffers ever needed.
    options.enable_cpu_mem_arena = False
    return open_session(path, options)


def _run(session: Any, rgb: NDArray[np.float32]) -> NDArray[np.float32]:
    batch = np.ascontiguousarray(rgb[..., ::-1].transpose(0, 3, 1, 2))
    (output,) = session.run(None, {session.get_inputs()[0].name: batch})
    return np.asarray(output, np.float32)
