"""Turn pictures into the squares that networks take, decoded within limits of time and memory."""

import hashlib
import math
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Final, Protocol

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps

from webemo_curate.config import BOUNDS
from webemo_curate.errors import InputError
from webemo_curate.imaging import (
    Apart,
    DecodeError,
    Facts,
    Made,
    load_rgb,
    processes,
    read_stored,
    resized,
)
from webemo_curate.imaging.picture_process import SHARED_BYTES
from webemo_curate.remedies import bringing_back
from webemo_curate.runner.reporting import counted
from webemo_curate.storage.image_files import ImageFiles
from webemo_curate.storage.protocols import ImageReader
from webemo_curate.verdicts import DecodeStatus

INTERPOLATIONS: Final = {
    "bilinear": Image.Resampling.BILINEAR,
    "bicubic": Image.Resampling.BICUBIC,
}

FEW: Final = 32
"""Images from which on another process pays: one process decodes as many while another starts."""

TOGETHER: Final = 8
"""Most files that a process is given at once."""

TOGETHER_BYTES: Final = 2**20
"""Bytes of files from which no more are added: then decoding takes far longer than a message."""

SHARES: Final = 2
"""Least groups of files for each process, so that none waits long for another's last one."""


class SquareForm(Protocol):
    """How a picture becomes a square: these fields of a `TrainConfig`."""

    @property
    def image_size(self) -> int:
        """Side in pixels."""

    @property
    def resize(self) -> str:
        """`squash`, or `crop` to keep the aspect ratio."""

    @property
    def interpolation(self) -> str:
        """One of `INTERPOLATIONS`."""


@dataclass(frozen=True)
class _Form:
    image_size: int
    resize: str
    interpolation: str


@dataclass(frozen=True)
class SquareTask:
    """Makes squares in a child process, which a file may crash; a `PictureTask` of `imaging`.

    It is given several files, one after the other, with their lengths in bytes: a message for each
    would cost a fifth of decoding a small photo.
    """

    seconds: float = BOUNDS.seconds

    def __call__(self, content: bytes, details: Facts) -> Made:
        """Return the squares' pixel values, in the order of the files."""
        form, squares, start = _Form(**details["form"]), [], 0
        for length in details["lengths"]:
            picture = load_rgb(content[start : start + length], details["max_pixels"])
            squares.append(to_square(picture, form).tobytes())
            start += length
        return Made({}, b"".join(squares))


def to_square(image: Image.Image, form: SquareForm) -> NDArray[np.uint8]:
    """Resize a picture to a square.

    Parameters
    ----------
    image : PIL.Image.Image
        Upright RGB.
    form : SquareForm
        Side, and how a picture becomes a square.

    Returns
    -------
    ndarray of uint8, shape (3, S, S)
        RGB.
    """
    size, method = (form.image_size, form.image_size), INTERPOLATIONS[form.interpolation]
    fitted = resized if form.resize == "squash" else ImageOps.fit
    square = fitted(image, size, method)
    return np.stack([np.asarray(channel) for channel in square.split()])


def read_square(
    images: ImageReader, place: str, form: SquareForm, max_pixels: int, sha256: str | None = None
) -> NDArray[np.uint8]:
    """Decode one image to a square in this process: for workers, which the image may crash.

    Parameters
    ----------
    images : ImageReader
        Reads the file.
    place : str
        Place of the file.
    form : SquareForm
        Side, and how a picture becomes a square.
    max_pixels : int
        Largest width times height decoded.
    sha256 : str, optional
        The file's hash, if known.

    Returns
    -------
    ndarray of uint8, shape (3, S, S)
        RGB.

    Raises
    ------
    InputError
        If it is missing, has other bytes or cannot be decoded.
    """
    try:
        return to_square(load_rgb(_content(images, place, sha256), max_pixels), form)
    except DecodeError as error:
        raise _unusable(images, place, sha256, error) from error


def read_squares(
    images: ImageReader,
    named: Sequence[tuple[str | None, str]],
    form: SquareForm,
    max_pixels: int,
    *,
    further: bool = False,
) -> NDArray[np.uint8]:
    """Decode images to squares in child processes, which they may crash.

    Parameters
    ----------
    images : ImageReader
        Reads the files.
    named : sequence of (str or None, str)
        SHA-256 (if known) and place of each file.
    form : SquareForm
        Side, and how a picture becomes a square.
    max_pixels : int
        Largest width times height decoded.
    further : bool, default False
        Whether more calls follow, so that several processes pay even for few images.

    Returns
    -------
    ndarray of uint8, shape (images, 3, S, S)
        RGB.

    Raises
    ------
    InputError
        As raised by `read_square`; also if an image takes too long or crashes its decoder.
    """
    at_once = processes() if further or len(named) > FEW else 1
    squares = np.empty((len(named), 3, form.image_size, form.image_size), np.uint8)
    fitting = SHARED_BYTES // (squares.itemsize * math.prod(squares.shape[1:]))
    together = max(1, min(TOGETHER, fitting, len(named) // (SHARES * at_once)))
    groups = [
        range(len(named))[start : start + together] for start in range(0, len(named), together)
    ]
    with Apart(SquareTask(), rest=at_once) as apart, ThreadPoolExecutor(at_once) as pool:
        reading = _SquareReading(images, named, form, max_pixels, squares, apart)
        for _ in counted(chain.from_iterable(pool.map(reading.read, groups))):
            pass
    return squares


@dataclass(frozen=True)
class _SquareReading:
    """Files that are being read into squares, by several threads at once; see `read_squares`."""

    images: ImageReader
    named: Sequence[tuple[str | None, str]]
    form: SquareForm
    max_pixels: int
    squares: NDArray[np.uint8]
    apart: Apart

    def read(self, numbers: range) -> range:
        """Read some files; return their numbers."""
        first, contents = numbers.start, []
        for number in numbers:
            contents.append(self._content(number))
            if number + 1 == numbers.stop or sum(map(len, contents)) >= TOGETHER_BYTES:
                self._decode(contents, first)
                first, contents = number + 1, []
        return numbers

    def _content(self, number: int) -> bytes:
        sha256, place = self.named[number]
        try:
            return _content(self.images, place, sha256)
        except DecodeError as error:
            raise self._unusable(number, error) from error

    def _decode(self, contents: Sequence[bytes], first: int) -> None:
        fields = ("image_size", "resize", "interpolation")
        try:
            self.apart.fill(
                self.squares[first : first + len(contents)],
                b"".join(contents),
                lengths=[len(content) for content in contents],
                max_pixels=self.max_pixels,
                form={name: getattr(self.form, name) for name in fields},
            )
        except DecodeError as error:
            if len(contents) == 1:
                raise self._unusable(first, error) from error
            for number, content in enumerate(contents, first):  # to tell which it is
                self._decode([content], number)

    def _unusable(self, number: int, error: DecodeError) -> InputError:
        sha256, place = self.named[number]
        return _unusable(self.images, place, sha256, error)


def read_named_squares(
    files: Sequence[Path], form: SquareForm, max_pixels: int
) -> NDArray[np.uint8]:
    """Decode files by the names that the user gave; see `read_squares`."""
    named = [(None, str(file.absolute())) for file in files]
    return read_squares(ImageFiles(Path()), named, form, max_pixels)


def _content(images: ImageReader, place: str, sha256: str | None) -> bytes:
    content = read_stored(images, place)
    if sha256 is not None and hashlib.sha256(content).hexdigest() != sha256:
        raise DecodeError(DecodeStatus.CORRUPT, "it has other bytes than are listed")
    return content


def _unusable(
    images: ImageReader, place: str, sha256: str | None, error: DecodeError
) -> InputError:
    again = bringing_back(images.home) if sha256 else "give a file that is one"
    return InputError(f"{place}: the image cannot be read ({error}); {again}")
