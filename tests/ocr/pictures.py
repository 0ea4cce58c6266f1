"""Pictures with and without words, drawn by the tests."""

import numpy as np
from PIL import Image, ImageDraw, ImageFilter, ImageFont

from webemo_curate.ocr.pixels import to_pixels


def as_pixels(pictures):
    """Return the pixels of pictures, as detectors take them."""
    return [to_pixels(picture) for picture in pictures]


def scene(seed=0, size=(220, 160)):
    """Return soft blobs of color, as out-of-focus photos have them, without text."""
    blocks = np.random.default_rng(seed).integers(40, 216, (4, 5, 3), dtype=np.uint8)
    return Image.fromarray(blocks).resize(size, Image.Resampling.BICUBIC)


def with_words(words, height=28, seed=0, size=(220, 160), angle=0.0):
    """Return a scene with words across its middle, as tall as `height` pixels."""
    font = ImageFont.load_default(height)
    layer = Image.new("L", size)
    draw = ImageDraw.Draw(layer)
    draw.text((size[0] / 2, size[1] / 2), words, 255, font, anchor="mm")
    layer = layer.rotate(angle, Image.Resampling.BICUBIC)
    halo = layer.filter(ImageFilter.MaxFilter(5))
    picture = scene(seed, size)
    picture.paste("black", mask=halo)
    picture.paste("white", mask=layer)
    return picture
