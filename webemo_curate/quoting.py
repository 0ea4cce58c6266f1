"""Other people's values in messages: cut, and without what would move a terminal's cursor."""

from typing import Final

VALUE_CHARACTERS: Final = 100
MESSAGE_CHARACTERS: Final = 4_000


def quoted(value: object) -> str:
    """Return a value as a message shows it: as Python writes it, cut.

    Parameters
    ----------
    value : object
        Anything whose `repr` is bounded: no mapping with aliases of aliases.

    Returns
    -------
    str
        At most `VALUE_CHARACTERS` and an ellipsis.
    """
    # Only so much is put into words: a text of megabytes is not copied several times.
    text = repr(value[: VALUE_CHARACTERS * 2]) if isinstance(value, str | bytes) else repr(value)
    return text if len(text) <= VALUE_CHARACTERS else f"{text[:VALUE_CHARACTERS]}..."


def printable(message: str) -> str:
    """Return a message as it is printed: its own line breaks stay, other controls are escaped.

    Parameters
    ----------
    message : str
        May hold names and texts of files.

    Returns
    -------
    str
        At most `MESSAGE_CHARACTERS`, its end kept: that is where the remedy stands.
    """
    half = MESSAGE_CHARACTERS // 2
    cut = message
    if len(message) > MESSAGE_CHARACTERS:
        cut = f"{message[:half]} ... {message[-half:]}"
    return "".join(
        c if c.isprintable() or c in "\n\t" else c.encode("unicode_escape").decode() for c in cut
    )
