"""Recognize text of few, repeated characters, which recognizers read into patterns."""

from collections import Counter

ALIKE = str.maketrans("oq", "00")
"""Characters that rings are read as in turn, after case folding."""


MANY = 3.0
"""Different characters that words have at least; short words, half their length at least."""


def repeats_few_signs(text: str) -> bool:
    """Return whether a text repeats so few characters that it is more likely a pattern than a word.

    Parameters
    ----------
    text : str
        The text read.

    Returns
    -------
    bool
        True for none of 368 labeled words and certain readings of four characters or more.
    """
    length = sum(sign.isalnum() for sign in text)
    return different_signs(text) < min(MANY, length / 2)


def different_signs(text: str) -> float:
    """Return the effective number of different characters in a text, each counted by its share.

    The inverse of the chance that two of its letters and digits, drawn at random, are equal
    (Simpson 1949): `00080008` has 1.6, `lalala` 2, `Mississippi` 3.3, `evening` 4.5.

    Parameters
    ----------
    text : str
        The text read.

    Returns
    -------
    float
        0 without letters and digits, else at least 1. Case and `ALIKE` characters do not matter.
    """
    signs = Counter(sign for sign in text.casefold().translate(ALIKE) if sign.isalnum())
    pairs = sum(count * count for count in signs.values())
    return signs.total() ** 2 / pairs if pairs else 0.0
