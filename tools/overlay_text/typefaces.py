"""Find the font files that can write the needed characters."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

from PIL import ImageFont

FILES = "*.[to]t[fc]"
"""TrueType and OpenType, and collections of them."""

LATIN, CHINESE = "aEgR059", "\u7684\u6211"
"""Characters that a font file must have for each script."""

NO_CHARACTER = "\uffff"
"""A character without a glyph in any font; fonts draw the same sign for every missing character."""

SIZE = 24
"""Size in pixels for the comparison; any size would do."""


class Typefaces(NamedTuple):
    """Font files.

    Attributes
    ----------
    latin
        Fonts to write words with.
    chinese
        Fonts to write Chinese with; if empty, no Chinese is written.
    """

    latin: Sequence[Path]
    chinese: Sequence[Path]


def find_typefaces(folder: Path, without: Iterable[str] = ()) -> Typefaces:
    """Sort the font files of a folder by the scripts that they can write.

    Parameters
    ----------
    folder : Path
        Searched at any depth.
    without : iterable of str
        Files whose names contain one of these, in any letter case, are left out.

    Returns
    -------
    Typefaces
        A file may be in both lists; one that cannot be read as a font is in neither.
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
    """Return whether a font file has a separate glyph for each character.

    Parameters
    ----------
    path : Path
        Any file.
    characters : str
        Distinct characters.

    Returns
    -------
    bool
        False also if the file is not a font.
    """
    try:
        font = ImageFont.truetype(str(path), SIZE)
    except OSError:
        return False
    shown = {bytes(font.getmask(character)) for character in characters}
    # A fallback font shows the same sign for many characters.
    differ = len(shown) == len(characters)
    return differ and shown.isdisjoint({b"", bytes(font.getmask(NO_CHARACTER))})
