"""Divide the labeled photos into halves: rules are chosen on one and reported on the other."""

import hashlib
from typing import Literal

Half = Literal["tuning", "report"]


def half_of(group: str) -> Half:
    """Return the half of photos that belong together.

    Parameters
    ----------
    group : str
        What they have in common: the family, the picture that they were cut from, or the file.

    Returns
    -------
    {"tuning", "report"}
        By the first bit of the group's SHA-256, so by nothing that is seen in the photos.
    """
    return "report" if hashlib.sha256(group.encode()).digest()[0] & 1 else "tuning"
