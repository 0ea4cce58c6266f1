"""CSV: the split lists that papers append."""

import json
from pathlib import Path

import pyarrow as pa
from pyarrow import csv

from webemo_curate.exports.chosen_rows import SplitRows
from webemo_curate.exports.export_job import ExportJob

COLUMNS = ("sha256", "url", "class", "target", "label", "labels", "group")
SCHEMA = pa.schema([(name, pa.int64() if name == "target" else pa.string()) for name in COLUMNS])


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
    return {split.name: _write_list(job, split, folder) for split in job.selection.splits}


def _write_list(job: ExportJob, split: SplitRows, folder: Path) -> int:
    """Write a split's list; return how many pictures it has."""
    pictures = 0
    with csv.CSVWriter(folder / f"{split.name}.csv", SCHEMA) as writer:
        for rows in split.batches():
            writer.write_table(_columns(rows, job.selection.classes))
            job.bar.update(rows.num_rows)
            pictures += rows.num_rows
    return pictures


def _columns(rows: pa.Table, classes: tuple[str, ...]) -> pa.Table:
    labels = [json.dumps(labels, ensure_ascii=False) for labels in rows["labels"].to_pylist()]
    made = {
        "class": pa.array(classes).take(rows["target"].cast(pa.int64()).combine_chunks()),
        "labels": pa.array(labels, pa.string()),
    }
    return pa.table([(made.get(name) or rows[name]) for name in COLUMNS], COLUMNS).cast(SCHEMA)
