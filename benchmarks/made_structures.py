"""Pictures of repeated structures without text, made from text-free photos, for benchmarks.

Chains, fences, windows, faces in a strip, floats, flowers, fireworks: what text filters take for
words. Half of the kinds are photos cut and laid out anew, half are drawn over blurred photos.
"""

from collections.abc import Sequence
from math import cos, pi, sin

import numpy as np
from PIL import Image, ImageDraw, ImageEnhance, ImageOps

from benchmarks.held_out_structures import OTHER_KINDS
from benchmarks.structure_parts import (
    SIZE,
    Maker,
    Random,
    around,
    cut_square,
    disc,
    softened,
    some_color,
    some_corners,
    some_place,
)


def strip(random: Random, photos: Sequence[Image.Image]) -> Image.Image:
    """Lay squares cut out of photos side by side, as faces in a strip are."""
    picture = softened(random, photos)
    count = int(random.integers(5, 12))
    side = SIZE[0] // count - int(random.integers(0, 4))
    top = int(random.integers(0, SIZE[1] - side))
    for column in range(count):
        picture.paste(cut_square(random, photos, side), (column * (SIZE[0] // count), top))
    return picture


def repeated(random: Random, photos: Sequence[Image.Image]) -> Image.Image:
    """Repeat one round piece of a photo in a row, as floats of a swimming lane lie."""
    picture = softened(random, photos)
    count = int(random.integers(6, 16))
    side = SIZE[0] // count
    piece = cut_square(random, photos, side)
    tilt, top = random.uniform(-0.3, 0.3), random.uniform(0.3, 0.7) * SIZE[1]
    for column in range(count):
        place = column * side, int(top + tilt * column * side)
        picture.paste(piece, place, disc(side))
    return picture


def receding(random: Random, photos: Sequence[Image.Image]) -> Image.Image:
    """Set a piece of a photo in rows that grow towards the bottom, as flowers of a field do."""
    picture = softened(random, photos)
    piece = cut_square(random, photos, 64)
    bottom = random.uniform(0.2, 0.5) * SIZE[1]
    side = random.uniform(5, 9)
    while bottom < SIZE[1]:
        small = piece.resize((int(side), int(side)))
        for left in np.arange(-random.uniform(0, side), SIZE[0], side * random.uniform(1, 1.4)):
            place = int(left), int(bottom + random.normal(0, side / 10))
            picture.paste(small, place, disc(int(side)))
        bottom += side * 1.1
        side *= random.uniform(1.15, 1.4)
    return picture


def sheet(random: Random, photos: Sequence[Image.Image]) -> Image.Image:
    """Lay small photos out as a contact sheet."""
    picture = Image.new("RGB", SIZE, some_color(random))
    side, gap = int(random.integers(20, 60)), int(random.integers(1, 8))
    for top in range(gap, SIZE[1], side + gap):
        for left in range(gap, SIZE[0], side + gap):
            picture.paste(cut_square(random, photos, side), (left, top))
    return picture


def chain(random: Random, photos: Sequence[Image.Image]) -> Image.Image:
    """Hang chains, link by link, wide and narrow in turn."""
    picture = softened(random, photos)
    draw = ImageDraw.Draw(picture)
    size, color = random.uniform(6, 18), some_color(random)
    for _ in range(random.integers(1, 4)):
        (x, y), angle = some_place(random), random.choice([0, pi / 2, random.uniform(0, pi)])
        for link in range(-25, 25):
            at = x + link * size * cos(angle), y + link * size * sin(angle)
            wide = size * (0.7 if link % 2 else 0.35)
            draw.ellipse(around(at, wide, size * 0.7), outline=color, width=int(size / 5) + 1)
    return picture


def fence(random: Random, photos: Sequence[Image.Image]) -> Image.Image:
    """Stand bars, pickets or wires before a photo."""
    picture = softened(random, photos)
    draw = ImageDraw.Draw(picture)
    step, color = random.uniform(6, 24), some_color(random)
    top, bottom = sorted(random.uniform(0, SIZE[1], 2))
    slant = random.choice([0, 0, bottom - top])
    width = int(random.integers(1, max(2, int(step / 2))))
    for left in np.arange(-SIZE[1], SIZE[0] + SIZE[1], step):
        draw.line((left, top, left + slant, bottom), color, width)
        if slant:
            draw.line((left + slant, top, left, bottom), color, width)
    for rail in random.uniform(top, bottom, random.integers(0, 3)):
        draw.line((0, rail, SIZE[0], rail), color, width)
    return picture


def windows(random: Random, photos: Sequence[Image.Image]) -> Image.Image:
    """Raise a skyline whose houses have rows of windows, some of them lit."""
    picture = softened(random, photos)
    draw = ImageDraw.Draw(picture)
    left, lit = 0.0, some_color(random)
    while left < SIZE[0]:
        width, top = random.uniform(20, 90), random.uniform(0.1, 0.8) * SIZE[1]
        dark = some_color(random)
        draw.rectangle((left, top, left + width, SIZE[1]), dark)
        pane, gap = random.uniform(2, 9, 2)
        high = pane * random.uniform(0.7, 2)
        for y in np.arange(top + gap, SIZE[1], high + gap):
            for x in np.arange(left + gap, left + width - pane, pane + gap):
                if random.random() < 0.8:
                    draw.rectangle((x, y, x + pane, y + high), lit)
        left += width
    return picture


def floats(random: Random, photos: Sequence[Image.Image]) -> Image.Image:
    """Draw lines of round floats or lamps, of two colors in turn, smaller with distance."""
    picture = softened(random, photos)
    draw = ImageDraw.Draw(picture)
    colors = some_color(random), some_color(random)
    for _ in range(random.integers(1, 4)):
        (x, y), angle = some_place(random), random.uniform(-0.6, 0.6)
        x, size, shrink = random.uniform(-20, 40), random.uniform(4, 14), random.uniform(0.94, 1)
        for number in range(40):
            draw.ellipse(around((x, y), size, size), fill=colors[number % 2])
            x, y = x + 2 * size * cos(angle), y + 2 * size * sin(angle)
            size = max(2, size * shrink)
    return picture


def flowers(random: Random, photos: Sequence[Image.Image]) -> Image.Image:
    """Plant rows of blossoms on stems."""
    picture = softened(random, photos)
    draw = ImageDraw.Draw(picture)
    blossom, stem = some_color(random), some_color(random)
    for row in range(random.integers(1, 5)):
        size, y = random.uniform(4, 12), random.uniform(0.2, 0.9) * SIZE[1]
        for x in np.arange(0, SIZE[0], size * random.uniform(2, 3)):
            head = x, y + random.normal(0, 1 + row)
            draw.line((*head, x, y + 5 * size), stem, 2)
            draw.ellipse(around(head, size * 0.8, size), fill=blossom)
    return picture


def fireworks(random: Random, photos: Sequence[Image.Image]) -> Image.Image:
    """Let sparks fly from a few centers, over a dark photo, and mirror them in water."""
    picture = ImageEnhance.Brightness(softened(random, photos)).enhance(0.3)
    draw = ImageDraw.Draw(picture)
    for _ in range(random.integers(2, 6)):
        (x, y), color = some_place(random), some_color(random, 120)
        reach, rays = random.uniform(20, 70), int(random.integers(8, 40))
        for ray in range(rays):
            angle, inner = 2 * pi * ray / rays, random.uniform(0.1, 0.7)
            far = x + reach * cos(angle), y + reach * sin(angle)
            near = x + inner * reach * cos(angle), y + inner * reach * sin(angle)
            draw.line((*near, *far), color, int(random.integers(1, 3)))
    half = picture.crop((0, 0, SIZE[0], SIZE[1] // 2))
    if random.random() < 0.5:
        picture.paste(ImageOps.flip(half), (0, SIZE[1] // 2))
    return picture


def clip_art(random: Random, photos: Sequence[Image.Image]) -> Image.Image:
    """Draw small figures of lines and arcs in rows, on paper of a photo's mean color."""
    paper = ImageOps.fit(photos[int(random.integers(len(photos)))], (1, 1)).resize(SIZE)
    picture = ImageEnhance.Brightness(paper).enhance(random.uniform(1, 2.5))
    draw = ImageDraw.Draw(picture)
    ink, cell = some_color(random), int(random.integers(20, 60))
    same = random.random() < 0.5
    figure = some_corners(random)
    for top in range(0, SIZE[1], cell):
        for left in range(0, SIZE[0], cell):
            figure = figure if same else some_corners(random)
            points = [(left + x * cell, top + y * cell) for x, y in figure]
            draw.line(points, ink, 2)
            box = around(points[0], cell / 5, cell / 5)
            draw.arc(box, 0, random.uniform(90, 360), ink, 2)
    return picture


def machine(random: Random, photos: Sequence[Image.Image]) -> Image.Image:
    """Set dark bars, rings and blocks on each other before a bright ground, as a gun's mount is."""
    picture = ImageEnhance.Brightness(softened(random, photos)).enhance(1.5)
    draw = ImageDraw.Draw(picture)
    x, y = some_place(random)
    for _ in range(random.integers(10, 40)):
        at = x + random.normal(0, 50), y + random.normal(0, 20)
        across, high = random.uniform(2, 30), random.uniform(2, 12)
        shape = draw.ellipse if random.random() < 0.4 else draw.rectangle
        filled = random.random() < 0.5
        ink = some_color(random, 0, 90)
        shape(around(at, across, high), fill=ink if filled else None, outline=ink, width=2)
    return picture


TUNING_KINDS: dict[str, Maker] = {
    made.__name__: made
    for made in (
        strip,
        chain,
        repeated,
        fence,
        receding,
        windows,
        sheet,
        floats,
        flowers,
        clip_art,
        fireworks,
        machine,
    )
}
"""Name -> maker: what a rule may be chosen on, made from photos of the tuning half."""

KINDS = TUNING_KINDS | OTHER_KINDS
