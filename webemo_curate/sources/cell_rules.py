"""Rows of a table as they come, and what their cells may hold."""

from dataclasses import dataclass, field
from typing import Final

import pyarrow as pa

from webemo_curate.verdicts import Split

MAX_URL = 8192
MAX_PATH = 1024
MAX_TEXT = 1000

WEB_URL: Final = r"^https?://[^\s\x00-\x1f\x7f]+$"
SUSPICIOUS_PATH: Final = r"^[/~]|^[A-Za-z]:|(^|/)\.{1,2}(/|$)|//|[\x00-\x1f\x7f]"
ASSET_ID: Final = r"/\d+_F_(?P<id>\d+)_[^/]*$"
"""`220_F_100194555_<hash>.jpg`: the stock photo's id, whatever the thumbnail."""

REPLACEMENT: Final = "\ufffd"
"""What stands for bytes that are no sign of the encoding."""

UNPRINTABLE: Final = r"[\x00-\x1f\x7f]"
SPLITS: Final = {
    **dict.fromkeys(("train", "training", "trn"), str(Split.TRAIN)),
    **dict.fromkeys(("validation", "valid", "val", "dev", "eval"), str(Split.VALIDATION)),
    **dict.fromkeys(("test", "testing", "tst"), str(Split.TEST)),
}


@dataclass
class Raw:
    """Some rows of a table as they come.

    Attributes
    ----------
    numbers
        Their numbers in the table.
    cells
        Columns by name, those alone that are read.
    broken
        Rows that are no rows at all: number, column or None, what is wrong, what to do.
    """

    numbers: pa.Array
    cells: dict[str, pa.Array]
    broken: list[tuple[int, str | None, str, str]] = field(default_factory=list)


def as_text(values: pa.Array) -> pa.Array:
    """Return any column of plain values as text."""
    if pa.types.is_dictionary(values.type):
        values = values.dictionary_decode()
    return values if pa.types.is_string(values.type) else values.cast(pa.string())
