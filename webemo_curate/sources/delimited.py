"""Read delimited text (.csv, .tsv) in blocks, at any length."""

import codecs
import io
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import IO, Any, Final

import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import csv

from webemo_curate.errors import InputError
from webemo_curate.sources.cell_rules import Raw
from webemo_curate.sources.columns import Columns, DeclaredColumns, choose_columns
from webemo_curate.sources.dialect import Dialect, tell_dialect
from webemo_curate.sources.source import Picture, ReadOptions, logger, unreadable
from webemo_curate.sources.table_file import TableFile
from webemo_curate.sources.table_rows import TableRows

BLOCK_BYTES = 2**21
"""Most bytes of a row, and of a block; memory holds a few blocks."""

UNNAMED: Final = "; if its first row is one of the data, give --no-header and columns by position"

QUOTE = '"'


@dataclass(frozen=True)
class DelimitedSource(TableFile):
    """A table of delimited text."""

    def batches(self, reading: ReadOptions) -> Iterator[pa.RecordBatch]:
        """Yield its rows; see `Source.batches`."""
        dialect, columns = self._dialect, self._columns
        logger.info("%s: %s; %s", self.place, dialect.told(), columns.told())
        rows = TableRows(self.place, self.name, self.root, columns, reading, split=self.split)
        for raw in self._raw():
            yield rows.batch(raw)

    def pictures(self, files: Iterable[str]) -> Iterator[Picture]:
        """Yield the places of the rows' files; see `Source.pictures`."""
        return ((file, self.root / file) for file in files)

    @cached_property
    def _dialect(self) -> Dialect:
        return tell_dialect(self.place, self.config)

    @cached_property
    def _columns(self) -> Columns:
        declared = DeclaredColumns(
            unnamed=UNNAMED if self._dialect.first else " by its position, from 0"
        )
        return choose_columns(self.place, self._dialect.header, self.config, declared)

    def _raw(self) -> Iterator[Raw]:
        count = _RowCount(self._dialect.first)
        try:
            with self.place.open("rb") as stream:
                for batch in self._blocks(stream, count):
                    self._check_quotes(count)
                    yield self._kept(batch, count)
                self._check_quotes(count)
                if broken := count.rest():
                    yield Raw(pa.array([], pa.int32()), self._no_cells(), broken)
        except OSError as error:
            raise unreadable(self.place, error) from error
        except pa.ArrowInvalid as error:
            raise InputError(
                f"{self.place}:{count.last + 1}: from here on no table can be read ({error}): is a "
                f"quote not closed, or a row longer than {BLOCK_BYTES} bytes?"
            ) from error

    def _check_quotes(self, count: "_RowCount") -> None:
        """Refuse a row whose open quote swallows the rows below, which would be lost silently."""
        if count.unclosed:
            row, lines = count.unclosed
            raise InputError(
                f"{self.place}:{row}: a quote that is opened in this row is never closed, so that "
                f"the {lines} lines below are taken as part of it; close the quote, or double it "
                'where it is meant as a sign ("")'
            )

    def _no_cells(self) -> dict[str, pa.Array]:
        return {name: pa.array([], pa.string()) for name in self._columns.needed()}

    def _blocks(self, stream: IO[bytes], count: "_RowCount") -> Iterator[pa.RecordBatch]:
        dialect = self._dialect
        source = io.BufferedReader(_Transcoded(stream, dialect.encoding), BLOCK_BYTES)
        header = list(dialect.header)
        yield from csv.open_csv(
            source,
            read_options=csv.ReadOptions(
                block_size=BLOCK_BYTES,
                use_threads=False,
                column_names=header,
                skip_rows_after_names=dialect.first,
            ),
            parse_options=csv.ParseOptions(
                delimiter=dialect.delimiter,
                newlines_in_values=True,
                ignore_empty_lines=False,
                invalid_row_handler=count.skip,
            ),
            convert_options=csv.ConvertOptions(
                column_types=dict.fromkeys(header, pa.string()),
                include_columns=self._columns.needed(),
                strings_can_be_null=False,
                check_utf8=False,
            ),
        )

    def _kept(self, batch: pa.RecordBatch, count: "_RowCount") -> Raw:
        """Give the rows of a block their numbers, and drop rows without any value."""
        numbers, broken = count.take(batch.num_rows)
        filled = pc.greater(pc.binary_length(batch.column(0)), 0)
        for column in batch.columns[1:]:
            filled = pc.or_(filled, pc.greater(pc.binary_length(column), 0))
        kept = batch.filter(filled)
        cells = dict(zip(batch.schema.names, kept.columns, strict=True))
        return Raw(numbers.filter(filled), cells, broken)


@dataclass
class _RowCount:
    """Numbers rows as spreadsheets do, and collects rows with a wrong number of columns."""

    last: int
    unclosed: tuple[int, int] | None = None
    """A row with an unclosed quote, and how many of the lines below it the row swallows."""
    _skipped: dict[int, str] = field(default_factory=dict)

    def skip(self, row: Any) -> str:
        """Record a row with a wrong number of columns; an empty line is not counted as one."""
        what = f"has {row.actual_columns} columns, the header {row.expected_columns}"
        if below := row.text.strip().count("\n"):
            what += f", and runs over {below + 1} lines: is a quote not closed?"
            if row.text.count(QUOTE) % 2:
                self.unclosed = self.unclosed or (row.number, below)
        self._skipped[row.number] = what if row.text.strip() else ""
        return "skip"

    def take(self, rows: int) -> tuple[pa.Array, list[tuple[int, str | None, str, str]]]:
        """Return the numbers of the next rows, and the broken rows before and between them."""
        broken: list[tuple[int, str | None, str, str]] = []
        if not self._skipped:
            first = self.last + 1
            self.last += rows
            return pa.array(range(first, first + rows), pa.int32()), broken
        numbers: list[int] = []
        while len(numbers) < rows:
            self.last += 1
            if (what := self._skipped.pop(self.last, None)) is None:
                numbers.append(self.last)
            elif what:
                broken.append((self.last, None, what, "quote what has the delimiter in it"))
        return pa.array(numbers, pa.int32()), broken + self.rest()

    def rest(self) -> list[tuple[int, str | None, str, str]]:
        """Return the broken rows that follow immediately."""
        broken: list[tuple[int, str | None, str, str]] = []
        while (what := self._skipped.pop(self.last + 1, None)) is not None:
            self.last += 1
            if what:
                broken.append((self.last, None, what, "quote what has the delimiter in it"))
        return broken


class _Transcoded(io.RawIOBase):
    """A stream converted to UTF-8; bytes invalid in its encoding become U+FFFD."""

    def __init__(self, stream: IO[bytes], encoding: str) -> None:
        self._stream = stream
        self._decoder = codecs.getincrementaldecoder(encoding)("replace")
        self._rest = b""
        self._ended = False

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        while not self._rest and not self._ended:
            block = self._stream.read(2**18)
            self._ended = not block
            self._rest = self._decoder.decode(block, final=self._ended).encode()
        size = min(len(buffer), len(self._rest))
        buffer[:size] = self._rest[:size]
        self._rest = self._rest[size:]
        return size
