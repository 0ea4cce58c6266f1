"""The input of every export format: the rows, their pictures, the settings, the progress bar."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import groupby
from pathlib import Path
from typing import Any

import pyarrow as pa

from webemo_curate.config import ExportConfig
from webemo_curate.exports.checked_pictures import Pictures
from webemo_curate.exports.chosen_rows import Selection, SplitRows
from webemo_curate.progress import ProgressBar


@dataclass
class ExportJob:
    """An export in the making.

    Attributes
    ----------
    selection
        Rows that leave.
    config
        Shard size, license, name.
    bar
        Counts pictures.
    pictures
        Reads them.
    """

    selection: Selection
    config: ExportConfig
    bar: ProgressBar
    pictures: Pictures = field(init=False)

    def __post_init__(self) -> None:
        self.pictures = Pictures(self.selection.workspace)

    def contents(self, rows: pa.Table) -> Iterator[bytes]:
        """Yield the checked pictures of rows; see `Pictures.of`."""
        for content in self.pictures.of(rows):
            self.bar.update()
            yield content

    def samples(self, rows: pa.Table) -> Iterator[tuple[dict[str, Any], bytes]]:
        """Yield rows as dictionaries with their checked pictures."""
        return zip(rows.to_pylist(), self.contents(rows), strict=True)

    def put(self, rows: pa.Table, files: Iterable[Path]) -> None:
        """Bring the checked pictures of rows to files; see `Pictures.put`."""
        for _ in self.pictures.put(rows, files):
            self.bar.update()

    def shard_count(self, split: SplitRows) -> int:
        """Return how many files of many pictures a split makes."""
        return -(-split.rows // self.config.shard_images)

    def shards(self, split: SplitRows) -> Iterator[Iterator[pa.Table]]:
        """Yield the rows of one file after another, as tables; each must be taken whole."""
        pieces = _cut(split.batches(), self.config.shard_images)
        for _, group in groupby(pieces, key=lambda piece: piece[0]):
            yield (table for _, table in group)


def _cut(batches: Iterable[pa.Table], rows: int) -> Iterator[tuple[int, pa.Table]]:
    """Cut tables where a file ends; yield each piece with the number of its file."""
    position = 0
    for batch in batches:
        start = 0
        while start < batch.num_rows:
            shard, within = divmod(position, rows)
            piece = batch.slice(start, rows - within)
            yield shard, piece
            start += piece.num_rows
            position += piece.num_rows
