"""Make pictures without words: noise, shapes and pieces of photographs, some with patterns.

The patterns (grids, windows, dots, branches) are those that detectors take for writing.
"""

from collections.abc import Callable, Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

SIDE = 256
"""Side of a made-up picture in pixels, about the short side of a web thumbnail."""

PHOTOGRAPH, NOISE = 0.6, 0.1
"""Shares of pieces of photographs and of plain noise; the others are shapes."""

MIN_PIECE = 96
"""Least side, in pixels, of a piece of a photograph; smaller pieces would be enlarged to a blur."""

Pixels = NDArray[np.uint8]
Floats = NDArray[np.float64]
Random = np.random.Generator


def background(random: Random, photographs: Sequence[Pixels]) -> Pixels:
    """Make a picture without words.

    Parameters
    ----------
    random : numpy.random.Generator
        Source of all draws.
    photographs : Sequence of numpy.ndarray
        uint8, (height, width, 3) RGB, free of text, with sides of at least `MIN_PIECE`; may be
        empty.

    Returns
    -------
    numpy.ndarray
        uint8, (`SIDE`, `SIDE`, 3) RGB.
    """
    kind = random.random()
    if photographs and kind < PHOTOGRAPH:
        picture, patterns = _piece(random, photographs), random.choice([0, 0, 0, 1])
    else:
        picture = _noise(random) if kind < PHOTOGRAPH + NOISE else _shapes(random)
        patterns = random.choice([0, 0, 1, 1, 2])
    for _ in range(patterns):
        picture = _overlay(random, picture)
    return to_pixels(_soften(random, picture))


def to_pixels(picture: NDArray[np.floating]) -> Pixels:
    """Clip to the range of uint8 and round down."""
    return np.clip(picture, 0, 255).astype(np.uint8)


def blend(below: Floats, share: Floats | float, color: Floats) -> Floats:
    """Lay a color over a picture with an opacity of 0 to 1, for all pixels or for each."""
    return below * (1 - share) + color * share


def _piece(random: Random, photographs: Sequence[Pixels]) -> Floats:
    """Cut a square out of a photograph, and change its colors."""
    photograph = photographs[int(random.integers(len(photographs)))]
    height, width = photograph.shape[:2]
    longest = min(height, width)
    side = int(np.exp(random.uniform(np.log(MIN_PIECE), np.log(longest))))
    top, left = random.integers(0, height - side + 1), random.integers(0, width - side + 1)
    smooth = cv2.INTER_AREA if side > SIDE else cv2.INTER_CUBIC
    piece = cv2.resize(
        photograph[top : top + side, left : left + side], (SIDE, SIDE), interpolation=smooth
    ).astype(np.float64)
    if random.random() < 0.6:
        piece = piece @ (np.eye(3) + random.normal(0, 0.2, (3, 3)))
    piece = (piece - 128) * random.uniform(0.4, 1.4) + 128 + random.uniform(-60, 60)
    return _clip(255 - piece if random.random() < 0.1 else piece)


def _noise(random: Random) -> Floats:
    """Add up noise of growing grain, such as clouds, skin or stone."""
    layers = np.zeros((SIDE, SIDE, 3))
    slope = random.uniform(0.3, 1.2)
    for grain in 2 ** np.arange(8):
        cells = max(2, SIDE // int(grain) + 1)
        layer = random.standard_normal((cells, cells, 3))
        layers += cv2.resize(layer, (SIDE, SIDE), interpolation=cv2.INTER_CUBIC) * grain**slope
    # The channels of a photograph are correlated.
    layers = layers @ (random.normal(0, 0.5, (3, 3)) + 0.6)
    layers = (layers - layers.mean((0, 1))) / (layers.std() + np.finfo(float).eps)
    return layers * random.uniform(5, 60) + random.uniform(20, 235, 3)


def _shapes(random: Random) -> Floats:
    """Lay shapes of a few colors over each other: edges of objects in front of others."""
    picture, texture = _clip(_noise(random)), _noise(random)
    texture -= texture.mean()
    palette = random.uniform(0, 255, (random.integers(2, 7), 3))
    largest = random.uniform(15, 120)
    for _ in range(random.integers(5, 120)):
        # Sizes of objects in photos follow a power law: many small ones, a few large ones.
        size = largest * min(4, random.random() ** -0.6) * random.uniform(0.05, 0.4)
        shape = _blank()
        _SHAPES[random.integers(len(_SHAPES))](random, shape, size)
        color = palette[random.integers(len(palette))] + random.normal(0, 25, 3)
        picture = blend(picture, _share(shape), color + texture * random.random())
    return picture


def _overlay(random: Random, picture: Floats) -> Floats:
    """Draw a pattern over a picture, rotated, in its own color or one near the picture's."""
    pattern = _blank()
    _PATTERNS[random.integers(len(_PATTERNS))](random, pattern)
    angle = random.uniform(-90, 90) if random.random() < 0.5 else 0.0
    turn = cv2.getRotationMatrix2D((SIDE / 2, SIDE / 2), angle, 1)
    turned = np.asarray(cv2.warpAffine(pattern, turn, (SIDE, SIDE)), np.uint8)
    near = picture.mean((0, 1)) + random.normal(0, 40, 3)
    color = random.uniform(0, 255, 3) if random.random() < 0.6 else near
    return blend(_clip(picture), _share(turned) * random.uniform(0.3, 1), color)


def _soften(random: Random, picture: Floats) -> Floats:
    """Blur, shade from top to bottom and add grain, each with some probability."""
    if random.random() < 0.3:
        picture = cv2.GaussianBlur(picture, (0, 0), random.uniform(0.5, 3)).astype(np.float64)
    if random.random() < 0.4:
        picture = picture + np.linspace(-1, 1, SIDE)[:, None, None] * random.uniform(-60, 60)
    if random.random() < 0.5:
        picture = picture + random.normal(0, random.uniform(1, 10), picture.shape)
    return picture


def _ellipse(random: Random, mask: Pixels, size: float) -> None:
    axes = (int(size) + 1, int(size * random.uniform(0.2, 1)) + 1)
    cv2.ellipse(mask, _point(random), axes, random.uniform(0, 180), 0, 360, 255, -1, cv2.LINE_AA)


def _polygon(random: Random, mask: Pixels, size: float) -> None:
    corners = random.normal(_point(random), size, (random.integers(3, 8), 2))
    cv2.fillPoly(mask, [corners.astype(np.int32)], 255, cv2.LINE_AA)


def _rectangle(random: Random, mask: Pixels, size: float) -> None:
    sides = (size * random.uniform(0.3, 3), size * random.uniform(0.3, 2))
    angle = random.uniform(0, 180) if random.random() < 0.25 else random.choice([0.0, 90.0])
    corners = cv2.boxPoints((_point(random), sides, float(angle)))
    cv2.fillPoly(mask, [corners.astype(np.int32)], 255, cv2.LINE_AA)


def _grid(random: Random, mask: Pixels) -> None:
    step = int(random.integers(5, 30))
    thickness = int(random.integers(1, max(2, step // 2)))
    slant = int(random.integers(-3, 4))
    for start in range(0, SIDE, step):
        cv2.line(mask, (start, 0), (start + slant, SIDE), 255, thickness, cv2.LINE_AA)
    if random.random() < 0.5:
        for start in range(0, SIDE, int(random.integers(5, 30))):
            cv2.line(mask, (0, start), (SIDE, start), 255, thickness, cv2.LINE_AA)


def _branches(random: Random, mask: Pixels) -> None:
    for _ in range(random.integers(3, 40)):
        drift = random.normal(0, 4, 2)
        steps = random.normal(drift, random.uniform(2, 14), (random.integers(3, 25), 2))
        path = (np.cumsum(steps, 0) + random.uniform(0, SIDE, 2)).astype(np.int32)
        cv2.polylines(mask, [path], False, 255, int(random.integers(1, 5)), cv2.LINE_AA)


def _windows(random: Random, mask: Pixels) -> None:
    width, height, apart, above = (int(each) for each in random.integers(3, 20, 4))
    left, top = _point(random)
    thickness = -1 if random.random() < 0.6 else 1
    for column in range(random.integers(2, 12)):
        for row in range(random.integers(2, 12)):
            corner = left + column * (width + apart), top + row * (height + above)
            cv2.rectangle(mask, (*corner, width, height), 255, thickness)


def _dots(random: Random, mask: Pixels) -> None:
    for _ in range(random.integers(10, 200)):
        thickness = -1 if random.random() < 0.5 else 1
        cv2.circle(mask, _point(random), int(random.integers(1, 7)), 255, thickness, cv2.LINE_AA)


def _bars(random: Random, mask: Pixels) -> None:
    for _ in range(random.integers(2, 25)):
        thickness = int(random.integers(1, 8))
        cv2.line(mask, _point(random), _point(random), 255, thickness, cv2.LINE_AA)


def _arcs(random: Random, mask: Pixels) -> None:
    for _ in range(random.integers(5, 60)):
        axes = (int(random.integers(2, 25)), int(random.integers(2, 25)))
        angles = (random.uniform(0, 180), random.uniform(0, 180), random.uniform(180, 360))
        thickness = int(random.integers(1, 4))
        cv2.ellipse(mask, _point(random), axes, *angles, 255, thickness, cv2.LINE_AA)


_SHAPES: tuple[Callable[[Random, Pixels, float], None], ...] = (_ellipse, _polygon, _rectangle)
_PATTERNS: tuple[Callable[[Random, Pixels], None], ...] = (
    _grid,
    _branches,
    _windows,
    _dots,
    _bars,
    _arcs,
)


def _point(random: Random) -> tuple[int, int]:
    x, y = random.integers(0, SIDE, 2)
    return int(x), int(y)


def _blank() -> Pixels:
    return np.zeros((SIDE, SIDE), np.uint8)


def _share(mask: Pixels) -> Floats:
    return mask[..., None] / 255


def _clip(picture: Floats) -> Floats:
    return np.clip(picture, 0, 255)
