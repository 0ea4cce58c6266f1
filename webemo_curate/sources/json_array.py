"""Read a JSON array item by item, in bounded memory."""

import codecs
import json
import re
from collections.abc import Iterator
from typing import IO, Any, Final

SPACE: Final = re.compile(r"[ \t\r\n]*")
READ_BYTES: Final = 2**18
MAX_ITEM: Final = 2**20
"""Most characters of an item."""


class JsonArrayError(Exception):
    """The text is no JSON array, from some row on.

    Parameters
    ----------
    row : int
        The row, from 1.
    what : str
        What is wrong, and what to do.
    """

    def __init__(self, row: int, what: str) -> None:
        super().__init__(what)
        self.row = row


def array_items(stream: IO[bytes], decoder: json.JSONDecoder) -> Iterator[Any]:
    """Yield the items of an array.

    Parameters
    ----------
    stream : file
        UTF-8 text.
    decoder : json.JSONDecoder
        Parses an item.

    Yields
    ------
    Any
        An item, parsed.

    Raises
    ------
    JsonArrayError
        If the text is no array, an item is broken or too long, or the array does not end.
    """
    text = _Text(stream, decoder)
    if text.sign() != "[":
        raise JsonArrayError(1, "is no JSON array")
    text.skip()
    while text.sign() != "]":
        yield text.item()
        row = text.row
        if text.sign() not in (",", "]"):
            raise JsonArrayError(row, "no comma or bracket follows the row; correct it")
        if text.sign() == ",":
            text.skip()
            if text.sign() == "]":
                raise JsonArrayError(row, "a comma and no row follows the row; remove it")
    text.skip()
    if text.sign():
        raise JsonArrayError(text.row, "text follows the array; remove it")


class _Text:
    """A text of which one item at a time is in memory."""

    def __init__(self, stream: IO[bytes], decoder: json.JSONDecoder) -> None:
        self._stream, self._json = stream, decoder
        self._decoder = codecs.getincrementaldecoder("utf-8-sig")()
        self._text, self._at, self._ended = "", 0, False
        self.row = 0

    def sign(self) -> str:
        """Return the next character that is no white space; empty at the end."""
        while True:
            space = SPACE.match(self._text, self._at)
            self._at = space.end() if space else self._at
            if self._at < len(self._text) or not self._more():
                return self._text[self._at : self._at + 1]

    def skip(self) -> None:
        """Step over the next character."""
        self._at += 1

    def item(self) -> Any:
        """Return the next item."""
        self.sign()
        self.row += 1
        while True:
            try:
                value, end = self._json.raw_decode(self._text, self._at)
            except (ValueError, RecursionError) as error:
                if len(self._text) - self._at > MAX_ITEM:
                    what = f"is no JSON of up to {MAX_ITEM} characters; correct it"
                    raise JsonArrayError(self.row, what) from error
                if not self._more():
                    raise JsonArrayError(self.row, f"is no JSON ({error}); correct it") from error
            else:
                size = end - self._at
                if end < len(self._text) or not self._more():  # a number may go on
                    self._at += size
                    return value

    def _more(self) -> bool:
        """Read on; return whether there was more."""
        if self._ended:
            return False
        block = self._stream.read(READ_BYTES)
        self._ended = not block
        try:
            self._text = self._text[self._at :] + self._decoder.decode(block, final=self._ended)
        except UnicodeDecodeError as error:
            what = f"is not UTF-8 ({error.reason}); save it as UTF-8"
            raise JsonArrayError(self.row + 1, what) from error
        self._at = 0
        return not self._ended
