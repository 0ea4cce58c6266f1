"""Read Parquet tables, including Hugging Face's and img2dataset's, with or without pictures."""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from webemo_curate.errors import InputError
from webemo_curate.parquet import CHUNK_BYTES
from webemo_curate.sources.cell_rules import Raw
from webemo_curate.sources.columns import Columns, DeclaredColumns, choose_columns
from webemo_curate.sources.shards import Shard
from webemo_curate.sources.source import BATCH_ROWS, Picture, ReadOptions, logger
from webemo_curate.sources.table_file import TableFile
from webemo_curate.sources.table_rows import TableRows
from webemo_curate.system_faults import memory_limited, raise_system_fault

PICTURE_ROWS = 32
"""Rows whose picture bytes are in memory at a time."""

TEXT_BYTES, PICTURE_BYTES = 2**30, 2**31
"""Memory that the rows read at a time may take: of texts, and of pictures' bytes."""

MAX_ROWS = 10**8
"""Most rows of a file."""

SHARD_FILE = "key, beside the table"
"""Stands for the column of files in img2dataset's tables, whose file names are made from the
keys."""

IMAGE_NAMES = frozenset({"image", "img", "jpg", "png", "webp", "bytes"})


@dataclass(frozen=True)
class ParquetSource(TableFile):
    """A Parquet table."""

    def batches(self, reading: ReadOptions) -> Iterator[pa.RecordBatch]:
        """Yield its rows; see `Source.batches`."""
        columns = self._columns
        holds = "; its bytes are the pictures" if self._bytes else ""
        if columns.path == SHARD_FILE and self._shard:
            holds = f"; the pictures are in {self._shard.place.name}"
        logger.info("%s: Parquet; %s%s", self.place, columns.told(), holds)
        rows = TableRows(
            self.place, self.name, self.root, columns, reading, self._class_names, self.split
        )
        wanted = [name for name in columns.needed() if not self._is_made(name)]
        if columns.path == SHARD_FILE and "key" not in wanted:
            wanted.append("key")
        number = 0
        for batch in self._read(wanted, BATCH_ROWS, TEXT_BYTES):
            numbers = pa.array(range(number + 1, number + batch.num_rows + 1), pa.int32())
            number += batch.num_rows
            cells = dict(zip(batch.schema.names, batch.columns, strict=True))
            if columns.path and self._is_made(columns.path):
                cells[columns.path] = self._made(numbers, cells)
            yield rows.batch(Raw(numbers, cells))

    def pictures(self, files: Iterable[str]) -> Iterator[Picture]:
        """Yield the rows' bytes, or the places of their files; see `Source.pictures`."""
        if self._bytes is None:
            among = self._shard if self._columns.path == SHARD_FILE else None
            beside = ((file, self.root / file) for file in files)
            yield from among.pictures(files, self.root) if among else beside
            return
        wanted = {int(file.rpartition("#")[2]): file for file in files}
        first = 1
        for batch in self._read([self._bytes], PICTURE_ROWS, PICTURE_BYTES):
            due = [row for row in range(batch.num_rows) if first + row in wanted]
            cells = batch.column(0)
            for row in due:
                yield wanted[first + row], self._picture(cells[row].as_py())
            first += batch.num_rows

    @cached_property
    def _schema(self) -> pa.Schema:
        try:
            return pq.read_schema(self.place)
        except (OSError, pa.ArrowException) as error:
            raise self._unsound(error) from error

    @cached_property
    def _columns(self) -> Columns:
        made = SHARD_FILE if self._shard else _image_column(self._schema)
        classes = [name for name, names in self._class_names.items() if names]
        declared = DeclaredColumns(made, classes[0] if len(classes) == 1 else None)
        columns = choose_columns(self.place, self._schema.names, self.config, declared)
        self._check_types(columns)
        return columns

    def _check_types(self, columns: Columns) -> None:
        """Raise if a column that must hold text, or bytes of pictures, holds lists or the like."""
        for name in columns.needed():
            if name in columns.label or name == SHARD_FILE:
                continue
            kind = self._schema.field(name).type
            if pa.types.is_nested(kind) and not (name == columns.path and _holds_bytes(kind)):
                raise InputError(
                    f"{self.place}:1: column '{name}' holds values of type {kind}, and text is "
                    "needed; name another column, or write it as text"
                )

    @cached_property
    def _bytes(self) -> str | None:
        """The column of the pictures' bytes; None if the table has none."""
        path = self._columns.path
        if path is None or path not in self._schema.names:
            return None
        return path if _holds_bytes(self._schema.field(path).type) else None

    @cached_property
    def _shard(self) -> Shard | None:
        """The pictures that img2dataset wrote beside its table; None if there are none."""
        return Shard.beside(self.place, self._schema.names)

    def _is_made(self, column: str) -> bool:
        """Return whether a column's values are made from row numbers instead of read."""
        return column in (self._bytes, SHARD_FILE)

    def _made(self, numbers: pa.Array, cells: dict[str, pa.Array]) -> pa.Array:
        if self._bytes:
            return pc.binary_join_element_wise("", numbers.cast(pa.string()), "#")
        key = cells["key"].cast(pa.string())
        suffix = self._shard.suffix if self._shard else ""
        return pc.binary_join_element_wise(f"{self.place.stem}/", key, suffix, "")

    def _picture(self, cell: Any) -> Path | bytes | None:
        """Return a cell's bytes, or the path of the file that it names instead."""
        if not isinstance(cell, dict):
            return cell
        content, path = cell.get("bytes"), cell.get("path")
        return content if content is not None or not path else self.root / path

    @cached_property
    def _class_names(self) -> dict[str, tuple[str, ...]]:
        """Label names by index that Hugging Face's metadata states, by column."""
        document = (self._schema.metadata or {}).get(b"huggingface", b"null")
        try:
            features = json.loads(document)["info"]["features"]
            return {name: _names_in(features[name]) for name in self._schema.names}
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
            return {}

    def _read(self, columns: list[str], rows: int, memory: int) -> Iterator[pa.RecordBatch]:
        """Yield some rows at a time; a file whose rows take more bytes than `memory` is unsound."""
        try:
            with pq.ParquetFile(self.place, pre_buffer=False, buffer_size=CHUNK_BYTES) as file:
                _check_rows(file.metadata.num_rows)
                if columns:
                    batches = file.iter_batches(rows, columns=columns, use_threads=False)
                    while (batch := _next_within(batches, memory)) is not None:
                        yield batch
                    return
                for start in range(0, file.metadata.num_rows, rows):
                    size = min(rows, file.metadata.num_rows - start)
                    yield pa.RecordBatch.from_struct_array(pa.array([{}] * size, pa.struct([])))
        except (OSError, ValueError, MemoryError, pa.ArrowException) as error:
            raise self._unsound(error) from error

    def _unsound(self, error: Exception) -> InputError:
        raise_system_fault(error, str(self.place))
        return InputError(f"{self.place}: no sound Parquet file ({error}); write it anew")


def _check_rows(rows: int) -> None:
    """Raise if a file says that it has more rows than are read: a megabyte may say any number."""
    if not 0 <= rows <= MAX_ROWS:
        raise ValueError(f"it says it has {rows:,} rows, and at most {MAX_ROWS:,} are read")


def _next_within(batches: Iterator[pa.RecordBatch], memory: int) -> pa.RecordBatch | None:
    """Return the next batch, its dictionaries undone; a kilobyte may ask for a terabyte of them."""
    with memory_limited(memory):
        batch = next(batches, None)
        return None if batch is None else batch.cast(_undone(batch.schema))


def _undone(schema: pa.Schema) -> pa.Schema:
    """Return a schema without dictionaries, which stand for far more bytes than they take."""
    return pa.schema([field.with_type(_plain(field.type)) for field in schema])


def _plain(kind: pa.DataType) -> pa.DataType:
    if pa.types.is_dictionary(kind):
        return _plain(kind.value_type)
    if pa.types.is_list(kind):
        return pa.list_(kind.value_field.with_type(_plain(kind.value_type)))
    if pa.types.is_large_list(kind):
        return pa.large_list(kind.value_field.with_type(_plain(kind.value_type)))
    if pa.types.is_struct(kind):
        return pa.struct([field.with_type(_plain(field.type)) for field in kind])
    return kind


def _names_in(feature: Any) -> tuple[str, ...]:
    """Return a feature's label names, or those of the labels in its lists."""
    if isinstance(feature, list):
        feature = feature[0]
    feature = feature.get("feature", feature)
    return tuple(map(str, feature.get("names") or ()))


def _image_column(schema: pa.Schema) -> str | None:
    """Return the column of pictures: Hugging Face's image feature, or bytes under a usual name."""
    for field in schema:
        struct = pa.types.is_struct(field.type)
        if _holds_bytes(field.type) and (struct or field.name.lower() in IMAGE_NAMES):
            return field.name
    return None


def _holds_bytes(kind: pa.DataType) -> bool:
    if pa.types.is_struct(kind):
        return {"bytes", "path"}.issubset(field.name for field in kind)
    return pa.types.is_binary(kind) or pa.types.is_large_binary(kind)
