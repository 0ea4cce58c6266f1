"""Examine downloaded files in child processes; see `apart`."""

from dataclasses import dataclass
from typing import NamedTuple

from webemo_curate.config import BOUNDS
from webemo_curate.imaging.decode_errors import DecodeError, NotAnImageError
from webemo_curate.imaging.picture_process import Facts, Made
from webemo_curate.imaging.reading import check_body, choose_frame
from webemo_curate.imaging.together import Together
from webemo_curate.own_faults import OwnFaultError
from webemo_curate.verdicts import DecodeStatus, FetchStatus


class Finding(NamedTuple):
    """The result of examining a file.

    Attributes
    ----------
    status
        `ok`, `not_image`, `corrupt`, `too_large` or `internal_error`.
    reason
        What is wrong; None if the file is good.
    suffix
        File suffix by content, if the status is `ok`.
    width, height
        Size of the picture that the file stands for in pixels, if requested.
    """

    status: FetchStatus
    reason: str | None = None
    suffix: str | None = None
    width: int | None = None
    height: int | None = None


@dataclass(frozen=True)
class ExamineWorker:
    """Examines files; a `picture_process.PictureTask`.

    Attributes
    ----------
    max_pixels
        Largest width times height decoded.
    measure
        Whether to decode the picture in full and report its size, rather than only read the file to
        its end.
    seconds
        Processor seconds allowed for one file.
    """

    max_pixels: int
    measure: bool = False
    seconds: float = BOUNDS.seconds

    def __call__(self, content: bytes, _: Facts) -> Made:
        """Return the suffix, width and height of a file; raises the errors of `load_rgb`."""
        if not self.measure:
            return Made({"suffix": check_body(content, self.max_pixels)})
        frame = choose_frame(content, self.max_pixels)
        width, height = frame.picture.size
        return Made({"suffix": frame.format.suffix, "width": width, "height": height})


class Examiner(Together):
    """Examines files in child processes, the files of several tasks together."""

    async def examine(self, content: bytes) -> Finding:
        """Examine a file without blocking the event loop.

        Parameters
        ----------
        content : bytes
            The file's bytes.

        Returns
        -------
        Finding
            Always a result, whatever the file does.

        Raises
        ------
        CurateError
            If the machine lacks what examining needs.
        """
        try:
            return Finding(FetchStatus.OK, **(await self.ask_together(content)).facts)
        except (DecodeError, OwnFaultError) as error:
            return _finding(error)

    def examine_now(self, content: bytes) -> Finding:
        """Examine a file, and wait for the result; see `examine`."""
        try:
            return Finding(FetchStatus.OK, **self.ask(content).facts)
        except (DecodeError, OwnFaultError) as error:
            return _finding(error)


def _finding(error: DecodeError | OwnFaultError) -> Finding:
    if isinstance(error, OwnFaultError):
        return Finding(FetchStatus.INTERNAL_ERROR, error.what)
    if isinstance(error, NotAnImageError):
        return Finding(FetchStatus.NOT_IMAGE, str(error))
    too_large = error.status is DecodeStatus.TOO_LARGE
    return Finding(FetchStatus.TOO_LARGE if too_large else FetchStatus.CORRUPT, str(error))
