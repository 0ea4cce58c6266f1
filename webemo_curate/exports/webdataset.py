"""WebDataset: tar files of pictures, each with a JSON of what is known of it."""

import json
from collections import ChainMap
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from webemo_curate.exports.chosen_rows import SplitRows
from webemo_curate.exports.export_job import ExportJob
from webemo_curate.exports.tar_stream import TarWriter

FACTS = ("group", "height", "label", "labels", "sha256", "target", "url", "width")


def write_webdataset(job: ExportJob, folder: Path) -> dict[str, int]:
    """Write `SPLIT-00000.tar`, ... and `sizes.json`, the pictures in each.

    Parameters
    ----------
    job : ExportJob
        What is written.
    folder : Path
        Gets the files. A sample's key is its hash; its members are the picture, with its suffix,
        and `json`.

    Returns
    -------
    dict of str to int
        Pictures written, by split.
    """
    written = {split.name: _write_split(job, split, folder) for split in job.selection.splits}
    sizes = dict(ChainMap(*written.values()))
    text = json.dumps(sizes, indent=2, sort_keys=True)
    (folder / "sizes.json").write_text(f"{text}\n", encoding="utf-8")
    return {name: sum(shards.values()) for name, shards in written.items()}


def _write_split(job: ExportJob, split: SplitRows, folder: Path) -> dict[str, int]:
    """Write a split's tar files; return the pictures in each."""
    sizes: dict[str, int] = {}
    for number, samples in enumerate(_shards(job, split)):
        name = f"{split.name}-{number:05d}.tar"
        sizes[name] = 0
        with TarWriter(folder / name) as tar:
            for row, content in samples:
                tar.add(row["file_name"], content)
                tar.add(f"{row['sha256']}.json", _facts(row, job.selection.classes))
                sizes[name] += 1
    return sizes


def _shards(job: ExportJob, split: SplitRows) -> Iterator[Iterator[tuple[dict[str, Any], bytes]]]:
    """Yield the samples of one tar file after another; each must be taken whole."""
    for rows in job.shards(split):
        yield (sample for batch in rows for sample in job.samples(batch))


def _facts(row: dict[str, Any], classes: tuple[str, ...]) -> bytes:
    facts = {name: row[name] for name in FACTS} | {"class": classes[row["target"]]}
    return json.dumps(facts, sort_keys=True, ensure_ascii=False).encode()
