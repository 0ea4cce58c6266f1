"""RandAugment on the CPU, an image at a time by Pillow itself: the same bytes as `pixel_ops`.

What takes a batch's whole memory many times over in `pixel_ops`, which suits a GPU, passes through
an image's here, which suits a CPU.
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageEnhance, ImageFilter, ImageOps

from webemo_curate.training.augment.magnitudes import Draw, Matrix

MODE, PLANE = "RGB", "L"
LEVEL_BITS = 8

Planes = NDArray[np.uint8]
ImageOp = Callable[[Image.Image, Draw], Image.Image]
"""Changes a picture by the draw of one image."""


def picture_of(planes: Planes) -> Image.Image:
    """Return pixels of shape (3, S, S), uint8, as a picture."""
    return Image.merge(MODE, [Image.fromarray(plane) for plane in np.ascontiguousarray(planes)])


def planes_of(picture: Image.Image) -> Planes:
    """Return a picture's pixels: uint8, shape (3, S, S)."""
    return np.stack([np.asarray(plane) for plane in picture.split()])


def _posterize(picture: Image.Image, draw: Draw) -> Image.Image:
    return ImageOps.posterize(picture, LEVEL_BITS - draw.dropped_bits)


def _solarize(picture: Image.Image, draw: Draw) -> Image.Image:
    return ImageOps.solarize(picture, draw.solarized_from)


def _enhanced(kind: Callable[[Image.Image], ImageEnhance._Enhance]) -> ImageOp:
    return lambda picture, draw: kind(picture).enhance(float(draw.enhancements[0]))


def _warped(matrix_of: Callable[[Draw, int], Matrix]) -> ImageOp:
    def warp(picture: Image.Image, draw: Draw) -> Image.Image:
        matrix = [float(np.ravel(value)[0]) for value in matrix_of(draw, picture.width)]
        fill = (draw.fill,) * len(MODE)
        return picture.transform(
            picture.size, Image.Transform.AFFINE, matrix, Image.Resampling.NEAREST, fillcolor=fill
        )

    return warp


def _cutout(picture: Image.Image, draw: Draw) -> Image.Image:
    (left, top), (right, bottom) = (ends[0].astype(int) for ends in draw.squares(picture.width))
    covered = picture.copy()
    covered.paste((draw.fill,) * len(MODE), (left, top, right, bottom))
    return covered


def _filtered(kernel: type[ImageFilter.BuiltinFilter]) -> ImageOp:
    return lambda picture, _: picture.filter(kernel)


OPS: tuple[ImageOp, ...] = (
    lambda picture, _: picture,
    lambda picture, _: ImageOps.autocontrast(picture),
    lambda picture, _: ImageOps.equalize(picture),
    lambda picture, _: ImageOps.invert(picture),
    _warped(Draw.rotations),
    _posterize,
    _solarize,
    _enhanced(ImageEnhance.Color),
    _enhanced(ImageEnhance.Contrast),
    _enhanced(ImageEnhance.Brightness),
    _enhanced(ImageEnhance.Sharpness),
    _warped(lambda draw, _: draw.shears_x()),
    _warped(lambda draw, _: draw.shears_y()),
    _warped(Draw.shifts_x),
    _warped(Draw.shifts_y),
    _cutout,
    _filtered(ImageFilter.BLUR),
    _filtered(ImageFilter.SMOOTH),
)
"""In the order of `pixel_ops.OPS`."""
