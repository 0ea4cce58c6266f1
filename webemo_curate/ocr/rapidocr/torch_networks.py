"""rapidocr's networks in torch, for a GPU: scores equal to ONNX Runtime's, up to rounding."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from webemo_curate.ocr.asking import Answer
from webemo_curate.ocr.graphed import Outputs
from webemo_curate.ocr.rapidocr.onnx_network import OnnxNetwork
from webemo_curate.ocr.rapidocr.rapidocr_networks import (
    PIXEL_THRESHOLD,
    RECOGNITION_MODEL,
    Detection,
    model_file,
)


class DetectionNetwork:
    """A network that scores pixels; a `DeviceNetwork` of canvases, uint8 (height, width, 3) RGB.

    An answer is float32 (1, height, width), 0 to 1; None if no pixel exceeds `PIXEL_THRESHOLD`.

    Parameters
    ----------
    detection : Detection
        The network.
    device : torch.device
        The device to run on.
    """

    def __init__(self, detection: Detection, device: torch.device) -> None:
        self._network = OnnxNetwork(detection.path, device)
        self._mean, self._deviation = (
            torch.tensor(each, device=device) for each in (detection.mean, detection.deviation)
        )

    def run(self, batch: Tensor) -> Outputs:
        """Return the scores and the largest score of each canvas; see `DeviceNetwork.run`."""
        normal = (batch.float() / 255 - self._mean) / self._deviation
        scores = self._network(_to_bgr(normal))
        return scores, scores.amax((1, 2, 3))

    def answers(self, outputs: Sequence[NDArray[Any]]) -> list[Answer]:
        """Split the outputs; see `DeviceNetwork.answers`."""
        scores, peaks = outputs
        return [
            (each,) if peak > PIXEL_THRESHOLD else None
            for each, peak in zip(scores, peaks, strict=True)
        ]


class RecognitionNetwork:
    """The recognizer; a `DeviceNetwork` of crops, uint8 (48, width, 3) RGB.

    An answer is int64 (step,), the symbols, and float32 (step,), their probabilities.

    Parameters
    ----------
    device : torch.device
        The device to run on, in single precision.
    """

    def __init__(self, device: torch.device) -> None:
        self._network = OnnxNetwork(model_file(RECOGNITION_MODEL), device)

    def run(self, batch: Tensor) -> Outputs:
        """Return the most likely symbols and their probabilities; see `DeviceNetwork.run`."""
        best = self._network(_to_bgr(batch.float() / 127.5 - 1)).max(2)
        return best.indices, best.values

    def answers(self, outputs: Sequence[NDArray[Any]]) -> list[Answer]:
        """Split the outputs; see `DeviceNetwork.answers`."""
        symbols, probabilities = outputs
        return [
            (np.asarray(each), np.asarray(sure))
            for each, sure in zip(symbols, probabilities, strict=True)
        ]


def _to_bgr(rgb: Tensor) -> Tensor:
    """Convert (batch, height, width, RGB) to the networks' (batch, BGR, height, width)."""
    return rgb.flip(3).permute(0, 3, 1, 2).contiguous()
