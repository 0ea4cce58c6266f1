"""Relate a fetched picture to the one that was released: by content, never by URL."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from webemo_curate.verdicts import DecodeStatus


class Outcome(StrEnum):
    """What became of a released image; the better, the earlier."""

    IDENTICAL = "identical"
    SAME_PIXELS = "same_pixels"
    RE_ENCODED = "re_encoded"
    SUBSTITUTE = "substitute"
    REPLACED = "replaced"
    DEAD = "dead"

    @property
    def rank(self) -> int:
        """Place among the outcomes, from the best."""
        return list(Outcome).index(self)


@dataclass(frozen=True)
class Likeness:
    """The likeness of a fetched picture to the released one.

    Attributes
    ----------
    outcome
        `identical`, `same_pixels`, `re_encoded` or `replaced`.
    distance
        Bits of perceptual hash between them; None where it was not looked at.
    width, height
        Pixels of the fetched picture; None where it was not looked at.
    """

    outcome: Outcome
    distance: int | None = None
    width: int | None = None
    height: int | None = None


def compare(found: Mapping[str, Any], expected: Mapping[str, Any], distance: int) -> Likeness:
    """Compare a picture that has other bytes than was expected.

    Parameters
    ----------
    found : Mapping of str to Any
        What the images stage says of it.
    expected : Mapping of str to Any
        What the release says: `pixel_hash` and `phash`, None where they are not known.
    distance : int
        Bits by which the perceptual hash of a re-encoded picture may differ.

    Returns
    -------
    Likeness
        `replaced` if it does not decode.
    """
    if found["decode_status"] != DecodeStatus.OK:
        return Likeness(Outcome.REPLACED)
    size = found["width"], found["height"]
    if expected["pixel_hash"] == found["pixel_hash"]:
        return Likeness(Outcome.SAME_PIXELS, 0, *size)
    if expected["phash"] is None:
        return Likeness(Outcome.REPLACED, None, *size)
    bits = int(found["phash"] ^ expected["phash"]).bit_count()
    near = bits <= distance
    return Likeness(Outcome.RE_ENCODED if near else Outcome.REPLACED, bits, *size)
