"""CSV: the split lists that papers append."""

import json
from pathlib import Path

import pyarrow as pa
from pyarrow import csv

from webemo_curate.exports.export_job import ExportJob

COLUMNS = ("sha256", "url", "class", "target", "label", "labels", "group")


def write_lists(job: ExportJob, folder: Path) -> dict[str, int]:
    """Write `SPLIT.csv`, a line a picture; no picture is read.

    Parameters
    ----------
    job : ExportJob
        What is written.
    folder : Path
        Gets the files. `labels` is a JSON list.

    Returns
    -------
    dict of str to int
        Pictures listed, by split.
    """
    pictures = dict.fromkeys((split.name for split in job.selection.splits), 0)
    for split in job.selection.splits:
        schema = pa.schema(
            [(name, pa.int64() if name == "target" else pa.string()) for name in COLUMNS]
        )
        with csv.CSVWriter(folder / f"{split.name}.csv", schema) as writer:
            for rows in split.batches():
                writer.write_table(_columns(rows, job.selection.classes, schema))
                job.bar.update(rows.num_rows)
                pictures[split.name] += rows.num_rows
    return pictures


def _columns(rows: pa.Table, classes: tuple[str, ...], schema: pa.Schema) -> pa.Table:
    labels = [json.dumps(labels, ensure_ascii=False) for labels in rows["labels"].to_pylist()]
    made = {
        "class": pa.array(classes).take(rows["target"].cast(pa.int64()).combine_chunks()),
        "labels": pa.array(labels, pa.string()),
    }
    return pa.table([(made.get(name) or rows[name]) for name in COLUMNS], COLUMNS).cast(schema)
