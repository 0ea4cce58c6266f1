"""The meaning of the folders of a set for its files: class/photo, split/class/photo, or nothing."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Self

from webemo_curate.sources.cell_rules import SPLITS


@dataclass(frozen=True)
class FolderForm:
    """The way in which the folders of one set are read.

    Attributes
    ----------
    has_splits
        Whether the folders at the top are named by splits, and those in them by classes.
    """

    has_splits: bool

    @classmethod
    def of(cls, files: Iterable[str]) -> Self:
        """Tell the form of a set by its files' paths below its folder."""
        tops = {file.partition("/")[0].lower() for file in files if "/" in file}
        return cls(bool(tops) and tops.issubset(SPLITS))

    def parts(self, file: str) -> tuple[str | None, str | None]:
        """Return the split and the class that a file's folders say; None for what they do not."""
        folders = list(PurePosixPath(file).parts[:-1])
        split = SPLITS[folders.pop(0).lower()] if self.has_splits and folders else None
        return split, folders[0] if folders else None
