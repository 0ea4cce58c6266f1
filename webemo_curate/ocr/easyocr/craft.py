"""Run CRAFT, EasyOCR's detection network, on batches of equal canvases; decode its heatmaps.

CRAFT (Baek et al., CVPR 2019) gives each pixel two scores: that of being a character's center, and
that of lying between two characters of a word. Network and decoding are EasyOCR's; its loader, its
loop over single images and its resizing by the long side are not used.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import cv2
import numpy as np
import torch
from easyocr.craft import CRAFT
from easyocr.craft_utils import adjustResultCoordinates, getDetBoxes
from easyocr.utils import group_text_box
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from webemo_curate.errors import InputError
from webemo_curate.ocr.asking import Answer
from webemo_curate.ocr.canvas import STRIDE, scale_for
from webemo_curate.ocr.graphed import Outputs
from webemo_curate.ocr.pixels import Pixels
from webemo_curate.system_faults import raise_system_fault

MEAN = (0.485 * 255, 0.456 * 255, 0.406 * 255)
DEVIATION = (0.229 * 255, 0.224 * 255, 0.225 * 255)
"""Mean and deviation of ImageNet, in RGB on the 0-255 scale, as in EasyOCR."""

TEXT_THRESHOLD = 0.7
LINK_THRESHOLD = 0.4
LOW_TEXT = 0.4
"""EasyOCR's default thresholds: a word's best pixel, a link, and a word's pixels."""

GROUPING = {
    "slope_ths": 0.1,
    "ycenter_ths": 0.5,
    "height_ths": 0.5,
    "width_ths": 0.5,
    "add_margin": 0.1,
}
"""EasyOCR's default limits for joining words into lines."""

HEATMAP_STEP = 2
"""Canvas pixels for each heatmap pixel."""

Heatmap = NDArray[np.float32]


@dataclass(frozen=True)
class Canvas:
    """An image scaled and padded for the network.

    Attributes
    ----------
    pixels
        uint8, (height, width, 3) RGB; both sides multiples of `STRIDE`, padded with black.
    scale
        Canvas pixels for each image pixel.
    """

    pixels: Pixels
    scale: float


@dataclass(frozen=True)
class Line:
    """A line of text found in a heatmap.

    Attributes
    ----------
    corners
        float32, (4, 2), image pixels, clockwise from the top left.
    upright
        Whether the line is a rectangle parallel to the image's axes.
    score
        Largest character score within its bounds, at most 1.
    """

    corners: NDArray[np.float32]
    upright: bool
    score: float


class HeatmapNetwork:
    """CRAFT on one device; a `DeviceNetwork` of canvases, uint8 (height, width, 3) RGB.

    An answer is float32 (height / 2, width / 2, 2): character and link scores. It is None if no
    pixel reaches `TEXT_THRESHOLD`, because no word can then be decoded.

    Parameters
    ----------
    state : Mapping of str to Tensor
        The weights as published by EasyOCR.
    device : torch.device
        Half precision is used on CUDA, single precision elsewhere.

    Raises
    ------
    InputError
        If the weights belong to another network.
    """

    def __init__(self, state: Mapping[str, Tensor], device: torch.device) -> None:
        # Built without memory: EasyOCR would draw 20 million random numbers only to overwrite them.
        with torch.device("meta"):
            network = CRAFT()
        try:
            network.load_state_dict(state, assign=True)
        except RuntimeError as error:
            raise_system_fault(error)
            raise InputError(f"the detection weights are not CRAFT's: {error}") from error
        _fuse(network.eval())
        self.device = device
        self.dtype = torch.float16 if device.type == "cuda" else torch.float32
        self._network = network.to(device, self.dtype, memory_format=torch.channels_last)
        self._mean = torch.tensor(MEAN, device=device)
        self._deviation = torch.tensor(DEVIATION, device=device)

    def run(self, batch: Tensor) -> Outputs:
        """Return heatmaps and their largest character scores; see `DeviceNetwork.run`."""
        heatmaps = self.heatmaps(batch)
        return heatmaps, heatmaps[..., 0].amax((1, 2))

    def answers(self, outputs: Sequence[NDArray[Any]]) -> list[Answer]:
        """Split the outputs; see `DeviceNetwork.answers`."""
        heatmaps, peaks = outputs
        return [
            (each,) if peak >= TEXT_THRESHOLD else None
            for each, peak in zip(heatmaps, peaks, strict=True)
        ]

    @torch.inference_mode()
    def heatmaps(self, canvases: Tensor) -> Tensor:
        """Return the scores of a batch: float32, (batch, height / 2, width / 2, 2)."""
        on_device = canvases.to(self.device, non_blocking=True).float()
        normal = ((on_device - self._mean) / self._deviation).to(self.dtype)
        # Stored as (batch, height, width, channel), so the permuted view is already channels_last.
        scores, _ = self._network(normal.permute(0, 3, 1, 2))
        return scores.float()


def make_canvas(pixels: Pixels, short_side: int) -> Canvas:
    """Scale an image and pad it to the network's stride.

    Parameters
    ----------
    pixels : numpy.ndarray
        uint8, (height, width, 3) RGB.
    short_side : int
        Length to scale the short side to, in pixels.

    Returns
    -------
    Canvas
        With as little padding as possible: a wider rim would change the scores beside it.
    """
    height, width = pixels.shape[:2]
    scale = scale_for(width, height, short_side)
    size = max(1, int(width * scale)), max(1, int(height * scale))
    resized = cv2.resize(pixels, size, interpolation=cv2.INTER_LINEAR)
    canvas = np.zeros((_to_stride(size[1]), _to_stride(size[0]), 3), np.uint8)
    canvas[: size[1], : size[0]] = resized
    return Canvas(canvas, scale)


def decode_lines(heatmap: Heatmap, scale: float) -> list[Line]:
    """Find the lines of text in a heatmap, as `easyocr.Reader.detect` does with min_size=0.

    Parameters
    ----------
    heatmap : numpy.ndarray
        float32, (height / 2, width / 2, 2).
    scale : float
        Canvas pixels for each image pixel.

    Returns
    -------
    list of Line
        Upright lines first.
    """
    characters, links = heatmap[..., 0], heatmap[..., 1]
    words, _, _ = getDetBoxes(characters, links, TEXT_THRESHOLD, LINK_THRESHOLD, LOW_TEXT)
    placed = adjustResultCoordinates(words, 1 / scale, 1 / scale, HEATMAP_STEP)
    polygons = [np.array(word).astype(np.int32).reshape(-1) for word in placed]
    upright, slanted = group_text_box(polygons, **GROUPING)
    rectangles = [(_rectangle(*box), True) for box in upright]
    quadrilaterals = [(np.array(box, np.float32), False) for box in slanted]
    return [
        Line(corners, is_upright, _peak(characters, corners * (scale / HEATMAP_STEP)))
        for corners, is_upright in [*rectangles, *quadrilaterals]
    ]


def _fuse(network: nn.Module) -> None:
    """Fold each batch norm into the convolution before it (exact in evaluation mode)."""
    for sequence in [part for part in network.modules() if isinstance(part, nn.Sequential)]:
        names = list(sequence._modules)
        for name, following in pairwise(names):
            layer, norm = sequence.get_submodule(name), sequence.get_submodule(following)
            if isinstance(layer, nn.Conv2d) and isinstance(norm, nn.BatchNorm2d):
                sequence.set_submodule(name, fuse_conv_bn_eval(layer, norm))
                sequence.set_submodule(following, nn.Identity())


def _to_stride(length: int) -> int:
    return math.ceil(length / STRIDE) * STRIDE


def _rectangle(left: Any, right: Any, top: Any, bottom: Any) -> NDArray[np.float32]:
    return np.array([[left, top], [right, top], [right, bottom], [left, bottom]], np.float32)


def _peak(characters: Heatmap, corners: NDArray[np.float32]) -> float:
    """Return the largest score within the bounds of corners given in heatmap pixels."""
    left, top = np.clip(np.floor(corners.min(axis=0)).astype(int), 0, None)
    right, bottom = np.ceil(corners.max(axis=0)).astype(int) + 1
    return min(1.0, float(characters[top:bottom, left:right].max(initial=0)))
