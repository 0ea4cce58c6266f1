"""A stream for what commands print: no name of others in it moves the cursor of a terminal."""

import io
from typing import TextIO

from webemo_curate.quoting import without_controls


class PlainStream(io.TextIOBase):
    """Passes text on, control characters escaped but for ends of lines and tabs.

    Parameters
    ----------
    stream : TextIO
        Where it goes.
    """

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        """Write a text; return its length."""
        self._stream.write(without_controls(text))
        return len(text)

    def flush(self) -> None:
        """Flush the stream below."""
        self._stream.flush()

    def isatty(self) -> bool:
        """Tell whether a terminal is at the other end."""
        return self._stream.isatty()

    def fileno(self) -> int:
        """Return the descriptor below."""
        return self._stream.fileno()
