"""Read tables of JSON: one object a line (.jsonl), or an array of rows (.json)."""

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import IO, Any, ClassVar, Final

import pyarrow as pa

from webemo_curate.errors import InputError
from webemo_curate.sources.cell_rules import Raw
from webemo_curate.sources.columns import USUAL, Columns, DeclaredColumns, choose_columns
from webemo_curate.sources.json_array import JsonArrayError, array_items
from webemo_curate.sources.source import (
    BATCH_ROWS,
    Picture,
    ReadOptions,
    logger,
    unreadable,
)
from webemo_curate.sources.table_file import TableFile
from webemo_curate.sources.table_rows import TableRows

MAX_LINE_BYTES = 2**20
HEADER_LINES = 100
"""Number of first lines whose keys define the table's columns."""

WHOLE = re.compile(r"-?[0-9]+\.0+")

Line = tuple[int, dict[str, Any] | str]
"""A line's number, and its object or what is wrong with it."""


@dataclass(frozen=True)
class JsonLinesSource(TableFile):
    """A table of JSON lines."""

    form: ClassVar = "JSON lines"

    def batches(self, reading: ReadOptions) -> Iterator[pa.RecordBatch]:
        """Yield its rows; see `Source.batches`."""
        columns = self._columns
        logger.info("%s: %s; %s", self.place, self.form, columns.told())
        rows = TableRows(self.place, self.name, self.root, columns, reading, split=self.split)
        lines: list[Line] = []
        for line in self._lines():
            self._check_known(*line)
            lines.append(line)
            if len(lines) == BATCH_ROWS:
                yield rows.batch(_raw(lines, columns.needed()))
                lines = []
        if lines:
            yield rows.batch(_raw(lines, columns.needed()))

    def pictures(self, files: Iterable[str]) -> Iterator[Picture]:
        """Yield the places of the rows' files; see `Source.pictures`."""
        return ((file, self.root / file) for file in files)

    @cached_property
    def _header(self) -> dict[str, None]:
        header: dict[str, None] = {}
        for _, (_, row) in zip(range(HEADER_LINES), self._lines(), strict=False):
            if isinstance(row, dict):
                header |= dict.fromkeys(row)
        return header

    @cached_property
    def _columns(self) -> Columns:
        if not self._header:
            raise InputError(
                f"{self.place}:1: no JSON object; each line must be one, or the file an array of "
                "rows: [{...}, {...}]"
            )
        named = not all(name.isdigit() for name in self._header)
        declared = DeclaredColumns(unnamed="" if named else " by its position, from 0")
        return choose_columns(self.place, list(self._header), self.config, declared)

    def _check_known(self, number: int, row: dict[str, Any] | str) -> None:
        """Raise if a row has a usual column that the first rows lack: it would not be read."""
        if isinstance(row, str) or row.keys() <= self._header.keys():
            return
        for name in row.keys() - self._header.keys():
            role = next((role for role, names in USUAL.items() if name.lower() in names), None)
            if role and not getattr(self._columns, role):
                raise InputError(
                    f"{self.place}:{number}: has '{name}', which none of the first {HEADER_LINES} "
                    f"rows has; put one that has it first, or null for it in row 1"
                )

    def _lines(self) -> Iterator[Line]:
        """Yield every row with its number."""
        try:
            with self.place.open("rb") as stream:
                yield from self._read(stream)
        except OSError as error:
            raise unreadable(self.place, error) from error

    def _read(self, stream: IO[bytes]) -> Iterator[Line]:
        number = 0
        while line := stream.readline(MAX_LINE_BYTES + 1):
            number += 1
            if len(line) > MAX_LINE_BYTES:
                raise InputError(
                    f"{self.place}:{number}: the line is longer than {MAX_LINE_BYTES} "
                    "bytes; it must be one JSON object: is this a .jsonl file?"
                )
            if line.strip():
                yield number, _parsed(line.removeprefix(b"\xef\xbb\xbf"))


@dataclass(frozen=True)
class JsonArraySource(JsonLinesSource):
    """A table that is one array: of objects, or of arrays, whose columns are named by position."""

    form: ClassVar = "a JSON array"

    def _read(self, stream: IO[bytes]) -> Iterator[Line]:
        try:
            for number, row in enumerate(array_items(stream, DECODER), 1):
                if isinstance(row, list):
                    yield number, {str(place): value for place, value in enumerate(row)}
                else:
                    yield number, row if isinstance(row, dict) else "is no JSON object"
        except JsonArrayError as error:
            raise InputError(f"{self.place}:{error.row}: {error}") from error


def _parsed(line: bytes) -> dict[str, Any] | str:
    try:
        row = DECODER.decode(line.decode())
    except (ValueError, RecursionError) as error:
        return f"is no JSON ({type(error).__name__})"
    return row if isinstance(row, dict) else "is no JSON object"


def _number(text: str) -> str:
    """Return a number as it is written, as floats round those beyond 2^53; 7.0 is 7."""
    return text.rstrip("0").removesuffix(".") if WHOLE.fullmatch(text) else text


def _missing(_: str) -> None:
    """Return what NaN and the infinities mean, which Python and pandas write for missing values."""


DECODER: Final = json.JSONDecoder(parse_float=_number, parse_constant=_missing)


def _raw(lines: list[Line], needed: list[str]) -> Raw:
    """Turn lines into columns; a row with a value other than text, number or list is broken."""
    good: list[tuple[int, dict[str, Any]]] = []
    broken: list[tuple[int, str | None, str, str]] = []
    for number, row in lines:
        if isinstance(row, str):
            broken.append((number, None, row, "write one JSON object a line"))
        elif odd := next((name for name in needed if not _is_plain(row.get(name))), None):
            broken.append((number, odd, "has neither text nor number nor list", "correct it"))
        else:
            good.append((number, row))
    cells = {name: _column([row.get(name) for _, row in good]) for name in needed}
    return Raw(pa.array([number for number, _ in good], pa.int32()), cells, broken)


def _is_plain(value: Any) -> bool:
    if isinstance(value, list):
        return all(isinstance(one, str | int) and _is_plain(one) for one in value)
    if isinstance(value, str):
        return value.isascii() or not any("\ud800" <= sign <= "\udfff" for sign in value)
    return value is None or (isinstance(value, int | float) and not isinstance(value, bool))


def _column(values: list[Any]) -> pa.Array:
    """Return values as text; lists as JSON text, from which labels are read."""
    texts = [
        value if value is None or isinstance(value, str) else json.dumps(value, ensure_ascii=False)
        for value in values
    ]
    return pa.array(texts, pa.string())
