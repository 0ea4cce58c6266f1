"""A folder of pictures as a source: class/photo, split/class/photo, or photos without labels."""

import hashlib
import shlex
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path, PurePosixPath
from posixpath import commonpath
from typing import Final

import pyarrow as pa

from webemo_curate.errors import InputError
from webemo_curate.listing_keys import bad_key, local_key
from webemo_curate.sources.cell_rules import ValueFaultError
from webemo_curate.sources.folder_form import FolderForm
from webemo_curate.sources.folder_walk import LeftOut, is_utf8, regular_files, shown
from webemo_curate.sources.source import (
    BATCH_ROWS,
    ROWS,
    Picture,
    ReadOptions,
    logger,
    unreadable,
)

SHOWN_LABELS: Final = 12
"""Most labels named in a message."""


@dataclass(frozen=True)
class FolderSource:
    """A folder of pictures; see `Source`.

    Attributes
    ----------
    place
        The folder.
    """

    place: Path

    @property
    def name(self) -> str:
        """The folder's name."""
        return self.place.resolve().name

    @property
    def root(self) -> Path:
        """The folder."""
        return self.place

    def digest(self) -> str:
        """Return the SHA-256 of its files' names."""
        return hashlib.sha256("\0".join(self._files).encode()).hexdigest()

    def batches(self, reading: ReadOptions) -> Iterator[pa.RecordBatch]:
        """Yield its rows; see `Source.batches`."""
        told, left = self._told(), self._left_out.summary()
        logger.info("%s: %s", self.place, f"{told}; {left}" if left else told)
        self._warn_of_wrapper()
        for start in range(0, len(self._files), BATCH_ROWS):
            files = self._files[start : start + BATCH_ROWS]
            rows = [self._row(start + n, file, reading) for n, file in enumerate(files, 1)]
            yield pa.RecordBatch.from_pylist(rows, schema=ROWS)

    def pictures(self, files: Iterable[str]) -> Iterator[Picture]:
        """Yield the places of the files; see `Source.pictures`."""
        return ((file, self.place / file) for file in files)

    @cached_property
    def _left_out(self) -> LeftOut:
        """What is not taken; `_files` fills it."""
        return LeftOut()

    @cached_property
    def _files(self) -> list[str]:
        if not is_utf8(str(self.place)):
            raise InputError(f"{shown(str(self.place))}: its path is not UTF-8; rename the folder")
        try:
            files = regular_files(self.place, self._left_out)
        except OSError as error:
            raise unreadable(self.place, error) from error
        if not files:
            said = self._left_out.summary()
            tail = f" ({said})" if said else ""
            raise InputError(f"{self.place}: holds no file; give a folder of pictures{tail}")
        return [file.relative_to(self.place).as_posix() for file in files]

    @cached_property
    def _form(self) -> FolderForm:
        return FolderForm.of(self.place, self._files)

    @cached_property
    def _labels(self) -> list[str]:
        return sorted({label for file in self._files if (label := self._form.parts(file)[1])})

    def _told(self) -> str:
        labels = self._labels
        split = "split/" if self._form.has_splits else ""
        if not labels:
            return f"{len(self._files)} files: {split}photo, no labels"
        named = ", ".join(labels[:SHOWN_LABELS]) + (", ..." if len(labels) > SHOWN_LABELS else "")
        return f"{len(self._files)} files: {split}class/photo, {len(labels)} classes: {named}"

    def _warn_of_wrapper(self) -> None:
        """Warn where the only class may be a folder around the classes' folders."""
        if len(self._labels) != 1 or self._form.has_splits:
            return
        shared = commonpath(self._files)
        depth = len(PurePosixPath(shared).parts)
        parts = [PurePosixPath(file).parts for file in self._files]
        below = sorted({part[depth] for part in parts if len(part) > depth + 1})
        if depth and len(below) > 1:
            logger.warning(
                "%s: '%s' is taken as the label of every photo; if the folders below it are the "
                "labels (%s), give --source %s",
                self.place,
                parts[0][0],
                ", ".join(below[:SHOWN_LABELS]),
                shlex.quote(str(self.place / shared)),
            )

    def _row(self, number: int, file: str, reading: ReadOptions) -> dict[str, object]:
        split, folder = self._form.parts(file)
        try:
            label = None if folder is None else reading.labels.name(folder)
        except ValueFaultError as error:
            reason = reading.bad.take(self.place / file, number, None, str(error), error.remedy)
            return {"line": number, "url": bad_key(self.name, number), "problem": reason}
        return {
            "line": number,
            "url": local_key(self.name, file),
            "label": label,
            "official_split": split,
            "file": file,
        }
