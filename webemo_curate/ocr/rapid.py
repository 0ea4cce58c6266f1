"""rapidocr's PP-OCR networks on the CPU, driven one image at a time by ONNX Runtime.

The networks, their box decoding and their text decoding are rapidocr's. Its `RapidOCR` class is
left aside: it enlarges every image to 736 pixels, pads every crop to 320 and downloads what it
misses.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from webemo_curate.ocr.base import EngineError, TextBox, polygon_area
from webemo_curate.ocr.canvas import STRIDE, scale_for

DETECTION_MODEL = "PP-OCRv6_det_small.onnx"
RECOGNITION_MODEL = "PP-OCRv6_rec_small.onnx"

MEAN = np.array([0.485, 0.456, 0.406], np.float32)
DEVIATION = np.array([0.229, 0.224, 0.225], np.float32)
"""ImageNet's, in RGB: faint watermarks are found more often than with rapidocr's 0.5 and 0.5."""

PIXEL_THRESHOLD = 0.3
UNCLIP_RATIO = 1.6
MAX_CANDIDATES = 1000
"""rapidocr's own settings of the box decoding (its config.yaml, section Det)."""

RECOGNITION_HEIGHT = 48
WIDEST_CROP = 2048
"""Pixels; the recogniser reads crops 48 pixels high, squeezed if they would be wider than this."""

Pixels = NDArray[np.uint8]
Tensor = NDArray[np.float32]


def engine_version() -> str:
    """Return rapidocr's version and its networks' names, without importing it."""
    return f"{version('rapidocr')} {Path(DETECTION_MODEL).stem} {Path(RECOGNITION_MODEL).stem}"


def canvas_size(width: int, height: int, short_side: int) -> tuple[int, int]:
    """Return the size at which an image is shown to the detection network.

    Parameters
    ----------
    width, height : int
        The image's size in pixels.
    short_side : int
        Pixels its short side is scaled to.

    Returns
    -------
    (int, int)
        Width and height, multiples of `STRIDE`.
    """
    scale = scale_for(width, height, short_side)
    return _to_stride(width * scale), _to_stride(height * scale)


@dataclass
class RapidDetector:
    """PP-OCR detection and recognition; a `TextDetector`.

    Parameters
    ----------
    short_side : int
        Pixels the short side is scaled to for detection.
    score_floor : float
        Boxes whose detection score is lower are not kept.
    """

    short_side: int
    score_floor: float
    _detector: Any = field(default=None, init=False, repr=False)
    _recogniser: Any = field(default=None, init=False, repr=False)
    _decode_boxes: Any = field(default=None, init=False, repr=False)
    _decode_text: Any = field(default=None, init=False, repr=False)

    @property
    def images_at_once(self) -> int:
        """One: batches gain nothing on a CPU."""
        return 1

    def setup(self) -> None:
        """Load both networks; see `TextDetector.setup`."""
        import cv2

        # One process is one core's worth: threads of OpenCV would fight for the other processes'.
        cv2.setNumThreads(1)
        self._detector = _open_session(DETECTION_MODEL)
        self._recogniser = _open_session(RECOGNITION_MODEL)
        self._decode_boxes = _box_decoder(self.score_floor)
        self._decode_text = _text_decoder(self._recogniser)

    def detect(self, images: Sequence[Image.Image]) -> list[list[TextBox]]:
        """Find and read the text of each image; see `TextDetector.detect`."""
        return [list(self._boxes(image)) for image in images]

    def _boxes(self, image: Image.Image) -> Iterator[TextBox]:
        from rapidocr.utils.process_img import get_rotate_crop_image

        pixels = np.asarray(image)
        height, width = pixels.shape[:2]
        for corners, score in self._locate(pixels):
            text, confidence = self._read(get_rotate_crop_image(pixels, corners))
            polygon = tuple(float(number) for number in corners.ravel())
            yield TextBox(polygon, score, text, confidence, polygon_area(polygon, width, height))

    def _locate(self, pixels: Pixels) -> list[tuple[Tensor, float]]:
        """Return corners (4, 2) and score of each box, from top to bottom."""
        import cv2

        height, width = pixels.shape[:2]
        canvas = canvas_size(width, height, self.short_side)
        shrinks = canvas[0] < width
        resized = cv2.resize(
            pixels, canvas, interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
        )
        normal = (resized.astype(np.float32) / np.float32(255) - MEAN) / DEVIATION
        heatmap = _run(self._detector, _to_bgr_batch(normal))
        corners, scores = self._decode_boxes(heatmap, (height, width))
        found = zip(corners, (float(score) for score in scores), strict=True)
        return sorted(found, key=lambda box: (*box[0][0][::-1].tolist(), box[1]))

    def _read(self, crop: Pixels) -> tuple[str, float]:
        """Return text and confidence of one crop, at its natural width."""
        import cv2

        width = math.ceil(crop.shape[1] * RECOGNITION_HEIGHT / crop.shape[0])
        resized = cv2.resize(crop, (min(width, WIDEST_CROP), RECOGNITION_HEIGHT))
        normal: Tensor = resized.astype(np.float32) / np.float32(127.5) - np.float32(1)
        lines, _ = self._decode_text(_run(self._recogniser, _to_bgr_batch(normal)))
        text, confidence = lines[0]
        return text.strip(), float(confidence)


def _to_stride(length: float) -> int:
    return max(STRIDE, round(length / STRIDE) * STRIDE)


def _to_bgr_batch(rgb: NDArray[Any]) -> Tensor:
    """Turn (height, width, RGB) into the networks' (1, BGR, height, width)."""
    return np.ascontiguousarray(rgb[:, :, ::-1].transpose(2, 0, 1)[None])


def _run(session: Any, batch: Tensor) -> Tensor:
    (output,) = session.run(None, {session.get_inputs()[0].name: batch})
    return np.asarray(output, np.float32)


def _open_session(model: str) -> Any:
    """Open a network of rapidocr's wheel with one thread; nothing is ever downloaded."""
    import onnxruntime

    package = find_spec("rapidocr")
    path = Path(str(package.origin)).parent / "models" / model if package else Path(model)
    if not path.is_file():
        raise EngineError(
            f"{path}: rapidocr's network is missing; reinstall it: "
            "pip install --force-reinstall --no-deps rapidocr"
        )
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 4
    # Every image has its own shape: an arena would keep the largest buffers it ever saw.
    options.enable_cpu_mem_arena = False
    return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])


def _box_decoder(score_floor: float) -> Any:
    from rapidocr.ch_ppocr_det.utils import DBPostProcess

    return DBPostProcess(
        thresh=PIXEL_THRESHOLD,
        box_thresh=score_floor,
        max_candidates=MAX_CANDIDATES,
        unclip_ratio=UNCLIP_RATIO,
        score_mode="fast",
        use_dilation=True,
    )


def _text_decoder(recogniser: Any) -> Any:
    from rapidocr.ch_ppocr_rec.utils import CTCLabelDecode

    characters = recogniser.get_modelmeta().custom_metadata_map["character"]
    return CTCLabelDecode(character=characters.splitlines())
