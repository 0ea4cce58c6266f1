"""A table's raw rows, and the rules for the content of their cells."""

from dataclasses import dataclass, field
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc

from webemo_curate.verdicts import Split

MAX_URL = 8192
MAX_TEXT = 1000

WEB_URL: Final = r"^https?://[^\s\x00-\x1f\x7f]+$"
ASSET_ID: Final = r"/\d+_F_(?P<id>\d+)_[^/]*$"
"""Matches `220_F_100194555_<hash>.jpg`: the stock photo's id, whatever the thumbnail."""

REPLACEMENT: Final = "\ufffd"
"""Stands for bytes that are invalid in the table's encoding."""

UNPRINTABLE: Final = r"[\x00-\x1f\x7f]"
SPLITS: Final = {
    **dict.fromkeys(("train", "training", "trn"), str(Split.TRAIN)),
    **dict.fromkeys(("validation", "valid", "val", "dev", "eval"), str(Split.VALIDATION)),
    **dict.fromkeys(("test", "testing", "tst"), str(Split.TEST)),
}


class ValueFaultError(Exception):
    """An invalid value in a row: what is wrong with it, and what to do.

    Parameters
    ----------
    what : str
        What is wrong.
    remedy : str
        What to do.
    """

    def __init__(self, what: str, remedy: str) -> None:
        super().__init__(what)
        self.remedy = remedy


@dataclass
class Raw:
    """A block of a table's rows, as read.

    Attributes
    ----------
    numbers
        The rows' numbers in the table.
    cells
        The needed columns, by name.
    broken
        Rows that could not be read: number, column or None, what is wrong, what to do.
    """

    numbers: pa.Array
    cells: dict[str, pa.Array]
    broken: list[tuple[int, str | None, str, str]] = field(default_factory=list)


def as_text(values: pa.Array) -> pa.Array:
    """Return a column of any plain type as text; what is not a number (NaN) as missing."""
    if pa.types.is_floating(values.type):
        values = pc.if_else(pc.is_nan(values), None, values)
    if pa.types.is_dictionary(values.type):
        values = values.dictionary_decode()
    return values if pa.types.is_string(values.type) else values.cast(pa.string())
