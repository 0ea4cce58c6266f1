"""Tell text of few, repeated signs, which is what recognizers read into a pattern."""

from collections import Counter

ALIKE = str.maketrans("oq", "00")
"""What rings are read as in turn, after case folding."""


MANY = 3.0
"""Different signs that words have; short ones have half of their length at least."""


def repeats_few_signs(text: str) -> bool:
    """Tell whether a text repeats so few signs that it is rather a pattern than a word.

    Parameters
    ----------
    text : str
        What was read.

    Returns
    -------
    bool
        Whether it is so: of 368 labeled words and certain readings, four signs and longer, of
        none.
    """
    length = sum(sign.isalnum() for sign in text)
    return different_signs(text) < min(MANY, length / 2)


def different_signs(text: str) -> float:
    """Return how many different signs a text seems to have, each counted by its share.

    The inverse of the chance that two of its letters and digits, drawn at random, are the same one
    (Simpson 1949): `00080008` has 1.6, `lalala` 2, `Mississippi` 3.3, `evening` 4.5.

    Parameters
    ----------
    text : str
        What was read.

    Returns
    -------
    float
        0 if it has no letter or digit, else from 1 on. Case, and `ALIKE` signs, make no difference.
    """
    signs = Counter(sign for sign in text.casefold().translate(ALIKE) if sign.isalnum())
    pairs = sum(count * count for count in signs.values())
    return signs.total() ** 2 / pairs if pairs else 0.0
