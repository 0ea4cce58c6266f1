"""Read Thrift's compact protocol, in which a Parquet file says what lies where in it.

pyarrow ends the process on some values there that contradict one another, when it is asked for
the places of pages. Here they are numbers like any others. Source: the Thrift project's
`thrift-compact-protocol.md`.
"""

from typing import Any, Final

STOP, TRUE, FALSE, BYTE, I16, I32, I64, DOUBLE, BINARY, LIST, SET, MAP, STRUCT = range(13)
"""Numbers of types; `STOP` ends a structure, and what a boolean says is in its type."""

LONG_LIST: Final = 15
"""Says that the length of a list follows in bytes of its own."""

DOUBLE_BYTES: Final = 8
MORE: Final = 0x80
"""The bit of a byte that says that a number goes on."""

VARINT_BYTES: Final = 10
"""Most bytes of a number of 64 bits, seven in each."""

LEVELS: Final = 16
"""How deep structures and lists may lie in one another; those of Parquet files lie ten deep."""


class CompactReader:
    """Reads values one after another.

    Parameters
    ----------
    content : bytes
        Begins with a structure.

    Attributes
    ----------
    place
        Where the next byte to read is.
    """

    def __init__(self, content: bytes) -> None:
        self._content, self.place = content, 0

    def structure(self, levels: int = LEVELS) -> dict[int, Any]:
        """Return the values of a structure by the numbers of their fields.

        Parameters
        ----------
        levels : int
            How deep structures may lie in it.

        Returns
        -------
        dict of int to (int, bool, bytes, list or dict)
            Floating-point numbers as their bytes.

        Raises
        ------
        LookupError, ValueError
            If the bytes at hand are none, or end before it does.
        """
        if not levels:
            raise ValueError("structures lie too deep in one another")
        found, field = dict[int, Any](), 0
        while (begun := self._byte()) != STOP:
            step, kind = begun >> 4, begun & 0xF
            field = field + step if step else self._number()
            found[field] = kind == TRUE if kind in (TRUE, FALSE) else self._value(kind, levels)
        return found

    def _value(self, kind: int, levels: int) -> Any:
        if kind in (I16, I32, I64):
            return self._number()
        if kind == BINARY:
            return self._bytes(self._varint())
        if kind == STRUCT:
            return self.structure(levels - 1)
        if kind in (LIST, SET):
            return self._list(levels - 1)
        if kind in (TRUE, FALSE, BYTE):
            return self._byte()
        if kind == DOUBLE:
            return self._bytes(DOUBLE_BYTES)
        raise ValueError(f"{kind} is no type that Parquet uses")

    def _list(self, levels: int) -> list[Any]:
        begun = self._byte()
        length, kind = begun >> 4, begun & 0xF
        length = self._varint() if length == LONG_LIST else length
        return [self._value(kind, levels) for _ in range(length)]  # a byte or more each

    def _byte(self) -> int:
        byte = self._content[self.place]
        self.place += 1
        return byte

    def _bytes(self, length: int) -> bytes:
        found = self._content[self.place : self.place + length]
        if len(found) < length:
            raise ValueError("the content ends before its last value")
        self.place += length
        return found

    def _varint(self) -> int:
        """Read seven bits a byte, least significant first; the last byte has its eighth bit off."""
        if (byte := self._byte()) < MORE:  # most are
            return byte
        value = byte - MORE
        for place in range(1, VARINT_BYTES):
            byte = self._byte()
            value |= (byte % MORE) << 7 * place
            if byte < MORE:
                return value
        raise ValueError("a number has more than 64 bits")

    def _number(self) -> int:
        """Read a number whose sign is its last bit."""
        folded = self._varint()
        return (folded >> 1) ^ -(folded & 1)
