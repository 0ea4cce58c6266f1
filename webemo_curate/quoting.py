"""Other people's values in messages: cut, and without what would move a terminal's cursor."""

from typing import Final

VALUE_CHARACTERS: Final = 100
MOST: Final = 2 * VALUE_CHARACTERS
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
    try:
        text = repr(value[:MOST]) if isinstance(value, str | bytes) else repr(value)
    except ValueError:  # Python writes no whole number of more than 4,300 digits
        text = f"a {type(value).__name__} too long to show"
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
    return without_controls(cut)


def without_controls(text: str) -> str:
    """Return a text with its control characters escaped, but for ends of lines and tabs."""
    if text.isprintable():
        return text
    return "".join(
        c if c.isprintable() or c in "\n\t" else c.encode("unicode_escape").decode() for c in text
    )
