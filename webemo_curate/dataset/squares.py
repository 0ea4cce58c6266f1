"""Turn pictures into the squares that networks take, decoded within limits of time and memory."""

import hashlib
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
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
    """Makes squares in a child process, which a file may crash; an `imaging.apart.PictureTask`."""

    seconds: float = BOUNDS.seconds

    def __call__(self, content: bytes, details: Facts) -> Made:
        """Return the square's pixel values."""
        square = to_square(load_rgb(content, details["max_pixels"]), _Form(**details["form"]))
        return Made({}, square.tobytes())


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
    return np.ascontiguousarray(np.asarray(square).transpose(2, 0, 1))


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
    fields = ("image_size", "resize", "interpolation")
    details = {"max_pixels": max_pixels, "form": {name: getattr(form, name) for name in fields}}
    shape = (3, form.image_size, form.image_size)

    def read(image: tuple[str | None, str]) -> NDArray[np.uint8]:
        sha256, place = image
        try:
            answer = apart.ask(_content(images, place, sha256), **details)
        except DecodeError as error:
            raise _unusable(images, place, sha256, error) from error
        return np.frombuffer(answer.content, np.uint8).reshape(shape)

    at_once = processes() if further or len(named) > FEW else 1
    with Apart(SquareTask(), rest=at_once) as apart, ThreadPoolExecutor(at_once) as pool:
        return np.stack(list(counted(pool.map(read, named))))


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
