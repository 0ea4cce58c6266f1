"""RandAugment's ops at a magnitude: imgaug's ranges, and each image's own parameters.

imgaug's RandAugment, whose call with n = 3, m = 7 is Keras's own example, is the source of all
ranges.
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

MAX_ROTATION_DEGREES = 30.0
MAX_SHEAR_RADIANS = 0.3
MAX_TRANSLATION = 0.33
MAX_ENHANCEMENT = 0.9
MAX_POSTERIZED_BITS = 6
MAX_CUTOUT = 20 / 32
"""imgaug's ranges at full magnitude: shares of the side for translation and cutout."""

LEVELS = 256

Floats = NDArray[np.float64]
Matrix = tuple[Floats | float, ...]
"""a, b, c, d, e, f of x' = a x + b y + c, y' = d x + e y + f, in pixels: where a pixel is from."""


@dataclass(frozen=True)
class Draw:
    """What chance decided for some images.

    Attributes
    ----------
    strength
        Magnitude as a share of its scale, 0 to 1.
    signs
        1.0 or -1.0, shape (images,): the direction of ops that have two.
    centers
        Shares of the side, shape (images, 2): where cutout cuts (x, y).
    fill
        Level of pixels that come from outside the image.
    """

    strength: float
    signs: Floats
    centers: Floats
    fill: int

    @property
    def dropped_bits(self) -> int:
        """Return how many low bits posterize drops."""
        return int(MAX_POSTERIZED_BITS * self.strength)

    @property
    def solarized_from(self) -> int:
        """Return the level from which on solarize inverts."""
        return LEVELS - int(LEVELS * self.strength)

    @property
    def enhancements(self) -> Floats:
        """Return the factors of color, contrast, brightness and sharpness, shape (images,)."""
        return 1 + self.signs * MAX_ENHANCEMENT * self.strength

    def squares(self, side: int) -> tuple[Floats, Floats]:
        """Return where cutout begins and ends, in whole pixels, shape (images, 2) each."""
        half = MAX_CUTOUT * self.strength / 2
        # imgaug cuts both ends off to whole pixels: a square of 37.3 pixels is 37 or 38 long.
        begin, end = (np.trunc((self.centers + sign * half) * side) for sign in (-1, 1))
        return begin, end

    def rotations(self, side: int) -> Matrix:
        """Return the maps of rotations about the center."""
        angles = self.signs * math.radians(MAX_ROTATION_DEGREES) * self.strength
        cosine, sine = np.cos(angles), np.sin(angles)
        half = side / 2
        shift_x = half - cosine * half - sine * half
        shift_y = half + sine * half - cosine * half
        return cosine, sine, shift_x, -sine, cosine, shift_y

    def shears_x(self) -> Matrix:
        """Return the maps of shears along x, from the top left corner."""
        return 1, self._shears, 0, 0, 1, 0

    def shears_y(self) -> Matrix:
        """Return the maps of shears along y, from the top left corner."""
        return 1, 0, 0, self._shears, 1, 0

    def shifts_x(self, side: int) -> Matrix:
        """Return the maps of shifts along x."""
        return 1, 0, self._shifts(side), 0, 1, 0

    def shifts_y(self, side: int) -> Matrix:
        """Return the maps of shifts along y."""
        return 1, 0, 0, 0, 1, self._shifts(side)

    @property
    def _shears(self) -> Floats:
        return self.signs * math.tan(MAX_SHEAR_RADIANS * self.strength)

    def _shifts(self, side: int) -> Floats:
        return self.signs * MAX_TRANSLATION * self.strength * side
