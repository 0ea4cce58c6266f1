"""Draw scenes whose colors, textures and shapes express a mood: sad, or another."""

import colorsys
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageDraw

from webemo_curate.taxonomies.webemo_labels import Label

SIZE = (300, 220)
"""Size in pixels; WEBEmo's thumbnails are 220 high."""

SADNESS = "sadness"
AMBIGUOUS_SHARE = 0.12
"""Share of pictures in the other mood's colors, so that color alone does not decide."""

FIELD = (6, 5)
"""Cells of the random light, strong enough that two scenes' perceptual hashes differ."""

FIELD_STRENGTH = 0.3
HUES = {
    "anger": 0.01,
    "confusion": 0.45,
    "fear": 0.78,
    "joy": 0.13,
    "love": 0.93,
    "sadness": 0.6,
    "surprise": 0.33,
}
HUE_SPREAD = 0.05

Rng = np.random.Generator


@dataclass(frozen=True)
class Palette:
    """Hue, saturation and value (0 to 1) around which a scene is painted."""

    hue: float
    saturation: float
    value: float

    def color(self, rng: Rng, lightness: float = 0.0) -> tuple[int, int, int]:
        """Draw a color near the palette's center, lighter or darker by `lightness`."""
        hue = (self.hue + rng.uniform(-HUE_SPREAD, HUE_SPREAD)) % 1
        value = float(np.clip(self.value + lightness + rng.uniform(-0.08, 0.08), 0.05, 1))
        red, green, blue = colorsys.hsv_to_rgb(hue, self.saturation, value)
        return round(red * 255), round(green * 255), round(blue * 255)


def draw_scene(label: Label, rng: Rng) -> Image.Image:
    """Draw a picture for a label.

    Parameters
    ----------
    label : Label
        The label; its emotion decides colors, texture and shapes.
    rng : numpy.random.Generator
        Source of everything else.

    Returns
    -------
    PIL.Image.Image
        RGB, 300 x 220.
    """
    sad = label.emotion == SADNESS
    palette = _palette(label.emotion, rng)
    image = _backdrop(palette, rng)
    pen = ImageDraw.Draw(image)
    (_rain if sad else _rays)(pen, palette, rng)
    (_drooping if sad else _rising)(pen, palette, rng)
    return image


def _palette(emotion: str, rng: Rng) -> Palette:
    ambiguous = rng.random() < AMBIGUOUS_SHARE
    if (emotion == SADNESS) != ambiguous:
        return Palette(HUES[SADNESS], rng.uniform(0.15, 0.45), rng.uniform(0.25, 0.5))
    hue = HUES[emotion] if emotion != SADNESS else HUES["joy"]
    return Palette(hue, rng.uniform(0.5, 0.9), rng.uniform(0.55, 0.9))


def _backdrop(palette: Palette, rng: Rng) -> Image.Image:
    """Paint a gradient under random light and shade."""
    top, bottom = (np.array(palette.color(rng, light)) for light in (0.1, -0.1))
    slope = np.linspace(0, 1, SIZE[1])[:, None, None]
    gradient = np.broadcast_to(top * (1 - slope) + bottom * slope, (SIZE[1], SIZE[0], 3))
    cells = rng.uniform(-1, 1, (FIELD[1], FIELD[0])).astype(np.float32)
    field = np.asarray(Image.fromarray(cells).resize(SIZE, Image.Resampling.BICUBIC))
    lit = gradient * (1 + FIELD_STRENGTH * 2 * field[:, :, None])
    return Image.fromarray(np.clip(lit, 0, 255).astype(np.uint8))


def _rain(pen: ImageDraw.ImageDraw, palette: Palette, rng: Rng) -> None:
    for _ in range(rng.integers(60, 140)):
        x, y, length = rng.uniform(0, SIZE[0]), rng.uniform(0, SIZE[1]), rng.uniform(8, 30)
        pen.line((x, y, x - length / 6, y + length), palette.color(rng, 0.15), width=1)


def _rays(pen: ImageDraw.ImageDraw, palette: Palette, rng: Rng) -> None:
    center = rng.uniform(0, SIZE[0]), rng.uniform(0, SIZE[1] / 2)
    for angle in np.arange(0, 2 * np.pi, 2 * np.pi / rng.integers(9, 20)):
        reach = rng.uniform(80, 260)
        tip = center[0] + reach * np.cos(angle), center[1] + reach * np.sin(angle)
        pen.line((*center, *tip), palette.color(rng, 0.1), width=int(rng.integers(2, 6)))


def _drooping(pen: ImageDraw.ImageDraw, palette: Palette, rng: Rng) -> None:
    """Draw arcs that hang down, and one small figure alone."""
    for _ in range(rng.integers(2, 5)):
        x, y, width = rng.uniform(-20, 240), rng.uniform(60, 200), rng.uniform(60, 160)
        box = (x, y, x + width, y + rng.uniform(40, 120))
        pen.arc(box, 180, 360, palette.color(rng, -0.25), width=int(rng.integers(4, 12)))
    x, y = rng.uniform(30, 260), rng.uniform(120, 190)
    figure = palette.color(rng, -0.3)
    pen.ellipse((x - 7, y - 30, x + 7, y - 16), figure)
    pen.polygon([(x, y - 16), (x - 12, y + 22), (x + 12, y + 22)], figure)


def _rising(pen: ImageDraw.ImageDraw, palette: Palette, rng: Rng) -> None:
    """Draw round and upward shapes, several together."""
    for _ in range(rng.integers(4, 10)):
        x, y, radius = rng.uniform(0, 300), rng.uniform(0, 220), rng.uniform(8, 40)
        color = palette.color(rng, rng.uniform(-0.2, 0.3))
        if rng.random() < 0.6:
            pen.ellipse((x - radius, y - radius, x + radius, y + radius), color)
        else:
            pen.polygon(
                [(x, y - radius), (x - radius, y + radius), (x + radius, y + radius)], color
            )
