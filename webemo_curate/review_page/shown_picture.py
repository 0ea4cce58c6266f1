"""Pictures as the page shows them: decoded apart, made smaller, re-encoded from their pixels."""

import io
from dataclasses import dataclass
from typing import Final

from PIL import Image

from webemo_curate.config import BOUNDS
from webemo_curate.duplicates.laid_task import LaidTask
from webemo_curate.imaging import Apart, Facts, Made, load_frame

SIDES: Final = {"small": 240, "fit": 1280, "full": 4096}
"""Most pixels a side, by the name that the page asks by."""

QUALITY: Final = 90


@dataclass(frozen=True)
class PageTask:
    """Makes a JPEG of a file's picture in a process that the file may end; a `PictureTask`."""

    seconds: float = BOUNDS.seconds

    def __call__(self, content: bytes, details: Facts) -> Made:
        """Return the picture upright, within `side` pixels."""
        picture = load_frame(content, details["max_pixels"], details["frame"]).picture
        picture.thumbnail((details["side"], details["side"]), Image.Resampling.BICUBIC)
        stream = io.BytesIO()
        picture.save(stream, "JPEG", quality=QUALITY)
        return Made({}, stream.getvalue())


class PictureShop:
    """Gives a workspace's pictures to the page.

    Parameters
    ----------
    max_pixels : int
        Largest width times height that is decoded.
    """

    def __init__(self, max_pixels: int) -> None:
        self._apart, self._laying = Apart(PageTask()), Apart(LaidTask())
        self._max_pixels = max_pixels

    async def show(self, content: bytes, side: int, frame: int | None) -> bytes:
        """Return a picture as a JPEG file.

        Parameters
        ----------
        content : bytes
            The stored file.
        side : int
            Most pixels a side.
        frame : int, optional
            The frame of an animation; default the one that stands for it.

        Returns
        -------
        bytes
            Of its pixels alone: nothing else of the file goes to a browser.

        Raises
        ------
        DecodeError
            If it cannot be read.
        """
        made = await self._apart.ask_aside(
            content, max_pixels=self._max_pixels, side=side, frame=frame
        )
        return made.content

    async def lay(self, first: bytes, second: bytes, side: int) -> bytes:
        """Return a picture as it lies on another, as a WebP file of the other's shape.

        Parameters
        ----------
        first, second : bytes
            The stored files; the second is laid on the first.
        side : int
            Most pixels a side.

        Returns
        -------
        bytes
            Transparent where the second shows nothing.

        Raises
        ------
        DecodeError
            If one cannot be read.
        """
        made = await self._laying.ask_aside(
            first + second, max_pixels=self._max_pixels, side=side, split=len(first)
        )
        return made.content

    def close(self) -> None:
        """End its processes."""
        for apart in (self._apart, self._laying):
            apart.__exit__(None, None, None)
