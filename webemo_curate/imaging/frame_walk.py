"""Iterate over the frames of a file, within a bound."""

from collections.abc import Iterator
from dataclasses import dataclass

from PIL import Image, ImageFile

from webemo_curate.config import BOUNDS
from webemo_curate.imaging.color import to_rgb
from webemo_curate.imaging.decoding import broken, check_size, open_loaded, turn
from webemo_curate.imaging.formats import Format, find_format
from webemo_curate.imaging.structure import has_structure, reduced_gray
from webemo_curate.own_faults import raise_other_fault


@dataclass(frozen=True)
class Frame:
    """One frame of a file.

    Attributes
    ----------
    number
        Index among the file's frames, from 0.
    picture
        The frame as upright RGB.
    format
        Format of the file.
    mode
        Pillow's mode of the file's first frame, as stored.
    alone
        Whether the file is known to hold no other frame.
    """

    number: int
    picture: Image.Image
    format: Format
    mode: str
    alone: bool


def walk(
    content: bytes, max_pixels: int, *, draft: bool = False, reach: int | None = None
) -> Iterator[Frame]:
    """Yield the frames of a file, until one fails to decode or the bound is reached.

    Parameters
    ----------
    content : bytes
        The file's bytes.
    max_pixels : int
        Largest width times height decoded.
    draft : bool, default False
        Whether to decode a JPEG at a reduced size.
    reach : int, optional
        Most frames; by default `reach_of` the first frame's size.

    Yields
    ------
    Frame
        In order, each with its own pixels.

    Raises
    ------
    NotAnImageError, DecodeError
        If the first frame does not decode; see `decoding.open_loaded`.
    """
    image = open_loaded(content, max_pixels, draft=draft)
    kind = find_format(content)
    assert kind is not None  # noqa: S101 - or it would not have been opened
    mode, upright = image.mode, turn(image)
    picture, alone = _in_rgb(image, content), kind.holds_one(image)
    if alone:
        image.close()  # frees as much memory as the picture takes
        yield Frame(0, _turned(picture, upright), kind, mode, alone)
        return
    yield Frame(0, _turned(picture, upright), kind, mode, alone)
    del picture
    for number in range(1, reach or reach_of(image.size, max_pixels)):
        following = _next_picture(image, number, content, max_pixels, upright)
        if following is None:
            return
        yield Frame(number, following, kind, mode, alone=False)


def _next_picture(
    image: ImageFile.ImageFile,
    number: int,
    content: bytes,
    max_pixels: int,
    upright: Image.Transpose | None,
) -> Image.Image | None:
    """Return the next frame; None if there is none or it fails to decode."""
    try:
        image.seek(number)
        check_size(image.size, max_pixels)
        image.load()
        return _turned(_in_rgb(image, content), upright)
    except Exception as error:  # Pillow's readers raise many kinds on broken files
        raise_other_fault(error)
        return None


def _in_rgb(image: ImageFile.ImageFile, content: bytes) -> Image.Image:
    try:
        return to_rgb(image, content)
    except Exception as error:  # broken palettes raise many kinds
        raise_other_fault(error)
        raise broken(error) from error


def _turned(picture: Image.Image, upright: Image.Transpose | None) -> Image.Image:
    try:
        return picture if upright is None else picture.transpose(upright)
    except MemoryError as error:
        raise broken(error) from error


def reach_of(size: tuple[int, int], max_pixels: int) -> int:
    """Return the most frames walked for a frame size (width, height); see `DecodeBounds.reach`."""
    frame_pixels = max(size[0] * size[1], BOUNDS.frame_pixels)
    return max(1, BOUNDS.reach * max_pixels // frame_pixels)


def is_structured(frame: Frame) -> bool:
    """Return whether a frame is not flat; see `structure.has_structure`."""
    return has_structure(reduced_gray(frame.picture))


def pixels_of(picture: Image.Image) -> tuple[bytes, bytes]:
    """Return a picture's size and pixels as bytes."""
    return f"{picture.width}x{picture.height};".encode(), picture.tobytes()
