"""What pictures of repeated structures are made of: backgrounds, cuts, places and colors."""

from collections.abc import Callable, Sequence

import numpy as np
from PIL import Image, ImageDraw, ImageFilter, ImageOps

SIZE = 330, 220
"""About the size of the photos that they are made from."""

Random = np.random.Generator
Color = tuple[int, int, int]
Maker = Callable[[Random, Sequence[Image.Image]], Image.Image]


def softened(random: Random, photos: Sequence[Image.Image]) -> Image.Image:
    """Return a photo at `SIZE`, blurred more or less."""
    photo = ImageOps.fit(photos[int(random.integers(len(photos)))], SIZE)
    return photo.filter(ImageFilter.GaussianBlur(random.uniform(0, 6)))


def cut_square(random: Random, photos: Sequence[Image.Image], side: int) -> Image.Image:
    """Cut a square out of a photo and scale it."""
    photo = photos[int(random.integers(len(photos)))]
    length = int(min(photo.size) * random.uniform(0.3, 1))
    left, top = (int(random.integers(0, full - length + 1)) for full in photo.size)
    return photo.crop((left, top, left + length, top + length)).resize((side, side))


def disc(side: int) -> Image.Image:
    mask = Image.new("L", (side, side))
    ImageDraw.Draw(mask).ellipse((0, 0, side - 1, side - 1), 255)
    return mask


def some_corners(random: Random) -> list[tuple[float, float]]:
    """Return a few corners of a line, 0 to 1."""
    corners = random.uniform(0.1, 0.9, (int(random.integers(3, 7)), 2))
    return [(float(x), float(y)) for x, y in corners]


def some_place(random: Random) -> tuple[float, float]:
    return random.uniform(0, SIZE[0]), random.uniform(0, SIZE[1])


def around(at: tuple[float, float], across: float, high: float) -> tuple[float, ...]:
    return at[0] - across, at[1] - high, at[0] + across, at[1] + high


def some_color(random: Random, least: int = 0, most: int = 255) -> Color:
    red, green, blue = (int(part) for part in random.integers(least, most + 1, 3))
    return red, green, blue
