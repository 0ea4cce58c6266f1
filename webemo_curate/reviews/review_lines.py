"""Reviews as lines of JSON and as rows of a table."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import fields
from datetime import datetime
from typing import Any

import pyarrow as pa

from webemo_curate.conform import conform
from webemo_curate.errors import InputError
from webemo_curate.reviews.review import Review
from webemo_curate.schemas import REVIEWS

COLUMNS = tuple(field.name for field in fields(Review))
"""The columns of a review, in every form."""

NOT_A_LINE = (ValueError, TypeError, KeyError, RecursionError)
"""What a line that is none of this program's raises."""


def as_line(review: Review) -> bytes:
    """Return a review as a line of JSON, its line break included."""
    row = {name: getattr(review, name) for name in COLUMNS}
    return json.dumps(row, default=datetime.isoformat).encode() + b"\n"


def from_line(line: bytes) -> Review:
    """Read a line.

    Parameters
    ----------
    line : bytes
        As of `as_line`.

    Returns
    -------
    Review
        What it says.

    Raises
    ------
    InputError
        If it is no review.
    """
    try:
        row: dict[str, Any] = json.loads(line)
        texts = ("kind", "sha256", "decision", "reviewer", "time")
        optional = [row.get(name) for name in ("other", "note")]
        if not all(isinstance(row[name], str) for name in texts) or not all(
            value is None or isinstance(value, str) for value in optional
        ):
            raise TypeError("a value has another type")
        row["time"] = datetime.fromisoformat(row["time"])
        values: dict[str, Any] = {name: row.get(name) for name in COLUMNS}
        return Review(**values)
    except NOT_A_LINE as error:
        raise InputError(f"is no review ({error})") from error


def as_table(reviews: Sequence[Review]) -> pa.Table:
    """Return reviews as rows of the `reviews` manifest, numbered in their order."""
    columns = {name: [getattr(each, name) for each in reviews] for name in COLUMNS}
    columns["kind"] = [str(kind) for kind in columns["kind"]]
    plain = {
        field.name: field.type.value_type if pa.types.is_dictionary(field.type) else field.type
        for field in REVIEWS
    }
    arrays = {name: pa.array(values, plain[name]) for name, values in columns.items()}
    entry = pa.array(range(1, len(reviews) + 1), pa.int64())
    return conform(pa.table({"entry": entry, **arrays}), REVIEWS)


def from_table(table: pa.Table) -> Iterable[Review]:
    """Yield the reviews of a table's rows.

    Raises
    ------
    InputError
        If a row is none, with its number.
    """
    for number, row in enumerate(table.select(COLUMNS).to_pylist(), start=1):
        try:
            yield Review(**row)
        except InputError as error:
            raise InputError(f"row {number}: {error}") from error
