"""`SPLIT/CLASS/HASH.jpg`, for torchvision's `ImageFolder` and `datasets`' `imagefolder`."""

import json
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from webemo_curate.exports.chosen_rows import Selection, SplitRows
from webemo_curate.exports.export_job import ExportJob
from webemo_curate.exports.huggingface import features
from webemo_curate.exports.safe_names import folder_names

METADATA = "metadata.parquet"
COLUMNS = pa.schema(
    [
        ("file_name", pa.string()),
        ("target", pa.int64()),
        ("label", pa.string()),
        ("labels", pa.list_(pa.string())),
        ("group", pa.string()),
        ("sha256", pa.string()),
        ("url", pa.string()),
    ]
)


def write_imagefolder(job: ExportJob, folder: Path) -> dict[str, int]:
    """Write `SPLIT/CLASS/HASH.jpg` and `SPLIT/metadata.parquet`.

    Parameters
    ----------
    job : ExportJob
        What is written.
    folder : Path
        Gets the files: hard links of the workspace's where both lie on one device.

    Returns
    -------
    dict of str to int
        Pictures written, by split.
    """
    return {split.name: _write_split(job, split, folder) for split in job.selection.splits}


def _write_split(job: ExportJob, split: SplitRows, folder: Path) -> int:
    """Write a split's folder, none if it has no pictures; return how many it has."""
    if not split.rows:
        return 0
    places, pictures = folder_names(job.selection.classes), 0
    for place, images in zip(places, job.selection.class_sizes(split.name), strict=True):
        # torchvision refuses a folder of no pictures.
        if images:
            (folder / split.name / place).mkdir(parents=True)
    file, schema = folder / split.name / METADATA, _schema(job.selection)
    with pq.ParquetWriter(file, schema, compression="zstd", write_page_checksum=True) as writer:
        for table in _placed(job, split, places, folder / split.name):
            writer.write_table(table)
            pictures += table.num_rows
    return pictures


def _schema(selection: Selection) -> pa.Schema:
    """Return the metadata's columns, described as `datasets` describes them."""
    text = {"dtype": "string", "_type": "Value"}
    described = features(selection) | {"file_name": text, "label": text}
    info = {"info": {"features": {name: described[name] for name in COLUMNS.names}}}
    return COLUMNS.with_metadata({b"huggingface": json.dumps(info, sort_keys=True).encode()})


def _placed(
    job: ExportJob, split: SplitRows, places: tuple[str, ...], folder: Path
) -> Iterator[pa.Table]:
    """Put the pictures of a split where they belong; yield its metadata."""
    for rows in split.batches():
        classes = pa.array(places).take(rows["target"].cast(pa.int64()).combine_chunks())
        names = pc.binary_join_element_wise(classes, rows["file_name"].combine_chunks(), "/")
        job.put(rows, (folder / name for name in names.to_pylist()))
        placed = rows.set_column(rows.schema.get_field_index("file_name"), "file_name", names)
        yield placed.select(COLUMNS.names).cast(COLUMNS).replace_schema_metadata(None).cast(COLUMNS)
