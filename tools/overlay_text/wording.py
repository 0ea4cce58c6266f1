"""Make up words, so that no word list is needed and none can be memorized."""

import string

import numpy as np

from tools.overlay_text.backgrounds import Random

BY_FREQUENCY = "etaoinshrdlucmfwypvbgkjqxz"
"""Letters by their approximate frequency in English."""

DECAY = 0.12
"""Decrease of the logarithm of the frequency from each letter to the next."""

VOWELS = "aeiou"
MAX_WORD = 12
WORDS = (1, 1, 1, 2, 2, 3, 4, 5)
"""Numbers of words in a line; all entries are equally likely."""

CHINESE = 0.05
"""Share of lines in Chinese characters."""
FIRST_CHINESE, LAST_CHINESE = 0x4E00, 0x9000


def phrase(random: Random, *, chinese: bool = True) -> str:
    """Make up a line of writing.

    Parameters
    ----------
    random : numpy.random.Generator
        Source of all draws.
    chinese : bool, default True
        Whether some lines are Chinese.

    Returns
    -------
    str
        One to five words, numbers or addresses; or two to seven Chinese characters.
    """
    if chinese and random.random() < CHINESE:
        codes = random.integers(FIRST_CHINESE, LAST_CHINESE, random.integers(2, 8))
        return "".join(map(chr, codes))
    return " ".join(_word(random) for _ in range(random.choice(WORDS)))


def is_chinese(text: str) -> bool:
    """Return whether a line made by `phrase` is Chinese."""
    return ord(text[0]) >= FIRST_CHINESE


def _word(random: Random) -> str:
    kind = random.random()
    if kind < 0.12:
        return _number(random)
    letters = _letters(random)
    if kind < 0.42:
        return letters.upper()
    if kind < 0.72:
        return letters.capitalize()
    if kind < 0.76:
        return f"www.{letters}.com"
    return f"©{letters}" if kind < 0.78 else letters


def _letters(random: Random) -> str:
    shares = np.exp(-DECAY * np.arange(len(BY_FREQUENCY)))
    length = min(MAX_WORD, 1 + random.geometric(0.22))
    any_letter = random.choice(list(BY_FREQUENCY), length, p=shares / shares.sum())
    vowel = random.choice(list(VOWELS), length)
    return "".join(np.where(random.random(length) < 0.6, any_letter, vowel))


def _number(random: Random) -> str:
    digits = random.choice(list(string.digits), random.integers(1, 6))
    return "".join(digits) + str(random.choice(["", "", "%", "$", "th"]))
