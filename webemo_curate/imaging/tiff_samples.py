"""Decode the samples of TIFF files that Pillow, whose colors have 8 bits, misreads or refuses."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from webemo_curate.config import BOUNDS
from webemo_curate.imaging.bands import BAND_PIXELS
from webemo_curate.imaging.decode_errors import DecodeError
from webemo_curate.imaging.tiff_bytes import (
    BITS,
    COMPRESSION,
    FILL_ORDER,
    HEIGHT,
    PHOTOMETRIC,
    RAW,
    WIDTH,
    decompress,
)
from webemo_curate.verdicts import DecodeStatus

STRIPS, SAMPLES, STRIP_ROWS, STRIP_BYTES, PLANAR, PREDICTOR = 273, 277, 278, 279, 284, 317
TILE_WIDTH, TILE_HEIGHT, TILES, TILE_BYTES, EXTRA, FORMAT = 322, 323, 324, 325, 338, 339
"""Tags of TIFF 6.0."""

NEEDED: Final = (
    *(WIDTH, HEIGHT, BITS, COMPRESSION, PHOTOMETRIC, FILL_ORDER, STRIPS, SAMPLES, STRIP_ROWS),
    *(STRIP_BYTES, PLANAR, PREDICTOR, TILE_WIDTH, TILE_HEIGHT, TILES, TILE_BYTES, EXTRA, FORMAT),
)

LOSSLESS: Final = frozenset({RAW, 5, 8, 32773, 32946, 34925, 50000})
"""Compressions of bytes, whatever these mean: none, LZW, deflate, PackBits, LZMA, Zstandard."""

KINDS: Final = {1: "u", 2: "i", 3: "f", 4: "u"}
"""NumPy's kind of number by the tag's sample format; 4 is undefined."""

COLORS: Final = {0: 1, 1: 1, 2: 3, 5: 4, 8: 3}
"""Number of colors by photometric interpretation: two of gray, RGB, inks, CIE L*a*b*."""

LAB: Final = 8
FORMS: Final = frozenset(
    {(kind, bits) for kind in "ui" for bits in (8, 16, 32, 64)} | {("f", 16), ("f", 32), ("f", 64)}
)
LAB_FORMS: Final = frozenset({("u", 8), ("u", 16)})
"""Kind and bits of samples that are read."""

PREMULTIPLIED, ALPHA = 1, 2
"""What an extra sample means: opacity that colors are multiplied by, or are not."""

MAX_SAMPLES: Final = 16
SEPARATE: Final = 2
DIFFERENCES, FLOAT_DIFFERENCES = 2, 3
"""Predictors: each number is stored as the difference from the one before; so are the bytes of
floating-point numbers, the highest of a whole row first (Adobe, TIFF technical note 3)."""

Bytes = npt.NDArray[np.uint8]
Values = npt.NDArray[Any]
Tags = Mapping[int, Any]
Bands = Callable[[], Iterator[tuple[int, Values]]]


@dataclass(frozen=True)
class Grid:
    """Describe how a picture is divided into strips, or tiles, whose rows are stored together.

    Attributes
    ----------
    width, height
        Pixels of a strip or tile.
    across, down
        Number of them in each direction.
    """

    width: int
    height: int
    across: int
    down: int


@dataclass(frozen=True)
class TiffSamples:
    """Describe the samples of a TIFF file's first page.

    Attributes
    ----------
    size
        Width and height of the picture as stored, in pixels.
    kind
        NumPy's kind: `u`, `i` or `f`.
    depth
        Bytes of a sample.
    count
        Samples of a pixel.
    photometric
        What the colors mean; a key of `COLORS`.
    extra
        What each sample after the colors means.
    big
        Whether samples are stored with the highest byte first.
    grid
        How it is divided.
    tags
        The tags of the page that are `NEEDED`.
    """

    size: tuple[int, int]
    kind: str
    depth: int
    count: int
    photometric: int
    extra: tuple[int, ...]
    big: bool
    grid: Grid
    tags: Mapping[int, tuple[int, ...]]

    @property
    def colors(self) -> int:
        """Number of samples that are colors."""
        return COLORS[self.photometric]

    @property
    def plain(self) -> bool:
        """Whether Pillow reads them rightly, if it knows them: unsigned, a pixel's together.

        So it does not read grays that were multiplied by their opacity, or of 16 bits, for it makes
        pictures of modes that it cannot convert.
        """
        multiplied = self.colors == 1 and PREMULTIPLIED in self.extra
        most = 1 if self.colors == 1 else 2
        return self.kind == "u" and self.depth <= most and not (self._separate or multiplied)

    @property
    def _separate(self) -> bool:
        """Whether each sample has a plane of its own."""
        return self.tags.get(PLANAR) == (SEPARATE,)

    @property
    def _stored_size(self) -> tuple[int, int]:
        """Width and height in pixels of whole tiles, or of the strips, of which the last ends."""
        tiled = self.grid.height * self.grid.down
        return self.grid.width * self.grid.across, tiled if TILES in self.tags else self.size[1]

    def bands(self, content: bytes) -> Bands:
        """Decompress the samples.

        Parameters
        ----------
        content : bytes
            The file's bytes.

        Returns
        -------
        Callable
            Yields the first row of each band of rows, and its numbers, of shape (rows, width,
            count); again at each call.

        Raises
        ------
        DecodeError
            If they take too much memory.
        OSError
            If they are truncated or broken.
        """
        wide, high = self._stored_size
        if (size := wide * high * self.count * self.depth) > BOUNDS.sample_bytes:
            raise DecodeError(DecodeStatus.TOO_LARGE, f"{size} bytes of samples")
        planes, together = (self.count, 1) if self._separate else (1, self.count)
        pictures = [
            decompress(content, self._plane_tags(number, together)) for number in range(planes)
        ]
        rows = max(1, BAND_PIXELS // (wide * self.count))

        def each() -> Iterator[tuple[int, Values]]:
            for top in range(0, self.size[1], rows):
                bottom = min(top + rows, self.size[1])
                parts = [
                    self._numbers(np.asarray(one.crop((0, top, one.width, bottom))), together)
                    for one in pictures
                ]
                yield top, np.concatenate(parts, axis=2) if len(parts) > 1 else parts[0]

        return each

    def _plane_tags(self, number: int, together: int) -> dict[int, tuple[int, ...]]:
        """Return the tags of a gray picture whose pixels are the bytes of a plane."""
        grid, tiled = self.grid, TILES in self.tags
        places, lengths = (TILES, TILE_BYTES) if tiled else (STRIPS, STRIP_BYTES)
        parts = grid.across * grid.down
        own = slice(number * parts, (number + 1) * parts)
        if len(self.tags[places][own]) < parts:
            raise OSError(f"{len(self.tags[places])} strips or tiles, not {parts} a plane")
        row = grid.width * together * self.depth
        tags = {
            WIDTH: (row * grid.across,),
            HEIGHT: (self._stored_size[1],),
            BITS: (8,),
            COMPRESSION: self.tags.get(COMPRESSION, (RAW,))[:1],
            PHOTOMETRIC: (1,),
            FILL_ORDER: self.tags.get(FILL_ORDER, (1,))[:1],
            places: self.tags[places][own],
            SAMPLES: (1,),
        }
        if lengths in self.tags:
            tags[lengths] = self.tags[lengths][own]
        if tiled:
            return tags | {TILE_WIDTH: (row,), TILE_HEIGHT: (grid.height,)}
        return tags | {STRIP_ROWS: (grid.height,)}

    def _numbers(self, stored: Bytes, together: int) -> Values:
        """Return the numbers of rows of bytes, (rows, width, together)."""
        raw = self.tags.get(COMPRESSION, (RAW,))[0] == RAW
        predictor = 0 if raw else self.tags.get(PREDICTOR, (0,))[0]
        parts = np.ascontiguousarray(stored).reshape(len(stored) * self.grid.across, -1)
        if predictor == FLOAT_DIFFERENCES and self.kind == "f":
            sums = parts.reshape(len(parts), -1, together).cumsum(1, np.uint8)
            planes = sums.reshape(len(parts), self.depth, -1)
            numbers = np.ascontiguousarray(planes.swapaxes(1, 2)).view(f">f{self.depth}")
        else:
            whole = f"u{self.depth}"
            numbers = parts.view((">" if self.big else "<") + whole).astype(whole)
            numbers = numbers.reshape(len(parts), -1, together)
            if predictor == DIFFERENCES:
                numbers = numbers.cumsum(1, whole)
            numbers = numbers.view(f"{self.kind}{self.depth}")
        return numbers.reshape(len(stored), -1, together)[:, : self.size[0]]


def samples_of(tags: Tags, *, big: bool) -> TiffSamples | None:
    """Return how a TIFF file stores its samples.

    Parameters
    ----------
    tags : Mapping
        The tags of its first page; each a value or a tuple of values.
    big : bool
        Whether the highest byte of a number comes first.

    Returns
    -------
    TiffSamples or None
        None for what cannot be read as whole bytes: samples of other depths, JPEG, palettes; and if
        tags are missing or broken.
    """
    stated = {tag: _whole(tags.get(tag)) for tag in NEEDED if tag in tags}
    if not all(stated.values()) or not {WIDTH, HEIGHT} <= stated.keys():
        return None
    bits, kinds, count = stated.get(BITS, (1,)), stated.get(FORMAT, (1,)), stated.get(SAMPLES, (1,))
    form = KINDS.get(kinds[0]), bits[0]
    photometric = stated.get(PHOTOMETRIC, (0,))[0]
    colors = COLORS.get(photometric, MAX_SAMPLES + 1)
    if (
        len(set(bits)) > 1
        or len(set(kinds)) > 1
        or form not in (LAB_FORMS if photometric == LAB else FORMS)
        or stated.get(COMPRESSION, (RAW,))[0] not in LOSSLESS
        or not colors <= count[0] <= MAX_SAMPLES
    ):
        return None
    size = stated[WIDTH][0], stated[HEIGHT][0]
    grid = _grid_of(stated, size)
    extra = stated.get(EXTRA, ())
    kind, depth = str(form[0]), form[1] // 8
    found = TiffSamples(size, kind, depth, count[0], photometric, extra, big, grid, stated)
    return found if min(*size, grid.width, grid.height) > 0 else None


def _whole(found: Any) -> tuple[int, ...]:
    """Return all values of a tag; none if they are no whole numbers."""
    values = found if isinstance(found, tuple) else (found,)
    return values if all(isinstance(value, int) for value in values) else ()


def _grid_of(tags: Mapping[int, tuple[int, ...]], size: tuple[int, int]) -> Grid:
    """Return how a picture is divided; into parts without pixels if tags contradict each other."""
    width, height = size
    if TILES in tags:
        wide, high = (tags.get(tag, (0,))[0] for tag in (TILE_WIDTH, TILE_HEIGHT))
    else:
        wide, high = width, min(tags.get(STRIP_ROWS, (height,))[0], height) if STRIPS in tags else 0
    return Grid(wide, high, -(-width // max(wide, 1)), -(-height // max(high, 1)))
