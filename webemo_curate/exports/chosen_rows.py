"""The rows that leave the workspace, in their order: those of the split manifests."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from webemo_curate.errors import InputError
from webemo_curate.exports.removals import removed_hashes
from webemo_curate.manifest_scan import manifest_batches
from webemo_curate.manifest_store import manifest_key
from webemo_curate.remedies import typed
from webemo_curate.schemas import SPLIT
from webemo_curate.verdicts import Split
from webemo_curate.workspace import Workspace

BATCH_ROWS = 512
"""Rows of a manifest held at a time; of their pictures one is."""

COUNTED_ROWS = 8192
"""Rows held while they are counted: a manifest's whole row group would be a third of the memory."""

COUNTED = ("sha256", "label", "target")
"""Columns that are read to count rows."""

HASH_DIGITS = 64
FILE_NAME = r"^[0-9a-f]{64}\.[a-z0-9]{1,5}$"
"""What a stored image may be called: its name becomes a name in what is written."""


@dataclass(frozen=True)
class SplitRows:
    """The rows of one split, read a batch at a time.

    Attributes
    ----------
    name
        Of the split.
    file
        Its manifest.
    rows
        Number of rows that leave.
    classes
        Number of classes.
    removed
        Images taken down, which stay behind.
    """

    name: str
    file: Path
    rows: int
    classes: int
    removed: frozenset[str]

    def batches(self, rows: int = BATCH_ROWS) -> Iterator[pa.Table]:
        """Yield the rows in the manifest's order, which is that of the hashes.

        The order is made of the content alone, and mixes the classes.

        Parameters
        ----------
        rows : int, optional
            Most of a batch.

        Yields
        ------
        pa.Table
            Columns of `schemas.SPLIT` and `file_name`, the image's hash and suffix.

        Raises
        ------
        InputError
            If the manifest is not sound, a path names another image, or a target no class.
        """
        for table in self._sound(SPLIT.names, rows):
            yield table.append_column("file_name", checked_names(table, str(self.file)))

    def count(self) -> Counter[tuple[str, int]]:
        """Return how many of the rows have each label and target; raises as `batches`."""
        counts: Counter[tuple[str, int]] = Counter()
        for table in self._sound(COUNTED, COUNTED_ROWS):
            columns = table.group_by(["label", "target"]).aggregate([([], "count_all")])
            labels, targets, rows = (column.to_pylist() for column in columns.columns)
            counts.update(dict(zip(zip(labels, targets, strict=True), rows, strict=True)))
        return counts

    def _sound(self, columns: Sequence[str], rows: int) -> Iterator[pa.Table]:
        """Yield columns of what leaves, its targets checked."""
        for table in manifest_batches(self.file, self.name, columns, rows):
            yield self._checked(without(table, self.removed))

    def _checked(self, table: pa.Table) -> pa.Table:
        known = pc.is_in(table["target"], pa.array(range(self.classes), pa.int8()))
        if not pc.all(known, min_count=0).as_py():
            bad = table["target"].filter(pc.invert(known))[0]
            raise InputError(f"{self.file}: target {bad} is none of its {self.classes} classes")
        return table


@dataclass(frozen=True)
class Selection:
    """The splits that leave.

    Attributes
    ----------
    workspace
        Where they come from.
    splits
        In the order train, validation, test.
    classes
        Names of the targets 0, 1, ...
    """

    workspace: Workspace
    splits: tuple[SplitRows, ...]
    classes: tuple[str, ...]

    @property
    def removed(self) -> frozenset[str]:
        """Images that were taken down."""
        return frozenset().union(*(split.removed for split in self.splits))

    @property
    def rows(self) -> int:
        """Images in all."""
        return sum(split.rows for split in self.splits)

    @cached_property
    def counts(self) -> dict[str, Counter[tuple[str, int]]]:
        """Images of each split by label and target."""
        return {split.name: split.count() for split in self.splits}

    @property
    def labels(self) -> tuple[str, ...]:
        """Labels that a row of these splits is decided by, sorted."""
        return tuple(sorted({label for count in self.counts.values() for label, _ in count}))

    def class_sizes(self, split: str) -> list[int]:
        """Return the images of a split in each class, in the order of the targets."""
        sizes = [0] * len(self.classes)
        for (_, target), images in self.counts[split].items():
            sizes[target] += images
        return sizes


def select(workspace: Workspace, splits: Sequence[str] = ()) -> Selection:
    """Open the splits that are to leave.

    Parameters
    ----------
    workspace : Workspace
        Holds the split manifests.
    splits : sequence of str, optional
        Which; default all.

    Returns
    -------
    Selection
        Their rows, those left out that were taken down.

    Raises
    ------
    InputError
        If a split is not there.
    """
    wanted = tuple(splits) or tuple(map(str, Split))
    removed = removed_hashes(workspace)
    classes = workspace.classes(wanted[0])
    opened = tuple(_open(workspace, name, len(classes), removed) for name in wanted)
    return Selection(workspace, opened, classes)


def checked_names(table: pa.Table, where: str) -> pa.ChunkedArray:
    """Return the file name of each row's image: its hash and suffix, and nothing else.

    Parameters
    ----------
    table : pa.Table
        Columns `path` and `sha256`.
    where : str
        The manifest, for the message.

    Returns
    -------
    pa.ChunkedArray
        Strings.

    Raises
    ------
    InputError
        If a path is not that of the image of its row.
    """
    names = pc.replace_substring_regex(table["path"], r"^.*/", "")
    hashes = pc.utf8_slice_codeunits(names, 0, HASH_DIGITS)
    sound = pc.and_(pc.match_substring_regex(names, FILE_NAME), pc.equal(hashes, table["sha256"]))
    if not pc.all(sound, min_count=0).as_py():
        bad = table["path"].filter(pc.invert(sound))[0].as_py()
        raise InputError(
            f"{where}: {bad!r} is no path of the image of its row; run '{typed('split')}' again"
        )
    return names


def without(table: pa.Table, hashes: frozenset[str]) -> pa.Table:
    """Return the rows whose `sha256` is none of these."""
    if not hashes:
        return table
    return table.filter(pc.invert(pc.is_in(table["sha256"], pa.array(sorted(hashes)))))


def _open(workspace: Workspace, name: str, classes: int, removed: frozenset[str]) -> SplitRows:
    info = workspace.info(name)
    if info is None:
        raise InputError(
            f"{workspace.where(name)}: no sound manifest; run '{typed('split')}' "
            "before this command"
        )
    file = workspace.store.local(manifest_key(name))
    rows = info.rows
    if removed:
        hashes = manifest_batches(file, name, ["sha256"])
        rows = sum(without(batch, removed).num_rows for batch in hashes)
    return SplitRows(name, file, rows, classes, removed)
