"""Kinds of repeated structures on which no rule is chosen."""

from collections.abc import Sequence
from math import cos, pi, sin

import numpy as np
from PIL import Image, ImageDraw, ImageOps

from benchmarks.structure_parts import (
    SIZE,
    Maker,
    Random,
    around,
    cut_square,
    softened,
    some_color,
    some_place,
)


def bricks(random: Random, photos: Sequence[Image.Image]) -> Image.Image:
    """Lay bricks or tiles in courses, each a little darker or brighter, with light joints."""
    picture = softened(random, photos)
    draw = ImageDraw.Draw(picture)
    joint, brick = some_color(random, 120), np.array(some_color(random, 40, 200))
    high = random.uniform(6, 20)
    wide, gap = high * random.uniform(1.5, 3), int(random.integers(1, 4))
    top, bottom = sorted(random.uniform(0, SIZE[1], 2))
    draw.rectangle((0, top, SIZE[0], bottom), joint)
    for row, y in enumerate(np.arange(top, bottom, high)):
        for x in np.arange(-wide * (row % 2) / 2, SIZE[0], wide):
            ink = tuple((brick + random.integers(-30, 31)).clip(0, 255).tolist())
            draw.rectangle((x, y, x + wide - gap, y + max(1, high - gap)), ink)
    return picture


def keys(random: Random, photos: Sequence[Image.Image]) -> Image.Image:
    """Set keys side by side, light and dark, as a piano has them."""
    picture = softened(random, photos)
    draw = ImageDraw.Draw(picture)
    light, dark = some_color(random, 180), some_color(random, 0, 70)
    step = random.uniform(7, 22)
    top = random.uniform(0, 0.6) * SIZE[1]
    bottom = min(SIZE[1], top + step * random.uniform(3, 7))
    for number, x in enumerate(np.arange(random.uniform(-step, 0), SIZE[0], step)):
        draw.rectangle((x, top, x + step, bottom), light, dark, int(random.integers(1, 3)))
        if number % 7 not in (2, 6):
            short = top + 0.6 * (bottom - top)
            draw.rectangle((x + 0.7 * step, top, x + 1.3 * step, short), dark)
    return picture


def net(random: Random, photos: Sequence[Image.Image]) -> Image.Image:
    """Stretch a net of six-cornered meshes, as a goal has it."""
    picture = softened(random, photos)
    draw = ImageDraw.Draw(picture)
    size, color, width = random.uniform(6, 18), some_color(random), int(random.integers(1, 4))
    top, bottom = sorted(random.uniform(-20, SIZE[1] + 20, 2))
    for row, y in enumerate(np.arange(top, bottom, size * 1.5)):
        for x in np.arange(size * 0.87 * (row % 2), SIZE[0] + size, size * 1.74):
            angles = [pi / 6 + pi / 3 * corner for corner in range(7)]
            draw.line([(x + size * cos(a), y + size * sin(a)) for a in angles], color, width)
    return picture


def ladder(random: Random, photos: Sequence[Image.Image]) -> Image.Image:
    """Lay two rails with rungs between them, level, leaning or upright."""
    picture = softened(random, photos)
    draw = ImageDraw.Draw(picture)
    color, width = some_color(random), int(random.integers(2, 6))
    (x, y), angle = some_place(random), random.choice([0, pi / 2, random.uniform(0, pi)])
    along, across = (cos(angle), sin(angle)), (-sin(angle), cos(angle))
    half, step = random.uniform(6, 25), random.uniform(6, 20)
    for side in (-half, half):
        at = x + side * across[0], y + side * across[1]
        ends = [(at[0] + far * along[0], at[1] + far * along[1]) for far in (-400, 400)]
        draw.line([*ends[0], *ends[1]], color, width)
    for rung in np.arange(-400, 400, step):
        at = x + rung * along[0], y + rung * along[1]
        ends = [(at[0] + side * across[0], at[1] + side * across[1]) for side in (-half, half)]
        draw.line([*ends[0], *ends[1]], color, width)
    return picture


def garland(random: Random, photos: Sequence[Image.Image]) -> Image.Image:
    """Hang flags and lamps of many colors on wires that sag."""
    picture = softened(random, photos)
    draw = ImageDraw.Draw(picture)
    for _ in range(random.integers(1, 4)):
        y, sag, size = *random.uniform(0, 0.6 * SIZE[1], 2), random.uniform(5, 16)
        wire = [(x, y + sag * sin(pi * x / SIZE[0])) for x in np.arange(0, SIZE[0] + 1, 5.0)]
        draw.line(wire, some_color(random, 0, 100), 1)
        flags = random.random() < 0.5
        for x in np.arange(size, SIZE[0], size * random.uniform(1.2, 2)):
            at, ink = (x, y + sag * sin(pi * x / SIZE[0])), some_color(random)
            if flags:
                draw.polygon([(x - size / 2, at[1]), (x + size / 2, at[1]), (x, at[1] + size)], ink)
            else:
                draw.ellipse(around((x, at[1] + size / 2), size / 3, size / 2), ink)
    return picture


def mirrored(random: Random, photos: Sequence[Image.Image]) -> Image.Image:
    """Tile a piece of a photo, every other tile mirrored, as a wallpaper or a carpet is."""
    picture = softened(random, photos)
    side = int(random.integers(16, 50))
    piece = cut_square(random, photos, side)
    band = sorted(int(edge) for edge in random.integers(0, SIZE[1], 2))
    for row, top in enumerate(range(band[0], band[1] + side, side)):
        for column, left in enumerate(range(0, SIZE[0], side)):
            tile = ImageOps.mirror(piece) if column % 2 else piece
            picture.paste(ImageOps.flip(tile) if row % 2 else tile, (left, top))
    return picture


def crowd(random: Random, photos: Sequence[Image.Image]) -> Image.Image:
    """Stand people in rows: a head over shoulders, each of its own colors."""
    picture = softened(random, photos)
    draw = ImageDraw.Draw(picture)
    for _ in range(random.integers(1, 5)):
        size, y = random.uniform(4, 14), random.uniform(0.2, 0.9) * SIZE[1]
        for x in np.arange(size, SIZE[0], size * random.uniform(2.2, 3.5)):
            place = x, y + random.normal(0, size / 4)
            draw.ellipse(around((x, place[1] + 3 * size), size * 1.1, size * 2), some_color(random))
            draw.ellipse(around(place, size * 0.7, size), some_color(random, 60, 230))
    return picture


OTHER_KINDS: dict[str, Maker] = {
    made.__name__: made for made in (bricks, keys, net, ladder, garland, mirrored, crowd)
}
"""Name -> maker: what no rule is chosen on."""
