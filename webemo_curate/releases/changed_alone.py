"""A folder that keeps of what is fetched only the pictures that a release does not have."""

from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from webemo_curate.storage.folder import FolderStore
from webemo_curate.storage.image_files import ImageFiles
from webemo_curate.workspace import Workspace


@dataclass(frozen=True)
class ChangedFiles(ImageFiles):
    """Images in files, without those whose bytes are known by their hash; see `ImageStore`.

    Attributes
    ----------
    known
        SHA-256 of what is not kept, in hex.
    """

    known: frozenset[str]

    def add(self, content: bytes, path: str) -> None:
        """Write a file unless it is known or exists; see `ImageStore.add`."""
        if not self._knows(path):
            super().add(content, path)

    def holds(self, path: str, size: int | None) -> bool:
        """Return whether an image is known or its file exists; see `ImageStore.holds`."""
        return self._knows(path) or super().holds(path, size)

    def _knows(self, path: str) -> bool:
        return PurePosixPath(path).stem in self.known


class ChangedStore(FolderStore):
    """A folder for a comparison: to write and remove what is as released costs more than comparing.

    Parameters
    ----------
    root : Path
        The folder; created on first write.
    known : frozenset of str
        SHA-256 of the released pictures, in hex.
    """

    def __init__(self, root: Path, known: frozenset[str]) -> None:
        super().__init__(root)
        self.known = known

    def __getstate__(self) -> dict[str, Any]:
        """Go to the processes that fetch, with what is known."""
        return super().__getstate__() | {"known": self.known}

    def images(self) -> ImageFiles:
        """Return the images that are kept: those that were not released."""
        return ChangedFiles(self.root, self.known)


class ChangedAlone(Workspace):
    """A workspace of a `ChangedStore`, which goes on after a kill.

    Parameters
    ----------
    store : ChangedStore
        Its folder.
    """

    def __init__(self, store: ChangedStore) -> None:
        super().__init__(store)
        self._known = store.known

    def holds_image(self, sha256: str, suffix: str) -> bool:
        """Return whether an image is known, or stored and whole: a kill tears no file of these."""
        return sha256 in self._known or super().holds_image(sha256, suffix)
