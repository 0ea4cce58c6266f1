"""Ways to change what a workspace holds: its manifests as pyarrow can, any file as anyone can."""

import json
import os
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from webemo_curate.manifest import METADATA_KEY

Change = tuple[str, Callable[[], object]]
"""What is changed in words, and what changes it."""

BITS = 8
"""Bits of a manifest that are flipped one by one, at places spread over the file."""


def manifest_changes(path: Path) -> Iterator[Change]:
    """Yield changes of a manifest; but for flipped bits it stays sound Parquet."""
    table = pq.read_table(path)
    yield from _value_changes(path, table)
    yield from _row_changes(path, table)
    yield from _metadata_changes(path, table)
    yield from _bit_changes(path)


def _value_changes(path: Path, table: pa.Table) -> Iterator[Change]:
    """Yield a change of one value of each column."""
    for field in table.schema:
        kind = field.type.value_type if pa.types.is_dictionary(field.type) else field.type
        values = table[field.name].to_pylist()
        row = next((i for i, value in enumerate(values) if value not in (None, [])), None)
        if row is not None:
            changed = pa.array([*values[:row], other(values[row]), *values[row + 1 :]], kind)
            yield f"a value of {field.name}", _written(path, table, field.name, changed)


def _written(path: Path, table: pa.Table, name: str, column: pa.Array) -> Callable[[], object]:
    changed = table.set_column(table.column_names.index(name), name, column)
    return lambda: _write(path, changed, table.schema.metadata)


def other(value: Any) -> Any:
    """Return another value of the same kind."""
    if isinstance(value, bool):
        return not value
    if isinstance(value, int):
        return value ^ 1
    if isinstance(value, datetime):
        return value + timedelta(seconds=1)
    if isinstance(value, bytes):
        return bytes([value[0] ^ 1]) + value[1:]
    return (
        value[1:] if isinstance(value, list) else value + (0.5 if isinstance(value, float) else "x")
    )


def _row_changes(path: Path, table: pa.Table) -> Iterator[Change]:
    rows = table.num_rows
    if rows < 2:  # a manifest may be empty
        return
    orders = {
        "a row dropped": [*range(1, rows)],
        "a row doubled": [0, *range(rows)],
        "a row in another's place": [*range(rows - 1), 0],
        "two rows exchanged": [1, 0, *range(2, rows)],
        "emptied": [],
    }
    for what, order in orders.items():
        changed = table.take(pa.array(order, pa.int64()))
        yield what, lambda changed=changed: _write(path, changed, table.schema.metadata)


def _metadata_changes(path: Path, table: pa.Table) -> Iterator[Change]:
    said = json.loads(table.schema.metadata[METADATA_KEY])
    origin = said["origin"]
    documents = {
        "digest": said | {"digest": "0" * 64},
        "rows": said | {"rows": said["rows"] + 1},
        "package version": said | {"package_version": "9"},
        "stage": said | {"origin": origin | {"stage": "x"}},
        "stage version": said | {"origin": origin | {"stage_version": 99}},
        "configuration": said | {"origin": origin | {"configuration": {"x": 1}}},
        "inputs": said | {"origin": origin | {"inputs": dict.fromkeys(origin["inputs"], "0" * 64)}},
        "no inputs": said | {"origin": origin | {"inputs": {"x": "0" * 64}}},
        "classes": said | {"classes": [*said.get("classes", ["x", "y"])][::-1]},
        "name": said | {"name": "other"},
    }
    for what, document in documents.items():
        metadata = {METADATA_KEY: json.dumps(document, sort_keys=True).encode()}
        yield f"metadata: {what}", lambda m=metadata: _write(path, table, m)
    yield "no metadata", lambda: _write(path, table, None)


def _bit_changes(path: Path) -> Iterator[Change]:
    size = path.stat().st_size
    for number in range(BITS):
        place = number * (size - 1) // (BITS - 1)
        yield f"bit {number % 8} of byte {place}", lambda p=place, b=number % 8: flip(path, p, b)


def _write(path: Path, table: pa.Table, metadata: dict[bytes, bytes] | None) -> None:
    pq.write_table(table.replace_schema_metadata(metadata), path)


def flip(path: Path, place: int, bit: int = 0) -> None:
    """Flip one bit of a file."""
    content = bytearray(path.read_bytes())
    content[place] ^= 1 << bit
    path.write_bytes(content)


def file_changes(path: Path, another: Path | None) -> Iterator[Change]:
    """Yield changes of any file; `another` of its kind may stand in its place."""
    content = path.read_bytes()
    yield "a bit flipped", lambda: flip(path, len(content) // 2)
    yield "cut", lambda: path.write_bytes(content[:-1])
    yield "emptied", lambda: path.write_bytes(b"")
    yield "zeroed", lambda: path.write_bytes(bytes(len(content)))
    yield "made longer", lambda: path.write_bytes(content + b"x")
    yield "gone", path.unlink
    yield "a link", lambda: _replace(path, lambda: path.symlink_to("/etc/hostname"))
    yield "a pipe", lambda: _replace(path, lambda: os.mkfifo(path))
    if another is not None:
        yield f"{another.name} in its place", lambda: path.write_bytes(another.read_bytes())


def _replace(path: Path, make: Callable[[], object]) -> None:
    path.unlink()
    make()
