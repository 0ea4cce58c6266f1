"""Parquet files and a card that `datasets.load_dataset(FOLDER)` reads, streaming too."""

import json
from collections.abc import Iterator
from itertools import groupby
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq

from webemo_curate.exports.chosen_rows import Selection, SplitRows
from webemo_curate.exports.export_job import ExportJob
from webemo_curate.exports.format_card import Card, write_card
from webemo_curate.exports.one_ahead import one_ahead

ROW_GROUP_ROWS = 512
ROW_GROUP_BYTES = 8 * 2**20
"""A row group ends with the picture that reaches this: a reader holds it, the writer five times."""

PAGE_ROWS = 64
"""Rows between two looks at whether a page is full: at Arrow's own 1,024 all pictures of a row
group would be one page, of which the writer holds several copies."""

DATA = "data"
IMAGE = pa.struct([("bytes", pa.binary()), ("path", pa.string())])
LABELS = pa.list_(pa.string())
COLUMNS = pa.schema(
    [
        ("image", IMAGE),
        ("target", pa.int64()),
        ("label", pa.int64()),
        ("labels", LABELS),
        ("group", pa.string()),
        ("sha256", pa.string()),
        ("url", pa.string()),
    ]
)
PLAIN = ["target", "label", "labels.list.element", "group", "url"]
"""Columns with repeated values: those of hashes and pictures gain nothing by a dictionary."""


class Written(NamedTuple):
    """What was written of a split.

    Attributes
    ----------
    pictures
        Their number.
    bytes
        The size of all pictures.
    """

    pictures: int
    bytes: int


class RowGroup(NamedTuple):
    """Rows that are written together.

    Attributes
    ----------
    file
        The number of their file, from 0.
    rows
        Columns of `SplitRows.batches`.
    contents
        Their pictures.
    """

    file: int
    rows: pa.Table
    contents: list[bytes]


def write_huggingface(job: ExportJob, folder: Path) -> dict[str, int]:
    """Write `data/SPLIT-00000-of-0000N.parquet` and README.md.

    Parameters
    ----------
    job : ExportJob
        What is written.
    folder : Path
        Gets the files.

    Returns
    -------
    dict of str to int
        Pictures written, by split.

    Raises
    ------
    InputError
        If no license is given: the card states one.
    """
    (folder / DATA).mkdir()
    written = {split.name: _write_split(job, split, folder) for split in job.selection.splits}
    picture_bytes = {name: split.bytes for name, split in written.items() if split.pictures}
    write_card(folder / "README.md", _card(job, folder, picture_bytes))
    return {name: split.pictures for name, split in written.items()}


def features(selection: Selection) -> dict[str, Any]:
    """Describe the columns as the `datasets` library does in a file's schema."""
    text = {"dtype": "string", "_type": "Value"}
    return {
        "image": {"_type": "Image"},
        "target": {"names": list(selection.classes), "_type": "ClassLabel"},
        "label": {"names": list(selection.labels), "_type": "ClassLabel"},
        "labels": {"feature": text, "_type": "Sequence"},
        "group": text,
        "sha256": text,
        "url": text,
    }


def _write_split(job: ExportJob, split: SplitRows, folder: Path) -> Written:
    """Write a split's files; pictures are read while those before them are written."""
    info = json.dumps({"info": {"features": features(job.selection)}}, sort_keys=True)
    schema = COLUMNS.with_metadata({b"huggingface": info.encode()})
    count, pictures, size = job.shard_count(split), 0, 0
    for number, groups in groupby(one_ahead(_row_groups(job, split)), lambda group: group.file):
        file = folder / DATA / f"{split.name}-{number:05d}-of-{count:05d}.parquet"
        with _writer(file, schema) as writer:
            for _, rows, contents in groups:
                writer.write_table(_columns(rows, contents, job.selection, schema))
                pictures += len(contents)
                size += sum(map(len, contents))
    return Written(pictures, size)


def _writer(file: Path, schema: pa.Schema) -> pq.ParquetWriter:
    # Pictures are compressed already; zstd over them costs time and gains nothing.
    compression = dict.fromkeys([*PLAIN, "image.path", "sha256"], "zstd") | {"image.bytes": "NONE"}
    return pq.ParquetWriter(
        file,
        schema,
        compression=compression,
        write_page_checksum=True,
        use_dictionary=PLAIN,
        write_batch_size=PAGE_ROWS,
        write_statistics=["target", "label", "sha256"],
    )


def _row_groups(job: ExportJob, split: SplitRows) -> Iterator[RowGroup]:
    """Yield the rows of a split with their pictures, as many as a row group holds."""
    for number, tables in enumerate(job.shards(split)):
        for table in tables:
            contents: list[bytes] = []
            start = size = 0
            for content in job.contents(table):
                contents.append(content)
                size += len(content)
                if len(contents) == ROW_GROUP_ROWS or size >= ROW_GROUP_BYTES:
                    yield RowGroup(number, table.slice(start, len(contents)), contents)
                    start, size, contents = start + len(contents), 0, []
            if contents:
                yield RowGroup(number, table.slice(start), contents)


def _columns(
    rows: pa.Table, contents: list[bytes], selection: Selection, schema: pa.Schema
) -> pa.Table:
    import pyarrow.compute as pc

    names = rows["file_name"].combine_chunks()
    image = pa.StructArray.from_arrays([pa.array(contents, pa.binary()), names], fields=list(IMAGE))
    columns = {name: rows[name] for name in COLUMNS.names if name not in ("image", "label")}
    columns["image"] = image
    label_names = pa.array(selection.labels, pa.string())
    columns["label"] = pc.index_in(rows["label"].cast(pa.string()), label_names)
    arrays = [columns[field.name].cast(field.type) for field in schema]
    return pa.table(arrays, schema=schema)


def _card(job: ExportJob, folder: Path, picture_bytes: dict[str, int]) -> Card:
    files = sorted((folder / DATA).iterdir())
    return Card(
        job.selection,
        job.config,
        data_files={split: f"{DATA}/{split}-*.parquet" for split in picture_bytes},
        picture_bytes=picture_bytes,
        file_bytes=sum(file.stat().st_size for file in files),
    )
