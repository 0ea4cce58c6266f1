"""Open and decode files within limits, so that no content can crash, block or fill the memory."""

import errno
import re
import warnings
from pathlib import Path
from typing import Final

from PIL import Image, ImageFile, TiffImagePlugin

from webemo_curate.config import BOUNDS
from webemo_curate.fault_words import is_of_memory
from webemo_curate.imaging.content import name_content
from webemo_curate.imaging.decode_errors import DecodeError, NotAnImageError
from webemo_curate.imaging.formats import Format, find_format
from webemo_curate.own_faults import raise_other_fault
from webemo_curate.rooted import read_regular
from webemo_curate.storage.protocols import ImageReader
from webemo_curate.system_faults import raise_system_fault
from webemo_curate.verdicts import DecodeStatus

DRAFT: Final = 8
"""Scale at which a JPEG is decoded as a draft: it costs a third, and all its data is still read."""

ORIENTATION: Final = 0x0112
TURNS: Final = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
"""The transpose that turns a picture upright, by the value of its EXIF orientation."""

CHANGING = re.compile(r" \(\d+ bytes not processed\)| at 0x[0-9a-f]+")
"""Parts of Pillow's messages that differ from one reading of a file to the next."""


def open_loaded(content: bytes, max_pixels: int, *, draft: bool = False) -> ImageFile.ImageFile:
    """Open a file and decode its first picture to the last row.

    Parameters
    ----------
    content : bytes
        The file's bytes.
    max_pixels : int
        Largest width times height decoded.
    draft : bool, default False
        Whether to decode a JPEG at a reduced size, which is cheaper and finds the same faults.

    Returns
    -------
    PIL.ImageFile.ImageFile
        With its first frame loaded, in the stored mode and orientation.

    Raises
    ------
    NotAnImageError
        If it is not an image of an accepted format.
    DecodeError
        If it is truncated, broken or too large.
    """
    kind = find_format(content)
    if kind is None:
        raise NotAnImageError(name_content(content))
    kind.count_work(content)
    _silence_pillow(max_pixels)
    before = b""
    for part in kind.essences(content):
        if part == before:
            continue  # no metadata was left out: the same file again
        before = part
        try:
            return _load(kind, part, max_pixels, draft=draft)
        except DecodeError:
            raise
        except Image.DecompressionBombError as error:
            raise DecodeError(DecodeStatus.TOO_LARGE, str(error)) from error
        except Exception as error:  # Pillow's readers raise many kinds on broken files
            raise_other_fault(error)
            reason = broken(error)
    raise reason


def check_size(size: tuple[int, int], max_pixels: int) -> None:
    """Raise a `DecodeError` if a picture has too many pixels."""
    width, height = size
    if width * height > max_pixels:
        raise DecodeError(DecodeStatus.TOO_LARGE, f"{width} x {height} pixels")


def broken(error: Exception) -> DecodeError:
    """Turn a library's error into a `DecodeError` with the library's message."""
    if is_of_memory(error):
        bound = BOUNDS.memory_bytes // 10**6
        return DecodeError(DecodeStatus.TOO_LARGE, f"takes more than {bound} MB of memory")
    said = CHANGING.sub("", f"{type(error).__name__}: {error}")
    return DecodeError(DecodeStatus.CORRUPT, said)


def turn(image: ImageFile.ImageFile) -> Image.Transpose | None:
    """Return the transpose that turns a picture upright; None if it already is.

    Parameters
    ----------
    image : PIL.ImageFile.ImageFile
        A loaded file.

    Returns
    -------
    PIL.Image.Transpose or None
        By the EXIF orientation, as browsers do; None also if the orientation is broken, which does
        not make the picture unusable. Pillow has already turned a TIFF.
    """
    stored = image.info.get("exif")
    if not stored or isinstance(image, TiffImagePlugin.TiffImageFile):
        return None
    try:
        exif = Image.Exif()
        exif.load(stored)
        return TURNS.get(exif.get(ORIENTATION, 1))
    except Exception as error:  # Pillow's reader of EXIF raises many kinds
        raise_other_fault(error)
        return None


def read_stored(images: ImageReader, place: str) -> bytes:
    """Read a stored image file.

    Parameters
    ----------
    images : ImageReader
        Reads it.
    place : str
        Its place, relative to the workspace.

    Returns
    -------
    bytes
        The file's bytes.

    Raises
    ------
    DecodeError
        `missing` if it does not exist, `corrupt` if it cannot be read.
    SystemFaultError
        If the machine lacks what reading needs.
    """
    try:
        return images.read(place)
    except OSError as error:
        raise _unreadable(error, place) from error


def read_file(path: Path) -> bytes:
    """Read any file; raises the errors of `read_stored`."""
    try:
        return read_regular(path)
    except OSError as error:
        raise _unreadable(error, str(path)) from error


def _unreadable(error: OSError, place: str) -> DecodeError:
    """Turn a reading error into a `DecodeError`, unless the machine is at fault."""
    raise_system_fault(error, place)
    status = DecodeStatus.MISSING if error.errno == errno.ENOENT else DecodeStatus.CORRUPT
    return DecodeError(status, f"the file cannot be read: {error.strerror or error}")


def _load(kind: Format, content: bytes, max_pixels: int, *, draft: bool) -> ImageFile.ImageFile:
    most = min(max_pixels, kind.max_pixels or max_pixels)
    # WebP's reader allocates its canvas when it opens the file.
    if kind.declared_size and (size := kind.declared_size(content)):
        check_size(size, most)
    image = kind.open(content)
    check_size(image.size, most)
    if draft:
        width, height = image.size
        image.draft("L", (max(1, width // DRAFT), max(1, height // DRAFT)))
    image.load()
    return image


def _silence_pillow(max_pixels: int) -> None:
    """Silence Pillow's warnings, and raise its own pixel limit above ours.

    The filter stays on: restoring it after each picture would be a race between threads.
    """
    first = warnings.filters[0] if warnings.filters else None
    if first is None or first[3] is None or first[3].pattern != "PIL":
        warnings.filterwarnings("ignore", module="PIL")
    bound = Image.MAX_IMAGE_PIXELS
    if bound is not None and bound < max_pixels:
        Image.MAX_IMAGE_PIXELS = max_pixels
