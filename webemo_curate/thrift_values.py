"""Read what a Parquet file says of itself, which is in Thrift's compact protocol.

pyarrow ends the process on some of it that contradicts itself, when it is asked for the places of
pages. Here it is numbers and names like any others.
"""

import struct
from typing import Any, Final

from thrift.protocol.TCompactProtocol import TCompactProtocol
from thrift.Thrift import TException, TType
from thrift.transport.TTransport import TMemoryBuffer

LEVELS: Final = 16
"""How deep structures and lists may lie in one another; those of Parquet files lie ten deep."""

SINGLE: Final = {
    TType.BOOL: TCompactProtocol.readBool,
    TType.BYTE: TCompactProtocol.readByte,
    TType.I16: TCompactProtocol.readI16,
    TType.I32: TCompactProtocol.readI32,
    TType.I64: TCompactProtocol.readI64,
    TType.DOUBLE: TCompactProtocol.readDouble,
    TType.STRING: TCompactProtocol.readBinary,
}


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
    buffer = TMemoryBuffer(content)
    protocol = TCompactProtocol(buffer, len(content), len(content))
    try:
        return _structure(protocol, LEVELS), buffer.cstringio_buf.tell()
    except (TException, EOFError, LookupError, TypeError, OverflowError, struct.error) as error:
        raise ValueError(f"not in Thrift's compact protocol: {error}") from error


def _structure(protocol: TCompactProtocol, levels: int) -> dict[int, Any]:
    if not levels:
        raise ValueError("structures lie too deep in one another")
    found: dict[int, Any] = {}
    protocol.readStructBegin()
    while True:
        _, kind, field = protocol.readFieldBegin()
        if kind == TType.STOP:
            protocol.readStructEnd()
            return found
        found[field] = _value(protocol, kind, levels - 1)
        protocol.readFieldEnd()


def _value(protocol: TCompactProtocol, kind: int, levels: int) -> Any:
    if kind == TType.STRUCT:
        return _structure(protocol, levels)
    if kind not in (TType.LIST, TType.SET):
        return SINGLE[kind](protocol)
    of_each, count = protocol.readListBegin()
    if not levels:
        raise ValueError("lists lie too deep in one another")
    values = [_value(protocol, of_each, levels - 1) for _ in range(count)]
    protocol.readListEnd()
    return values
