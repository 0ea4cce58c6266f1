"""Patterns of columns: a table's `{folder}/{name}.jpg` makes one text of several cells."""

import re
from collections.abc import Callable
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc

FIELD: Final = re.compile(r"\{([^{}]*)\}")


def fields_of(pattern: str) -> tuple[str, ...]:
    """Return the columns that a pattern names, in order; empty if it names none."""
    return tuple(FIELD.findall(pattern))


def filled(pattern: str, cells: Callable[[str], pa.Array]) -> pa.Array:
    """Fill a pattern with cells.

    Parameters
    ----------
    pattern : str
        Text with columns in braces.
    cells : callable
        Returns a column's cells as text, missing where blank.

    Returns
    -------
    pa.Array
        Texts; missing where a cell is.
    """
    parts = FIELD.split(pattern)
    texts = [cells(part) if number % 2 else part for number, part in enumerate(parts)]
    return pc.binary_join_element_wise(*texts, "")
