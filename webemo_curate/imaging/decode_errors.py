"""The errors for images that cannot be used."""

from webemo_curate.verdicts import DecodeStatus


class DecodeError(Exception):
    """An image that cannot be used.

    Parameters
    ----------
    status : DecodeStatus
        `corrupt`, `too_large` or `missing`.
    reason : str
        What is wrong; equal files give equal reasons.
    """

    def __init__(self, status: DecodeStatus, reason: str) -> None:
        super().__init__(reason)
        self.status = status


class NotAnImageError(DecodeError):
    """Content that is not an image of an accepted format.

    Parameters
    ----------
    found : str
        What it is instead; see `content.name_content`.
    """

    def __init__(self, found: str) -> None:
        super().__init__(DecodeStatus.CORRUPT, f"not an image of an accepted format: {found}")

    @classmethod
    def of_reason(cls, reason: str) -> "NotAnImageError":
        """Return the error for a reason that another process reported."""
        error = cls("")
        error.args = (reason,)
        return error
