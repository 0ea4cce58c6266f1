"""The meaning of a set's folder names: class/photo, split/class/photo, or no meaning."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Self

from webemo_curate.sources.cell_rules import SPLITS


@dataclass(frozen=True)
class FolderForm:
    """How the folder names of one set are read.

    Attributes
    ----------
    has_splits
        Whether the top folders are named by split, and the folders in them by class.
    """

    has_splits: bool

    @classmethod
    def of(cls, files: Iterable[str]) -> Self:
        """Detect the form of a set from its files' paths relative to its folder."""
        tops = {file.partition("/")[0].lower() for file in files if "/" in file}
        return cls(bool(tops) and tops.issubset(SPLITS))

    def parts(self, file: str) -> tuple[str | None, str | None]:
        """Return the split and the class that a file's folders name; None for one not named."""
        folders = list(PurePosixPath(file).parts[:-1])
        split = SPLITS[folders.pop(0).lower()] if self.has_splits and folders else None
        return split, folders[0] if folders else None
