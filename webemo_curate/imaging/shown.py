"""Single pictures for people and programs, decoded in another process; see `apart`."""

from dataclasses import dataclass
from pathlib import Path

from PIL import Image

from webemo_curate.config import BOUNDS
from webemo_curate.imaging.apart import Apart, Facts, Made
from webemo_curate.imaging.decoding import read_file
from webemo_curate.imaging.reading import load_rgb


@dataclass(frozen=True)
class ShowTask:
    """Decodes a file to its pixels, made smaller if asked; an `apart.PictureTask`."""

    seconds: float = BOUNDS.seconds

    def __call__(self, content: bytes, details: Facts) -> Made:
        """Return width, height and RGB pixels."""
        picture = load_rgb(content, details["max_pixels"])
        if (side := details["side"]) is not None:
            picture.thumbnail((side, side))
        return Made({"size": picture.size}, picture.tobytes())


def load_apart(source: bytes | Path, max_pixels: int, side: int | None = None) -> Image.Image:
    """Decode the picture that a file stands for in a process that it may end.

    Parameters
    ----------
    source : bytes or Path
        The file or its bytes.
    max_pixels : int
        Largest width times height that is decoded.
    side : int, optional
        Most pixels a side of what is returned; default as many as there are.

    Returns
    -------
    PIL.Image.Image
        Upright RGB.

    Raises
    ------
    NotAnImageError, DecodeError
        As `load_rgb`, and if the file takes too long or crashes its decoder.
    """
    content = source if isinstance(source, bytes) else read_file(source)
    with Apart(ShowTask()) as apart:
        facts, pixels = apart.ask(content, max_pixels=max_pixels, side=side)
    return Image.frombytes("RGB", tuple(facts["size"]), pixels)
