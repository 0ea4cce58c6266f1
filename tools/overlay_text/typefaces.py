"""Find the font files that can be written with."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

from PIL import ImageFont

FILES = "*.[to]t[fc]"
"""TrueType and OpenType, and collections of them."""

LATIN, CHINESE = "aEgR059", "\u7684\u6211"
"""Characters that a font file must have to write so."""

NO_CHARACTER = "\uffff"
"""Has no glyph in any font: what is shown in its place marks every character that is missing."""

SIZE = 24
"""Pixels; any would do."""


class Typefaces(NamedTuple):
    """Font files.

    Attributes
    ----------
    latin
        What words are written with.
    chinese
        May be empty: then nothing is written in Chinese.
    """

    latin: Sequence[Path]
    chinese: Sequence[Path]


def find_typefaces(folder: Path, without: Iterable[str] = ()) -> Typefaces:
    """Sort the font files of a folder by what they can write.

    Parameters
    ----------
    folder : Path
        Searched at any depth.
    without : iterable of str
        Files with one of these in their names, in any case, are left out.

    Returns
    -------
    Typefaces
        A file may be in both; what cannot be read as a font is in neither.
    """
    unwanted = [name.lower() for name in without]
    paths = [
        path
        for path in sorted(folder.rglob(FILES))
        if not any(name in path.name.lower() for name in unwanted)
    ]
    latin, chinese = (
        tuple(path for path in paths if writes(path, characters)) for characters in (LATIN, CHINESE)
    )
    return Typefaces(latin, chinese)


def writes(path: Path, characters: str) -> bool:
    """Tell whether a font file has a glyph of its own for each character.

    Parameters
    ----------
    path : Path
        Any file.
    characters : str
        No two alike.

    Returns
    -------
    bool
        False too if the file is no font.
    """
    try:
        font = ImageFont.truetype(str(path), SIZE)
    except OSError:
        return False
    shown = {bytes(font.getmask(character)) for character in characters}
    # A font of last resort shows the same sign for many characters.
    differ = len(shown) == len(characters)
    return differ and shown.isdisjoint({b"", bytes(font.getmask(NO_CHARACTER))})
