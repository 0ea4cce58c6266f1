"""Make the mishaps of pictures on the web: captions, copies at other sizes, crops, broken files."""

import io

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from webemo_curate.demo.scenes import Rng

WORDS = ("SUMMER SALE", "Hello world", "STOCK PHOTO", "Thank you", "BREAKING NEWS", "Good morning")
TEXT_SIZES = (16, 22, 30, 42)
QUALITY = 90
COPY_QUALITY = 75
COPY_SCALE = 0.75
CROP_SHARE = 0.06
"""Share cut from each side of a cropped copy."""


def captioned(image: Image.Image, rng: Rng) -> Image.Image:
    """Write a few words over a picture, in one of several sizes, dark on light or the reverse."""
    captioned_image = image.copy()
    pen = ImageDraw.Draw(captioned_image)
    font = ImageFont.load_default(int(rng.choice(TEXT_SIZES)))
    words = str(rng.choice(WORDS))
    left, top, right, bottom = pen.textbbox((0, 0), words, font)
    x = rng.uniform(2, max(3, image.width - right - 2))
    y = rng.uniform(2, max(3, image.height - bottom - 2))
    light = rng.random() < 0.5
    pen.text(
        (x - left, y - top),
        words,
        "white" if light else "black",
        font,
        stroke_width=2,
        stroke_fill="black" if light else "white",
    )
    return captioned_image


def rescaled(image: Image.Image) -> Image.Image:
    """Return a smaller copy."""
    size = round(image.width * COPY_SCALE), round(image.height * COPY_SCALE)
    return image.resize(size, Image.Resampling.BICUBIC)


def cropped(image: Image.Image) -> Image.Image:
    """Return a copy without its margins."""
    dx, dy = round(image.width * CROP_SHARE), round(image.height * CROP_SHARE)
    return image.crop((dx, dy, image.width - dx, image.height - dy))


def jpeg(image: Image.Image, quality: int = QUALITY) -> bytes:
    """Encode a picture."""
    stream = io.BytesIO()
    image.save(stream, "JPEG", quality=quality)
    return stream.getvalue()


def broken(content: bytes) -> bytes:
    """Return a JPEG cut off half way: its header is sound, its last rows are missing."""
    return content[: len(content) // 2]


def placeholder() -> bytes:
    """Return the picture that a host serves in place of a removed one."""
    image = Image.new("RGB", (220, 220), (235, 235, 235))
    ImageDraw.Draw(image).rectangle((60, 60, 160, 160), outline=(150, 150, 150), width=6)
    return jpeg(image)


def web_page() -> bytes:
    """Return the web page served in place of an image."""
    return b"<!doctype html><title>Not here</title><p>This picture has moved."


def generator(seed: int, index: int) -> Rng:
    """Return the random generator of one picture, independent of all others."""
    return np.random.default_rng([seed, index])
