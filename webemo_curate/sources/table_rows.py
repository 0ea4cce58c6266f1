"""Turn a table's rows into listing rows, whole columns at a time, and report malformed rows."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from webemo_curate.listing_keys import BAD, bad_key, local_key
from webemo_curate.sources import cell_rules, file_paths
from webemo_curate.sources.cell_rules import Raw, ValueFaultError, as_text
from webemo_curate.sources.columns import Columns
from webemo_curate.sources.patterns import filled
from webemo_curate.sources.source import ROWS, ReadOptions, logger


@dataclass
class TableRows:
    """Turns raw rows into listing rows.

    Attributes
    ----------
    place
        The table's path.
    name
        The source's name.
    root
        The folder that must hold the files that the rows name.
    columns
        Which column means what.
    reading
        The options for reading.
    class_names
        Label names by index, of the columns for which the table states them.
    split
        Split of all rows, if the table's name tells it and no column does.
    """

    place: Path
    name: str
    root: Path
    columns: Columns
    reading: ReadOptions
    class_names: Mapping[str, Sequence[str]] = field(default_factory=dict)
    split: str | None = None
    _slashes_told: bool = False

    def batch(self, raw: Raw) -> pa.RecordBatch:
        """Return the listing rows of a block; a row with several labels gives one for each."""
        rows = _Rows(self, raw)
        rows.check()
        table = rows.table()
        if raw.broken:
            table = pa.concat_tables([table, self._broken(raw)])
        return table.combine_chunks().to_batches()[0] if table.num_rows else _empty()

    def slashed(self, paths: pa.Array) -> pa.Array:
        """Return paths with slashes for Windows' backslashes, and say so once."""
        if not file_paths.has_windows_paths(paths):
            return paths
        if not self._slashes_told:
            logger.info("%s: backslashes in paths are read as slashes", self.place)
            self._slashes_told = True
        return file_paths.with_slashes(paths)

    def _broken(self, raw: Raw) -> pa.Table:
        take = self.reading.bad.take
        reasons = [take(self.place, *broken) for broken in raw.broken]
        numbers = [broken[0] for broken in raw.broken]
        columns: dict[str, Any] = {
            "line": numbers,
            "url": [bad_key(self.name, number) for number in numbers],
            "problem": reasons,
        }
        rows = len(numbers)
        return pa.table(
            {f.name: pa.array(columns.get(f.name, [None] * rows), f.type) for f in ROWS}
        )


class _Rows:
    """A block in progress: columns are cleaned in turn, and problems are collected by row."""

    def __init__(self, table: TableRows, raw: Raw) -> None:
        self._table, self._raw = table, raw
        self._problems: dict[int, tuple[str, str, str]] = {}
        self._rows = len(raw.numbers)

    def check(self) -> None:
        """Clean all columns; if bad rows are not allowed, the first one raises."""
        columns = self._table.columns
        self._file = self._files(columns.path)
        self._url = self._urls(columns.url)
        self._labels = self._label_lists()
        self._split = self._splits(columns.split)
        self._group = self._texts(columns.group)
        self._id = self._texts(columns.id)

    def table(self) -> pa.Table:
        """Return the listing rows, schema `ROWS`."""
        problem = self._problem_column()
        bad = problem.is_valid()
        name = self._table.name
        key = pc.coalesce(
            pc.if_else(
                bad,
                pc.binary_join_element_wise(f"{BAD}{name}", as_text(self._raw.numbers), "/"),
                None,
            ),
            pc.if_else(
                self._file.is_valid(),
                pc.binary_join_element_wise(local_key(name, ""), self._file, ""),
                None,
            ),
            self._url,
        )
        columns = {
            "line": self._raw.numbers,
            "url": key,
            "asset_id": pc.struct_field(pc.extract_regex(key, cell_rules.ASSET_ID), "id"),
            "label": self._labels[0],
            "official_split": self._split,
            "file": self._file,
            "group": self._group,
            "row_id": self._id,
            "problem": problem,
        }
        for column in set(columns) - {"line", "url", "problem"}:
            columns[column] = pc.if_else(bad, pa.scalar(None, pa.string()), columns[column])
        table = pa.table(columns).cast(ROWS)
        return self._with_more_labels(table, bad)

    def _with_more_labels(self, table: pa.Table, bad: pa.Array) -> pa.Table:
        """Repeat rows with several labels, once for each further label."""
        more = self._labels[1]
        rows, labels = [], []
        for row in sorted(more):
            if not bad[row].as_py():
                rows += [row] * len(more[row])
                labels += more[row]
        if not rows:
            return table
        extra = table.take(pa.array(rows, pa.int64()))
        place = table.schema.get_field_index("label")
        extra = extra.set_column(place, "label", pa.array(labels, pa.string()))
        return pa.concat_tables([table, extra]).sort_by("line")

    def _problem_column(self) -> pa.Array:
        reasons: list[str | None] = [None] * self._rows
        for row, (column, what, remedy) in sorted(self._problems.items()):
            number = self._raw.numbers[row].as_py()
            reasons[row] = self._table.reading.bad.take(
                self._table.place, number, column, what, remedy
            )
        return pa.array(reasons, pa.string())

    def _mark(self, mask: pa.Array, column: str, what: str, remedy: str) -> None:
        """Record a problem for the rows of a mask that have none yet."""
        for row in pc.indices_nonzero(pc.fill_null(mask, False)).to_pylist():
            self._problems.setdefault(row, (column, what, remedy))

    def _cells(self, column: str | None) -> pa.Array:
        """Return a column as stripped text, blank as missing; invalid UTF-8 is a problem."""
        if column is None:
            return pa.nulls(self._rows, pa.string())
        if column not in self._raw.cells:
            return filled(column, self._cells)
        values = self._raw.cells[column]
        try:
            text = as_text(values)
        except pa.ArrowInvalid:
            text = self._decoded(values, column)
        odd = pc.match_substring(text, cell_rules.REPLACEMENT)
        remedy = "save the table as UTF-8, or give its --encoding"
        self._mark(odd, column, "has a sign that the table's encoding does not have", remedy)
        text = pc.utf8_trim_whitespace(text)
        return pc.if_else(pc.equal(text, ""), None, text)

    def _decoded(self, values: pa.Array, column: str) -> pa.Array:
        texts: list[str | None] = []
        for row, value in enumerate(values.to_pylist()):
            try:
                texts.append(None if value is None else value.decode())
            except UnicodeDecodeError as error:
                what = f"is not UTF-8 ({error.reason} at byte {error.start})"
                self._problems.setdefault(
                    row, (column, what, "save the table as UTF-8, or give its --encoding")
                )
                texts.append(None)
        return pa.array(texts, pa.string())

    def _texts(self, column: str | None) -> pa.Array:
        text = self._cells(column)
        if column:
            long = pc.greater(pc.utf8_length(text), cell_rules.MAX_TEXT)
            what = f"is longer than {cell_rules.MAX_TEXT} characters"
            self._mark(long, column, what, "shorten it")
            odd = pc.match_substring_regex(text, cell_rules.UNPRINTABLE)
            self._mark(odd, column, "has a control character", "remove it")
        return text

    def _urls(self, column: str | None) -> pa.Array:
        url = self._cells(column)
        needed = self._file.is_null()
        if column is None:
            path = str(self._table.columns.path)
            self._mark(needed, path, "is empty", "name a file, or remove the row")
            return url
        self._mark(
            pc.and_(needed, url.is_null()), column, "is empty", "give a URL, or remove the row"
        )
        sound = pc.and_(
            pc.match_substring_regex(url, cell_rules.WEB_URL),
            pc.less_equal(pc.binary_length(url), cell_rules.MAX_URL),
        )
        wrong = pc.and_(needed, pc.and_(url.is_valid(), pc.invert(pc.fill_null(sound, False))))
        remedy = "correct it; local files need --path-column"
        self._mark(wrong, column, "is no http or https URL", remedy)
        return url

    def _files(self, column: str | None) -> pa.Array:
        path = self._cells(column)
        if column is None or path.null_count == self._rows:
            return path
        path = self._table.slashed(path)
        rows = pc.indices_nonzero(pc.fill_null(file_paths.suspicious(path), False)).to_pylist()
        if not rows:
            return path
        cleaned = path.to_pylist()
        outside = self._table.reading.config.outside
        for row in rows:
            try:
                cleaned[row] = file_paths.within(cleaned[row], self._table.root, outside=outside)
            except ValueFaultError as error:
                self._problems.setdefault(row, (column, str(error), error.remedy))
        return pa.array(cleaned, pa.string())

    def _label_lists(self) -> tuple[pa.Array, dict[int, list[str]]]:
        """Return each row's first label, and the further labels of rows with several."""
        if not self._table.columns.label:
            return pa.nulls(self._rows, pa.string()), {}
        parts = [self._label_column(column) for column in self._table.columns.label]
        if len(parts) == 1 and all(len(labels) < 2 for labels in parts[0][1]):
            codes, meant = parts[0]
            first = pa.array([labels[0] if labels else None for labels in meant], pa.string())
            return first.take(codes), {}
        rows = [
            tuple(dict.fromkeys(x for codes, meant in parts for x in meant[codes[row].as_py()]))
            for row in range(self._rows)
        ]
        more = {row: list(labels[1:]) for row, labels in enumerate(rows) if len(labels) > 1}
        return pa.array([labels[0] if labels else None for labels in rows], pa.string()), more

    def _label_column(self, column: str) -> tuple[pa.Array, list[tuple[str, ...]]]:
        """Return each row's index among the distinct values, and the labels of these values."""
        values = self._raw.cells[column]
        if pa.types.is_nested(values.type):
            distinct: list[Any] = values.to_pylist()
            codes = pa.array(range(self._rows), pa.int64())
        else:
            if not (pa.types.is_integer(values.type) or pa.types.is_floating(values.type)):
                values = self._cells(column)
            coded = values.dictionary_encode("encode")
            distinct, codes = coded.dictionary.to_pylist(), coded.indices
        read = self._guarded(column, codes)
        return codes, [read(code, value) for code, value in enumerate(distinct)]

    def _guarded(self, column: str, codes: pa.Array) -> Callable[[int, Any], tuple[str, ...]]:
        labels, names = self._table.reading.labels, self._table.class_names.get(column, ())

        def read(code: int, value: Any) -> tuple[str, ...]:
            try:
                return labels.read(value, names)
            except ValueFaultError as error:
                self._mark(pc.equal(codes, code), column, str(error), error.remedy)
                return ()

        return read

    def _splits(self, column: str | None) -> pa.Array:
        if column is None:
            return pa.array([self._table.split] * self._rows, pa.string())
        coded = pc.utf8_lower(self._cells(column)).dictionary_encode()
        meant = [cell_rules.SPLITS.get(value) for value in coded.dictionary.to_pylist()]
        split = pa.array(meant, pa.string()).take(coded.indices)
        unknown = pc.and_(coded.is_valid(), split.is_null())
        remedy = "give train, validation or test, or another --split-column"
        self._mark(unknown, column, "is no split", remedy)
        return split


def _empty() -> pa.RecordBatch:
    return pa.RecordBatch.from_pylist([], schema=ROWS)
