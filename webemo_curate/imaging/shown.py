"""Decode single pictures in a child process, to show or use them; see `apart`."""

from dataclasses import dataclass
from pathlib import Path

from PIL import Image

from webemo_curate.config import BOUNDS
from webemo_curate.imaging.apart import Apart
from webemo_curate.imaging.decoding import read_file
from webemo_curate.imaging.picture_process import Facts, Made
from webemo_curate.imaging.reading import load_rgb


@dataclass(frozen=True)
class ShowTask:
    """Decodes a file to pixels, at a reduced size if requested; a `picture_process.PictureTask`."""

    seconds: float = BOUNDS.seconds

    def __call__(self, content: bytes, details: Facts) -> Made:
        """Return the width, height and RGB pixels."""
        picture = load_rgb(content, details["max_pixels"])
        if (side := details["side"]) is not None:
            picture.thumbnail((side, side))
        return Made({"size": picture.size}, picture.tobytes())


def load_apart(source: bytes | Path, max_pixels: int, side: int | None = None) -> Image.Image:
    """Decode the frame that represents a file, in a child process that the file may crash.

    Parameters
    ----------
    source : bytes or Path
        The file or its bytes.
    max_pixels : int
        Largest width times height decoded.
    side : int, optional
        Most pixels a side of the result; unlimited by default.

    Returns
    -------
    PIL.Image.Image
        Upright RGB.

    Raises
    ------
    NotAnImageError, DecodeError
        As raised by `load_rgb`; also if the file takes too long or crashes its decoder.
    """
    content = source if isinstance(source, bytes) else read_file(source)
    with Apart(ShowTask()) as apart:
        facts, pixels = apart.ask(content, max_pixels=max_pixels, side=side)
    return Image.frombytes("RGB", tuple(facts["size"]), pixels)
