"""Read what a file shows: its representative frame, its pixel hash, its distinct frames."""

import hashlib
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from PIL import Image

from webemo_curate.imaging.decoding import read_file
from webemo_curate.imaging.frame_walk import Frame, is_structured, pixels_of, reach_of, walk
from webemo_curate.imaging.guard import guarded


@dataclass(frozen=True)
class Looks:
    """The visible content of a file.

    Attributes
    ----------
    frame
        The frame that represents the file; see `choose_frame`.
    frames
        Number of frames that decode, within the bound; 1 for a still picture.
    pixel_hash
        SHA-256, in hex, of size and pixels of all frames; repeated equal frames count once.
    """

    frame: Frame
    frames: int
    pixel_hash: str


@guarded
def check_body(content: bytes, max_pixels: int) -> str:
    """Return a downloaded image's suffix, after reading it to its last row.

    Parameters
    ----------
    content : bytes
        The file's bytes.
    max_pixels : int
        Largest width times height decoded.

    Returns
    -------
    str
        The suffix (`.jpg`, ...).

    Raises
    ------
    NotAnImageError
        If it is not an image of an accepted format.
    DecodeError
        If it is truncated, broken or too large: exactly when `load_rgb` would raise.
    """
    return next(walk(content, max_pixels, draft=True)).format.suffix


def load_rgb(source: bytes | Path, max_pixels: int) -> Image.Image:
    """Decode the frame that represents a file; see `choose_frame`.

    Parameters
    ----------
    source : bytes or Path
        The file or its bytes.
    max_pixels : int
        Largest width times height decoded.

    Returns
    -------
    PIL.Image.Image
        Upright RGB.

    Raises
    ------
    NotAnImageError
        If it is not an image of an accepted format.
    DecodeError
        If it is unreadable, truncated, broken or too large.
    """
    return choose_frame(
        source if isinstance(source, bytes) else read_file(source), max_pixels
    ).picture


@guarded
def choose_frame(content: bytes, max_pixels: int) -> Frame:
    """Decode the frame that represents a file: its first frame that is not flat, else its first.

    Parameters
    ----------
    content : bytes
        The file's bytes.
    max_pixels : int
        Largest width times height decoded.

    Returns
    -------
    Frame
        The frame that is hashed, compared, trained on and shown.

    Raises
    ------
    NotAnImageError, DecodeError
        As raised by `load_rgb`.
    """
    frames = walk(content, max_pixels)
    first = next(frames)
    if first.alone or is_structured(first):
        return first
    return next(filter(is_structured, frames), first)


@guarded
def load_frame(content: bytes, max_pixels: int, number: int | None) -> Frame:
    """Decode one frame of a file.

    Parameters
    ----------
    content : bytes
        The file's bytes.
    max_pixels : int
        Largest width times height decoded.
    number : int or None
        Index of the frame, from 0; None for the one that represents the file.

    Returns
    -------
    Frame
        That frame, or the last frame before it that decodes.

    Raises
    ------
    NotAnImageError, DecodeError
        As raised by `load_rgb`.
    """
    if number is None:
        return choose_frame(content, max_pixels)
    *_, last = walk(content, max_pixels, reach=number + 1)
    return last


@guarded
def read_looks(content: bytes, max_pixels: int) -> Looks:
    """Decode all that a file shows.

    Parameters
    ----------
    content : bytes
        The file's bytes.
    max_pixels : int
        Largest width times height decoded.

    Returns
    -------
    Looks
        Two animations have the same `pixel_hash` only if all their frames are equal. An animation
        longer than the bound shares its hash only with files of the same bytes.

    Raises
    ------
    NotAnImageError, DecodeError
        As raised by `load_rgb`.
    """
    hasher = hashlib.sha256()
    before: tuple[bytes, ...] = ()
    first = chosen = None
    count = 0
    for frame in walk(content, max_pixels):
        count += 1
        first = first or frame
        if chosen is None and (frame.alone or is_structured(frame)):
            chosen = frame
        shown = pixels_of(frame.picture)
        if shown != before:
            for part in shown:
                hasher.update(part)
        before = shown
    stands = chosen or first
    assert stands is not None  # noqa: S101 - the first frame decodes or raises
    if count > 1 and count == reach_of(stands.picture.size, max_pixels):
        hasher.update(content)
    return Looks(stands, count, hasher.hexdigest())


@guarded
def distinct_frames(content: bytes, max_pixels: int, frames: int, at_most: int) -> list[Frame]:
    """Decode frames that differ: the first, the last and evenly spaced ones.

    Parameters
    ----------
    content : bytes
        The file's bytes.
    max_pixels : int
        Largest width times height decoded.
    frames : int
        Number of frames, as counted by `read_looks`.
    at_most : int
        Most frames wanted, 1 or more. If there are more frames, the first is always taken; the
        others are evenly spaced from the first frame that is not flat.

    Returns
    -------
    list of Frame
        In order.

    Raises
    ------
    NotAnImageError, DecodeError
        As raised by `load_rgb`.
    """
    if frames == 1 or at_most == 1:
        return [choose_frame(content, max_pixels)]
    numbers: dict[bytes, int] = {}
    start = None
    for frame in walk(content, max_pixels, reach=frames):
        if start is None and is_structured(frame):
            start = frame.number
        digest = hashlib.sha256(b"".join(pixels_of(frame.picture))).digest()
        numbers.setdefault(digest, frame.number)
    wanted = set(_spaced(list(numbers.values()), start or 0, at_most))
    found = walk(content, max_pixels, reach=max(wanted) + 1)
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
