"""Show values from outside in messages: shortened, and without terminal control characters."""

from typing import Final

VALUE_CHARACTERS: Final = 100
MOST: Final = 2 * VALUE_CHARACTERS
MESSAGE_CHARACTERS: Final = 4_000


def is_text(text: str) -> bool:
    """Return whether a text can be written as UTF-8; JSON may hold halves of characters."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def quoted(value: object) -> str:
    """Return a value in Python's notation, shortened for a message.

    Parameters
    ----------
    value : object
        Anything with a bounded `repr`; not a mapping with nested aliases.

    Returns
    -------
    str
        At most `VALUE_CHARACTERS` characters and an ellipsis.
    """
    # Only this much is formatted, so that a text of megabytes is not copied several times.
    try:
        text = repr(value[:MOST]) if isinstance(value, str | bytes) else repr(value)
    except ValueError:  # Python refuses to print whole numbers of more than 4,300 digits
        text = f"a {type(value).__name__} too long to show"
    return text if len(text) <= VALUE_CHARACTERS else f"{text[:VALUE_CHARACTERS]}..."


def printable(message: str) -> str:
    """Return a message ready to print: control characters are escaped, except its line breaks.

    Parameters
    ----------
    message : str
        May hold names and texts from files.

    Returns
    -------
    str
        At most `MESSAGE_CHARACTERS` characters; its end, which holds the remedy, is kept.
    """
    half = MESSAGE_CHARACTERS // 2
    cut = message
    if len(message) > MESSAGE_CHARACTERS:
        cut = f"{message[:half]} ... {message[-half:]}"
    return without_controls(cut)


def without_controls(text: str) -> str:
    """Return a text with its control characters escaped, except line ends and tabs."""
    if text.isprintable():
        return text
    return "".join(
        c if c.isprintable() or c in "\n\t" else c.encode("unicode_escape").decode() for c in text
    )
