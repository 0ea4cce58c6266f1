"""The pictures of a file: one, or the frames of an animation."""

import hashlib
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from PIL import Image, ImageFile

from webemo_curate.imaging.color import to_rgb
from webemo_curate.imaging.decoding import broken, check_size, open_loaded, read_file, turn
from webemo_curate.imaging.formats import Format, find_format
from webemo_curate.imaging.structure import has_structure, reduced_gray
from webemo_curate.system_faults import raise_system_fault

REACH: Final = 4
"""Frames of an animation are followed until they hold so many times the pixels that one picture may
have: at the default 1,000 frames of 500 x 500 pixels."""

LEAST_FRAME_PIXELS: Final = 128 * 128
"""Pixels that a frame counts at least: what a smaller one costs is not its pixels."""


@dataclass(frozen=True)
class Frame:
    """A picture of a file.

    Attributes
    ----------
    number
        Its place among the file's frames, from 0.
    picture
        Upright RGB.
    format
        Of the file.
    mode
        Pillow's mode of the file's first frame, as stored.
    alone
        Whether the file is known to hold no other.
    """

    number: int
    picture: Image.Image
    format: Format
    mode: str
    alone: bool


@dataclass(frozen=True)
class Looks:
    """How a file looks.

    Attributes
    ----------
    frame
        The picture that the file stands for; see `choose_frame`.
    frames
        Frames that decode, up to `REACH`; 1 for a still.
    pixel_hash
        SHA-256 of size and pixels, in hex, of all frames, a run of equal ones counting once.
    """

    frame: Frame
    frames: int
    pixel_hash: str


def check_body(content: bytes, max_pixels: int) -> str:
    """Tell a downloaded image's format, once it has been read to its last row.

    Parameters
    ----------
    content : bytes
        A file's bytes.
    max_pixels : int
        Largest width times height that is decoded.

    Returns
    -------
    str
        The suffix (`.jpg`, ...).

    Raises
    ------
    NotAnImageError
        If it is no image of an accepted format.
    DecodeError
        If it is truncated or broken, or has too many pixels: whenever `load_rgb` would.
    """
    return next(_frames(content, max_pixels, draft=True)).format.suffix


def load_rgb(source: bytes | Path, max_pixels: int) -> Image.Image:
    """Decode the picture that a file stands for; see `choose_frame`.

    Parameters
    ----------
    source : bytes or Path
        The file or its bytes.
    max_pixels : int
        Largest width times height that is decoded.

    Returns
    -------
    PIL.Image.Image
        Upright RGB.

    Raises
    ------
    NotAnImageError
        If it is no image of an accepted format.
    DecodeError
        If it cannot be read, is truncated or broken, or has too many pixels.
    """
    return choose_frame(
        source if isinstance(source, bytes) else read_file(source), max_pixels
    ).picture


def choose_frame(content: bytes, max_pixels: int) -> Frame:
    """Decode the picture that a file stands for: its first frame that is not flat, else its first.

    Parameters
    ----------
    content : bytes
        The file.
    max_pixels : int
        Largest width times height that is decoded.

    Returns
    -------
    Frame
        What is hashed, compared, trained on and shown.

    Raises
    ------
    NotAnImageError, DecodeError
        As `load_rgb`.
    """
    frames = _frames(content, max_pixels)
    first = next(frames)
    if first.alone or _is_structured(first):
        return first
    return next(filter(_is_structured, frames), first)


def load_frame(content: bytes, max_pixels: int, number: int) -> Frame:
    """Decode one frame of a file.

    Parameters
    ----------
    content : bytes
        The file.
    max_pixels : int
        Largest width times height that is decoded.
    number : int
        The frame, from 0.

    Returns
    -------
    Frame
        That frame, or the last before it that decodes.

    Raises
    ------
    NotAnImageError, DecodeError
        As `load_rgb`.
    """
    *_, last = _frames(content, max_pixels, reach=number + 1)
    return last


def read_looks(content: bytes, max_pixels: int) -> Looks:
    """Decode all that a file shows.

    Parameters
    ----------
    content : bytes
        The file.
    max_pixels : int
        Largest width times height that is decoded.

    Returns
    -------
    Looks
        Two animations have one `pixel_hash` only if all their frames are equal; one whose frames
        go beyond `REACH` shares its with none but the same bytes.

    Raises
    ------
    NotAnImageError, DecodeError
        As `load_rgb`.
    """
    hasher = hashlib.sha256()
    before: tuple[bytes, ...] = ()
    first = chosen = None
    count = 0
    for frame in _frames(content, max_pixels):
        count += 1
        first = first or frame
        if chosen is None and (frame.alone or _is_structured(frame)):
            chosen = frame
        shown = _pixels(frame.picture)
        if shown != before:
            for part in shown:
                hasher.update(part)
        before = shown
    stands = chosen or first
    assert stands is not None  # noqa: S101 - the first frame decodes or raises
    if count > 1 and count == _reach(stands.picture.size, max_pixels):
        hasher.update(content)
    return Looks(stands, count, hasher.hexdigest())


def distinct_frames(content: bytes, max_pixels: int, frames: int, at_most: int) -> list[Frame]:
    """Decode frames that differ: the first, the last and evenly spaced ones.

    Parameters
    ----------
    content : bytes
        The file.
    max_pixels : int
        Largest width times height that is decoded.
    frames : int
        Frames that the file has, as `read_looks` counts them.
    at_most : int
        Frames wanted, 1 or more. With fewer than there are, the first comes first, then the others
        are spaced from the first that is not flat on.

    Returns
    -------
    list of Frame
        In their order.

    Raises
    ------
    NotAnImageError, DecodeError
        As `load_rgb`.
    """
    if frames == 1 or at_most == 1:
        return [choose_frame(content, max_pixels)]
    numbers: dict[bytes, int] = {}
    start = None
    for frame in _frames(content, max_pixels, reach=frames):
        if start is None and _is_structured(frame):
            start = frame.number
        digest = hashlib.sha256(b"".join(_pixels(frame.picture))).digest()
        numbers.setdefault(digest, frame.number)
    wanted = set(_spaced(list(numbers.values()), start or 0, at_most))
    found = _frames(content, max_pixels, reach=max(wanted) + 1)
    return [frame for frame in found if frame.number in wanted]


def _spaced(numbers: Sequence[int], start: int, at_most: int) -> list[int]:
    """Choose the first number, and evenly spaced ones from `start`, or earlier, to the last."""
    if len(numbers) <= at_most:
        return list(numbers)
    first = min(bisect_left(numbers, start), len(numbers) - at_most)
    head, later = list(numbers[: first > 0]), numbers[first:]
    steps = at_most - len(head)
    if steps == 1:
        return [*head, numbers[-1]]
    return head + [later[step * (len(later) - 1) // (steps - 1)] for step in range(steps)]


def _frames(
    content: bytes, max_pixels: int, *, draft: bool = False, reach: int | None = None
) -> Iterator[Frame]:
    """Yield the frames of a file until one does not decode; the first one raises if it does not."""
    image = open_loaded(content, max_pixels, draft=draft)
    kind = find_format(content)
    assert kind is not None  # noqa: S101 - or it would not have been opened
    mode, upright = image.mode, turn(image)
    alone = kind.holds_one(image)
    yield Frame(0, _show(image, content, upright), kind, mode, alone)
    if alone:
        return
    for number in range(1, reach or _reach(image.size, max_pixels)):
        picture = _next_picture(image, number, content, max_pixels, upright)
        if picture is None:
            return
        yield Frame(number, picture, kind, mode, alone=False)


def _next_picture(
    image: ImageFile.ImageFile,
    number: int,
    content: bytes,
    max_pixels: int,
    upright: Image.Transpose | None,
) -> Image.Image | None:
    """Return a further frame; None if there is none or it does not decode."""
    try:
        image.seek(number)
        check_size(image.size, max_pixels)
        image.load()
        return _show(image, content, upright)
    except Exception as error:  # Pillow's readers raise many kinds on broken files
        raise_system_fault(error)
        return None


def _show(
    image: ImageFile.ImageFile, content: bytes, upright: Image.Transpose | None
) -> Image.Image:
    try:
        picture = to_rgb(image, content)
        return picture if upright is None else picture.transpose(upright)
    except Exception as error:  # broken palettes raise many kinds
        raise_system_fault(error)
        raise broken(error) from error


def _reach(size: tuple[int, int], max_pixels: int) -> int:
    """Return how many frames of a size are followed."""
    return max(1, REACH * max_pixels // max(size[0] * size[1], LEAST_FRAME_PIXELS))


def _is_structured(frame: Frame) -> bool:
    return has_structure(reduced_gray(frame.picture))


def _pixels(picture: Image.Image) -> tuple[bytes, bytes]:
    """Return a picture's size and pixels."""
    return f"{picture.width}x{picture.height};".encode(), picture.tobytes()
