"""Read what a Parquet file says of itself, which is in Thrift's compact protocol.

pyarrow ends the process on some of it that contradicts itself, when it is asked for the places of
pages. Here it is numbers and names like any others. The protocol's own document, thrift's
`thrift-compact-protocol.md`, gives the numbers of types and the form of each.
"""

import struct
from typing import Any, Final

LEVELS: Final = 16
"""How deep structures and lists may lie in one another; those of Parquet files lie ten deep."""

TRUE, FALSE, BYTE, SHORT, WHOLE, LONG, DOUBLE, BINARY, LIST, SET, STRUCTURE = (
    *(1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 12),
)
"""Types of values; whole numbers of all lengths but one byte have one form."""

LOW: Final = 15
"""A field begins with the step to its number in four bits and its type in the lower four."""

MORE: Final = 128
"""Of a number's bytes all but the last have this bit; the other seven are its digits."""

LONGEST: Final = 63
"""Bits before the last byte of the longest number."""


def read_structure(content: bytes) -> tuple[dict[int, Any], int]:
    """Read a structure.

    Parameters
    ----------
    content : bytes
        Begins with it.

    Returns
    -------
    values : dict of int to (int, bool, float, bytes, list or dict)
        By the numbers of their fields.
    length : int
        How many bytes it has.

    Raises
    ------
    ValueError
        If the bytes are none, or end before it does.
    """
    try:
        return _structure(content, 0, LEVELS)
    except (IndexError, struct.error) as error:
        raise ValueError("ends before Thrift's structure does") from error


def _structure(content: bytes, place: int, levels: int) -> tuple[dict[int, Any], int]:
    """Return the structure at a place, and the place after it, as all functions below do."""
    if not levels:
        raise ValueError("structures lie too deep in one another")
    found: dict[int, Any] = {}
    field = 0
    while kind := (head := content[place]) & LOW:
        place += 1
        if head > LOW:
            field += head >> 4
        else:
            field, place = _signed(content, place)
        if kind <= FALSE:
            found[field] = kind == TRUE
        else:
            found[field], place = _value(content, place, kind, levels - 1)
    return found, place + 1


def _value(content: bytes, place: int, kind: int, levels: int) -> tuple[Any, int]:
    if SHORT <= kind <= LONG:
        return _signed(content, place)
    if kind == BINARY:
        length, place = _number(content, place)
        end = place + length
        if end > len(content):
            raise IndexError
        return content[place:end], end
    if kind == STRUCTURE:
        return _structure(content, place, levels)
    if kind in (LIST, SET):
        return _list(content, place, levels)
    if kind == DOUBLE:
        return struct.unpack_from("<d", content, place)[0], place + 8
    if kind in (BYTE, TRUE, FALSE):  # of these the last two in lists, where each takes a byte
        byte = content[place]
        return byte == TRUE if kind != BYTE else byte - (byte & MORE) * 2, place + 1
    raise ValueError(f"Thrift has no values of type {kind} here")


def _list(content: bytes, place: int, levels: int) -> tuple[list[Any], int]:
    if not levels:
        raise ValueError("lists lie too deep in one another")
    kind, count = content[place] & LOW, content[place] >> 4
    place += 1
    if count == LOW:
        count, place = _number(content, place)
    if count > len(content) - place:  # each takes at least a byte
        raise IndexError
    values = []
    for _ in range(count):
        value, place = _value(content, place, kind, levels - 1)
        values.append(value)
    return values, place


def _signed(content: bytes, place: int) -> tuple[int, int]:
    """Return a number of which the lowest bit is its sign."""
    byte = content[place]
    if byte < MORE:
        return (byte >> 1) ^ -(byte & 1), place + 1
    number, place = _number(content, place)
    return (number >> 1) ^ -(number & 1), place


def _number(content: bytes, place: int) -> tuple[int, int]:
    number = shift = 0
    while (byte := content[place]) >= MORE:
        number |= (byte - MORE) << shift
        shift += 7
        place += 1
        if shift > LONGEST:
            raise ValueError("a number of Thrift's has too many bytes")
    return number | byte << shift, place + 1
