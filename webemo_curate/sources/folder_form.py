"""The meaning of a set's folder names: class/photo, split/class/photo, or no meaning."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Final, Self

from webemo_curate.errors import InputError
from webemo_curate.sources.cell_rules import SPLITS

SPLIT_OF_PHOTOS: Final = 2
"""Parts of the path of a photo directly in a split's folder."""

SHOWN: Final = 5
"""Most folders named in a message."""


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
    def of(cls, folder: Path, files: Iterable[str]) -> Self:
        """Detect the form of a set.

        Parameters
        ----------
        folder : Path
            For messages.
        files : iterable of str
            Its files' paths relative to it.

        Raises
        ------
        InputError
            If some top folders have names of splits, with folders in them, and others have not.
        """
        depths: dict[str, int] = {}
        for parts in (file.split("/") for file in files):
            if len(parts) > 1:
                depths[parts[0]] = max(len(parts), depths.get(parts[0], 0))
        splits = sorted(top for top in depths if top.lower() in SPLITS)
        others = sorted(depths.keys() - splits)
        if others and (deep := [top for top in splits if depths[top] > SPLIT_OF_PHOTOS]):
            raise InputError(
                f"{folder}: holds folders of folders that are named as splits ({', '.join(deep)}), "
                f"and others ({', '.join(others[:SHOWN])}); move the others elsewhere, or name a "
                "folder that holds a folder for each label"
            )
        return cls(bool(splits) and not others)

    def parts(self, file: str) -> tuple[str | None, str | None]:
        """Return the split and the class that a file's folders name; None for one not named."""
        folders = list(PurePosixPath(file).parts[:-1])
        split = SPLITS[folders.pop(0).lower()] if self.has_splits and folders else None
        return split, folders[0] if folders else None
