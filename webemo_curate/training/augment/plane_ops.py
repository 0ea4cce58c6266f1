"""RandAugment on the CPU, an image at a time: the same bytes as `pixel_ops`.

What takes a batch's whole memory many times over in `pixel_ops`, which suits a GPU, passes through
a single channel's here, which stays in a core's cache. All arithmetic is on whole numbers, except
where Pillow blends in float32.
"""

from collections.abc import Callable, Sequence

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from webemo_curate.training.augment.magnitudes import LEVELS, Draw, Floats, Matrix
from webemo_curate.training.augment.neighborhoods import FIXED_BITS
from webemo_curate.training.augment.pixel_ops import LUMA, LUMA_ROUND, LUMA_SHIFT, TOP

ALL_LEVELS = np.arange(LEVELS, dtype=np.uint8)

Planes = NDArray[np.uint8]
"""An image's pixels, shape (3, S, S), contiguous."""

PlaneOp = Callable[[Planes, Draw], Planes]
"""Changes an image by its own draw; the planes given stay as they are."""


def mirror(planes: Planes) -> Planes:
    """Exchange left and right."""
    return np.asarray(cv2.flip(_tall(planes), 1), np.uint8).reshape(planes.shape)


def _auto_contrast(planes: Planes, _: Draw) -> Planes:
    return _look_up(planes, [_stretching(int(p.min()), int(p.max())) for p in planes])


def _stretching(low: int, high: int) -> NDArray[np.uint8]:
    if high <= low:
        return ALL_LEVELS
    scale = TOP / (high - low)
    return np.clip(np.trunc(np.arange(LEVELS) * scale - low * scale), 0, TOP).astype(np.uint8)


def _equalize(planes: Planes, _: Draw) -> Planes:
    return _look_up(planes, [_flattening(plane) for plane in planes])


def _flattening(plane: Planes) -> NDArray[np.uint8]:
    counts = cv2.calcHist([plane], [0], None, [LEVELS], [0, LEVELS])
    histogram = counts.ravel().astype(np.int64)
    step = int(plane.size - histogram[plane.max()]) // TOP
    if not step:
        return ALL_LEVELS
    below = histogram.cumsum() - histogram
    return np.minimum((below + step // 2) // step, TOP).astype(np.uint8)


def _posterize(planes: Planes, draw: Draw) -> Planes:
    return planes & np.uint8(TOP >> draw.dropped_bits << draw.dropped_bits)


def _solarize(planes: Planes, draw: Draw) -> Planes:
    kept = np.arange(LEVELS) < draw.solarized_from
    return _look_up_all(planes, np.where(kept, ALL_LEVELS, ~ALL_LEVELS))


def _color(planes: Planes, draw: Draw) -> Planes:
    return _blend(planes, np.broadcast_to(_gray(planes), planes.shape), draw.enhancements)


def _contrast(planes: Planes, draw: Draw) -> Planes:
    gray = _gray(planes)
    mean = (2 * int(cv2.sumElems(gray)[0]) + gray.size) // (2 * gray.size)
    return _blend_levels(planes, mean, draw.enhancements)


def _brightness(planes: Planes, draw: Draw) -> Planes:
    return _blend_levels(planes, 0, draw.enhancements)


def _sharpness(planes: Planes, draw: Draw) -> Planes:
    return _blend(planes, _smooth(planes, draw), draw.enhancements)


def _smooth(planes: Planes, _: Draw) -> Planes:
    """Weigh the center 5 and its neighbors 1; see `neighborhoods.SMOOTH_KERNEL`."""
    sums = _sums(planes, 3)
    center = planes.astype(np.uint16)
    center <<= 2
    sums += center
    sums += 6  # no sum lies half between two multiples of 13
    return _framed((sums // 13).astype(np.uint8), planes, 1)


def _blur(planes: Planes, _: Draw) -> Planes:
    """Weigh the 16 pixels on the edge of a square alike; see `neighborhoods.BLUR_KERNEL`."""
    sums = _sums(planes, 5) - _sums(planes, 3)
    sums += 8
    return _framed((sums >> 4).astype(np.uint8), planes, 2)


def _sums(planes: Planes, side: int) -> NDArray[np.uint16]:
    """Add up the square around each pixel; wrong at borders, where planes meet."""
    tall = cv2.boxFilter(_tall(planes), cv2.CV_16U, (side, side), normalize=False)
    return np.asarray(tall, np.uint16).reshape(planes.shape)


def _framed(changed: Planes, planes: Planes, border: int) -> Planes:
    """Keep the border of the image as it was."""
    for lines in (slice(None, border), slice(-border, None)):
        changed[:, lines] = planes[:, lines]
        changed[:, :, lines] = planes[:, :, lines]
    return changed


def _warped(matrix_of: Callable[[Draw, int], Matrix]) -> PlaneOp:
    def warp(planes: Planes, draw: Draw) -> Planes:
        side = planes.shape[-1]
        matrix = [float(np.ravel(value)[0]) for value in matrix_of(draw, side)]
        picture = Image.fromarray(cv2.merge(list(planes)))
        warped = picture.transform(
            picture.size,
            Image.Transform.AFFINE,
            matrix,
            Image.Resampling.NEAREST,
            fillcolor=(draw.fill,) * len(planes),
        )
        return np.stack(cv2.split(np.asarray(warped)))

    return warp


def _shifted(matrix_of: Callable[[Draw, int], Matrix]) -> PlaneOp:
    """Take pixels from as many whole pixels on along an axis as `neighborhoods.warp` does."""

    def shift(planes: Planes, draw: Draw) -> Planes:
        side = planes.shape[-1]
        _, _, across, _, _, down = matrix_of(draw, side)
        shifted = np.full_like(planes, draw.fill)
        taken, put = zip(*(_overlap(by, side) for by in (down, across)), strict=True)
        shifted[:, *put] = planes[:, *taken]
        return shifted

    return shift


def _overlap(by: Floats | float, side: int) -> tuple[slice, slice]:
    """Return which of `side` lines are taken at a shift in pixels, and where they are put."""
    center = float(np.ravel(by)[0]) + 0.5
    whole = int(np.floor(center * 2**FIXED_BITS + 0.5)) >> FIXED_BITS
    return slice(max(whole, 0), max(side + whole, 0)), slice(max(-whole, 0), max(side - whole, 0))


def _cutout(planes: Planes, draw: Draw) -> Planes:
    begin, end = (ends[0].astype(int).clip(0) for ends in draw.squares(planes.shape[-1]))
    covered = planes.copy()
    covered[:, begin[1] : end[1], begin[0] : end[0]] = draw.fill
    return covered


def _tall(planes: Planes) -> Planes:
    """Lay the planes below one another: OpenCV takes them as one gray picture."""
    return planes.reshape(-1, planes.shape[-1])


def _look_up_all(planes: Planes, table: NDArray[np.uint8]) -> Planes:
    return np.asarray(cv2.LUT(_tall(planes), table), np.uint8).reshape(planes.shape)


def _look_up(planes: Planes, tables: Sequence[NDArray[np.uint8]]) -> Planes:
    """Replace levels by those in each channel's table of 256."""
    return np.stack([cv2.LUT(plane, table) for plane, table in zip(planes, tables, strict=True)])


def _gray(planes: Planes) -> NDArray[np.uint8]:
    sums = np.full(planes.shape[1:], LUMA_ROUND, np.int32)
    for plane, weight in zip(planes, LUMA, strict=True):
        weighted = plane.astype(np.int32)  # a product of mixed types takes twice the time
        weighted *= weight
        sums += weighted
    sums >>= LUMA_SHIFT
    return sums.astype(np.uint8)


def _blend_levels(planes: Planes, level: int, factors: Floats) -> Planes:
    base = np.full_like(ALL_LEVELS, level)
    return _look_up_all(planes, _blend(ALL_LEVELS[None], base[None], factors)[0])


def _blend(planes: Planes, bases: Planes, factors: Floats) -> Planes:
    """Blend as `Image.blend` does: in float32, clipped and truncated, not rounded."""
    alpha = np.float32(factors[0])
    blended = np.empty_like(planes)
    for plane, degenerate, result in zip(planes, bases, blended, strict=True):
        base = degenerate.astype(np.float32)
        mixed = plane.astype(np.float32)
        mixed -= base
        mixed *= alpha
        mixed += base
        np.clip(mixed, 0, TOP, out=mixed)
        result[...] = mixed
    return blended


OPS: tuple[PlaneOp, ...] = (
    lambda planes, _: planes,
    _auto_contrast,
    _equalize,
    lambda planes, _: ~planes,
    _warped(Draw.rotations),
    _posterize,
    _solarize,
    _color,
    _contrast,
    _brightness,
    _sharpness,
    _warped(lambda draw, _: draw.shears_x()),
    _warped(lambda draw, _: draw.shears_y()),
    _shifted(Draw.shifts_x),
    _shifted(Draw.shifts_y),
    _cutout,
    _blur,
    _smooth,
)
"""In the order of `pixel_ops.OPS`."""
