"""Pictures of repeated structures without text, made from text-free photos, for benchmarks.

Chains, fences, windows, faces in a strip, floats, flowers, fireworks: what text filters take for
words. Half of the kinds are photos cut and laid out anew, half are drawn over blurred photos.
"""

from collections.abc import Callable, Sequence
from math import cos, pi, sin

import numpy as np
from PIL import Image, ImageDraw, ImageEnhance, ImageFilter, ImageOps

SIZE = 330, 220
"""About the size of the photos that they are made from."""

Random = np.random.Generator
Color = tuple[int, int, int]
Maker = Callable[[Random, Sequence[Image.Image]], Image.Image]


def strip(random: Random, photos: Sequence[Image.Image]) -> Image.Image:
    """Lay squares cut out of photos side by side, as faces in a strip are."""
    picture = _softened(random, photos)
    count = int(random.integers(5, 12))
    side = SIZE[0] // count - int(random.integers(0, 4))
    top = int(random.integers(0, SIZE[1] - side))
    for column in range(count):
        picture.paste(_cut(random, photos, side), (column * (SIZE[0] // count), top))
    return picture


def repeated(random: Random, photos: Sequence[Image.Image]) -> Image.Image:
    """Repeat one round piece of a photo in a row, as floats of a swimming lane lie."""
    picture = _softened(random, photos)
    count = int(random.integers(6, 16))
    side = SIZE[0] // count
    piece = _cut(random, photos, side)
    tilt, top = random.uniform(-0.3, 0.3), random.uniform(0.3, 0.7) * SIZE[1]
    for column in range(count):
        place = column * side, int(top + tilt * column * side)
        picture.paste(piece, place, _disc(side))
    return picture


def receding(random: Random, photos: Sequence[Image.Image]) -> Image.Image:
    """Set a piece of a photo in rows that grow towards the bottom, as flowers of a field do."""
    picture = _softened(random, photos)
    piece = _cut(random, photos, 64)
    bottom = random.uniform(0.2, 0.5) * SIZE[1]
    side = random.uniform(5, 9)
    while bottom < SIZE[1]:
        small = piece.resize((int(side), int(side)))
        for left in np.arange(-random.uniform(0, side), SIZE[0], side * random.uniform(1, 1.4)):
            place = int(left), int(bottom + random.normal(0, side / 10))
            picture.paste(small, place, _disc(int(side)))
        bottom += side * 1.1
        side *= random.uniform(1.15, 1.4)
    return picture


def sheet(random: Random, photos: Sequence[Image.Image]) -> Image.Image:
    """Lay small photos out as a contact sheet."""
    picture = Image.new("RGB", SIZE, _color(random))
    side, gap = int(random.integers(20, 60)), int(random.integers(1, 8))
    for top in range(gap, SIZE[1], side + gap):
        for left in range(gap, SIZE[0], side + gap):
            picture.paste(_cut(random, photos, side), (left, top))
    return picture


def chain(random: Random, photos: Sequence[Image.Image]) -> Image.Image:
    """Hang chains, link by link, wide and narrow in turn."""
    picture = _softened(random, photos)
    draw = ImageDraw.Draw(picture)
    size, color = random.uniform(6, 18), _color(random)
    for _ in range(random.integers(1, 4)):
        (x, y), angle = _place(random), random.choice([0, pi / 2, random.uniform(0, pi)])
        for link in range(-25, 25):
            at = x + link * size * cos(angle), y + link * size * sin(angle)
            wide = size * (0.7 if link % 2 else 0.35)
            draw.ellipse(_around(at, wide, size * 0.7), outline=color, width=int(size / 5) + 1)
    return picture


def fence(random: Random, photos: Sequence[Image.Image]) -> Image.Image:
    """Stand bars, pickets or wires before a photo."""
    picture = _softened(random, photos)
    draw = ImageDraw.Draw(picture)
    step, color = random.uniform(6, 24), _color(random)
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
    picture = _softened(random, photos)
    draw = ImageDraw.Draw(picture)
    left, lit = 0.0, _color(random)
    while left < SIZE[0]:
        width, top = random.uniform(20, 90), random.uniform(0.1, 0.8) * SIZE[1]
        dark = _color(random)
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
    picture = _softened(random, photos)
    draw = ImageDraw.Draw(picture)
    colors = _color(random), _color(random)
    for _ in range(random.integers(1, 4)):
        (x, y), angle = _place(random), random.uniform(-0.6, 0.6)
        x, size, shrink = random.uniform(-20, 40), random.uniform(4, 14), random.uniform(0.94, 1)
        for number in range(40):
            draw.ellipse(_around((x, y), size, size), fill=colors[number % 2])
            x, y = x + 2 * size * cos(angle), y + 2 * size * sin(angle)
            size = max(2, size * shrink)
    return picture


def flowers(random: Random, photos: Sequence[Image.Image]) -> Image.Image:
    """Plant rows of blossoms on stems."""
    picture = _softened(random, photos)
    draw = ImageDraw.Draw(picture)
    blossom, stem = _color(random), _color(random)
    for row in range(random.integers(1, 5)):
        size, y = random.uniform(4, 12), random.uniform(0.2, 0.9) * SIZE[1]
        for x in np.arange(0, SIZE[0], size * random.uniform(2, 3)):
            head = x, y + random.normal(0, 1 + row)
            draw.line((*head, x, y + 5 * size), stem, 2)
            draw.ellipse(_around(head, size * 0.8, size), fill=blossom)
    return picture


def fireworks(random: Random, photos: Sequence[Image.Image]) -> Image.Image:
    """Let sparks fly from a few centers, over a dark photo, and mirror them in water."""
    picture = ImageEnhance.Brightness(_softened(random, photos)).enhance(0.3)
    draw = ImageDraw.Draw(picture)
    for _ in range(random.integers(2, 6)):
        (x, y), color = _place(random), _color(random, 120)
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
    ink, cell = _color(random), int(random.integers(20, 60))
    same = random.random() < 0.5
    figure = _figure(random)
    for top in range(0, SIZE[1], cell):
        for left in range(0, SIZE[0], cell):
            figure = figure if same else _figure(random)
            points = [(left + x * cell, top + y * cell) for x, y in figure]
            draw.line(points, ink, 2)
            box = _around(points[0], cell / 5, cell / 5)
            draw.arc(box, 0, random.uniform(90, 360), ink, 2)
    return picture


def machine(random: Random, photos: Sequence[Image.Image]) -> Image.Image:
    """Set dark bars, rings and blocks on each other before a bright ground, as a gun's mount is."""
    picture = ImageEnhance.Brightness(_softened(random, photos)).enhance(1.5)
    draw = ImageDraw.Draw(picture)
    x, y = _place(random)
    for _ in range(random.integers(10, 40)):
        at = x + random.normal(0, 50), y + random.normal(0, 20)
        across, high = random.uniform(2, 30), random.uniform(2, 12)
        shape = draw.ellipse if random.random() < 0.4 else draw.rectangle
        filled = random.random() < 0.5
        ink = _color(random, 0, 90)
        shape(_around(at, across, high), fill=ink if filled else None, outline=ink, width=2)
    return picture


def bricks(random: Random, photos: Sequence[Image.Image]) -> Image.Image:
    """Lay bricks or tiles in courses, each a little darker or brighter, with light joints."""
    picture = _softened(random, photos)
    draw = ImageDraw.Draw(picture)
    joint, brick = _color(random, 120), np.array(_color(random, 40, 200))
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
    picture = _softened(random, photos)
    draw = ImageDraw.Draw(picture)
    light, dark = _color(random, 180), _color(random, 0, 70)
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
    picture = _softened(random, photos)
    draw = ImageDraw.Draw(picture)
    size, color, width = random.uniform(6, 18), _color(random), int(random.integers(1, 4))
    top, bottom = sorted(random.uniform(-20, SIZE[1] + 20, 2))
    for row, y in enumerate(np.arange(top, bottom, size * 1.5)):
        for x in np.arange(size * 0.87 * (row % 2), SIZE[0] + size, size * 1.74):
            angles = [pi / 6 + pi / 3 * corner for corner in range(7)]
            draw.line([(x + size * cos(a), y + size * sin(a)) for a in angles], color, width)
    return picture


def ladder(random: Random, photos: Sequence[Image.Image]) -> Image.Image:
    """Lay two rails with rungs between them, level, leaning or upright."""
    picture = _softened(random, photos)
    draw = ImageDraw.Draw(picture)
    color, width = _color(random), int(random.integers(2, 6))
    (x, y), angle = _place(random), random.choice([0, pi / 2, random.uniform(0, pi)])
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
    picture = _softened(random, photos)
    draw = ImageDraw.Draw(picture)
    for _ in range(random.integers(1, 4)):
        y, sag, size = *random.uniform(0, 0.6 * SIZE[1], 2), random.uniform(5, 16)
        wire = [(x, y + sag * sin(pi * x / SIZE[0])) for x in np.arange(0, SIZE[0] + 1, 5.0)]
        draw.line(wire, _color(random, 0, 100), 1)
        flags = random.random() < 0.5
        for x in np.arange(size, SIZE[0], size * random.uniform(1.2, 2)):
            at, ink = (x, y + sag * sin(pi * x / SIZE[0])), _color(random)
            if flags:
                draw.polygon([(x - size / 2, at[1]), (x + size / 2, at[1]), (x, at[1] + size)], ink)
            else:
                draw.ellipse(_around((x, at[1] + size / 2), size / 3, size / 2), ink)
    return picture


def mirrored(random: Random, photos: Sequence[Image.Image]) -> Image.Image:
    """Tile a piece of a photo, every other tile mirrored, as a wallpaper or a carpet is."""
    picture = _softened(random, photos)
    side = int(random.integers(16, 50))
    piece = _cut(random, photos, side)
    band = sorted(int(edge) for edge in random.integers(0, SIZE[1], 2))
    for row, top in enumerate(range(band[0], band[1] + side, side)):
        for column, left in enumerate(range(0, SIZE[0], side)):
            tile = ImageOps.mirror(piece) if column % 2 else piece
            picture.paste(ImageOps.flip(tile) if row % 2 else tile, (left, top))
    return picture


def crowd(random: Random, photos: Sequence[Image.Image]) -> Image.Image:
    """Stand people in rows: a head over shoulders, each of its own colors."""
    picture = _softened(random, photos)
    draw = ImageDraw.Draw(picture)
    for _ in range(random.integers(1, 5)):
        size, y = random.uniform(4, 14), random.uniform(0.2, 0.9) * SIZE[1]
        for x in np.arange(size, SIZE[0], size * random.uniform(2.2, 3.5)):
            place = x, y + random.normal(0, size / 4)
            draw.ellipse(_around((x, place[1] + 3 * size), size * 1.1, size * 2), _color(random))
            draw.ellipse(_around(place, size * 0.7, size), _color(random, 60, 230))
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

OTHER_KINDS: dict[str, Maker] = {
    made.__name__: made for made in (bricks, keys, net, ladder, garland, mirrored, crowd)
}
"""Name -> maker: what no rule is chosen on."""

KINDS = TUNING_KINDS | OTHER_KINDS


def _softened(random: Random, photos: Sequence[Image.Image]) -> Image.Image:
    """Return a photo at `SIZE`, blurred more or less."""
    photo = ImageOps.fit(photos[int(random.integers(len(photos)))], SIZE)
    return photo.filter(ImageFilter.GaussianBlur(random.uniform(0, 6)))


def _cut(random: Random, photos: Sequence[Image.Image], side: int) -> Image.Image:
    """Cut a square out of a photo and scale it."""
    photo = photos[int(random.integers(len(photos)))]
    length = int(min(photo.size) * random.uniform(0.3, 1))
    left, top = (int(random.integers(0, full - length + 1)) for full in photo.size)
    return photo.crop((left, top, left + length, top + length)).resize((side, side))


def _disc(side: int) -> Image.Image:
    mask = Image.new("L", (side, side))
    ImageDraw.Draw(mask).ellipse((0, 0, side - 1, side - 1), 255)
    return mask


def _figure(random: Random) -> list[tuple[float, float]]:
    """Return a few corners of a line, 0 to 1."""
    corners = random.uniform(0.1, 0.9, (int(random.integers(3, 7)), 2))
    return [(float(x), float(y)) for x, y in corners]


def _place(random: Random) -> tuple[float, float]:
    return random.uniform(0, SIZE[0]), random.uniform(0, SIZE[1])


def _around(at: tuple[float, float], across: float, high: float) -> tuple[float, ...]:
    return at[0] - across, at[1] - high, at[0] + across, at[1] + high


def _color(random: Random, least: int = 0, most: int = 255) -> Color:
    red, green, blue = (int(part) for part in random.integers(least, most + 1, 3))
    return red, green, blue
