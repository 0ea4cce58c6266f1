"""Plain tar files (USTAR) whose bytes depend on nothing but their members.

A header is a template in which name, length and check sum are filled in.
"""

from pathlib import Path
from types import TracebackType
from typing import Final

BLOCK: Final = 512
RECORD: Final = 20 * BLOCK
"""A tar file's length is a multiple of this."""

NAME_BYTES: Final = 100
LARGEST: Final = 8**11
BUFFER_BYTES: Final = 2**20

_OWNER: Final = b"0000644\0" + b"0000000\0" * 2
_TIME: Final = b"00000000000\0"
_TAIL: Final = (b"0" + b"\0" * 100 + b"ustar\x0000").ljust(BLOCK - 156, b"\0")
_FIXED_SUM: Final = sum(_OWNER + _TIME + _TAIL) + 8 * ord(" ")
"""Of the bytes that are the same in all headers; the sum itself counts as blanks."""


def header(name: bytes, size: int) -> bytes:
    """Return a regular file's header: mode 644, owner 0, time 0.

    Parameters
    ----------
    name : bytes
        At most 100.
    size : int
        Bytes of content, below 8 GiB.

    Returns
    -------
    bytes
        A block.

    Raises
    ------
    ValueError
        If name or size do not fit.
    """
    if len(name) > NAME_BYTES or size >= LARGEST:
        raise ValueError(f"{name!r} of {size} bytes does not fit a USTAR header")
    length = b"%011o\0" % size
    total = b"%06o\0 " % (_FIXED_SUM + sum(name) + sum(length))
    return b"".join((name.ljust(NAME_BYTES, b"\0"), _OWNER, length, _TIME, total, _TAIL))


class TarWriter:
    """Writes one tar file.

    Parameters
    ----------
    path : Path
        The file.
    """

    def __init__(self, path: Path) -> None:
        self._stream = path.open("wb", buffering=BUFFER_BYTES)

    def add(self, name: str, content: bytes) -> None:
        """Append a member."""
        size = len(content)
        padding = bytes(-size % BLOCK)
        self._stream.write(b"".join((header(name.encode(), size), content, padding)))

    def __enter__(self) -> "TarWriter":
        """Return the writer."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Write the end, two empty blocks and what fills the record."""
        with self._stream as stream:
            if kind is None:
                end = stream.tell() + 2 * BLOCK
                stream.write(bytes(2 * BLOCK + -end % RECORD))
