"""Images as one file each, for a file system: random access, and nothing to unpack."""

from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa

from webemo_curate.storage.atomic import sync_filesystem, write_unsettled


@dataclass(frozen=True)
class ImageFiles:
    """Images below a folder, each in the file its manifest path names; see `Images`.

    Attributes
    ----------
    root
        The workspace's folder.
    """

    root: Path

    @property
    def reader(self) -> "ImageFiles":
        """The same: a folder has no state."""
        return self

    def read(self, place: str) -> bytes:
        """Read a file; see `ImageReader.read`."""
        return (self.root / place).read_bytes()

    def add(self, content: bytes, path: str) -> None:
        """Write a file, once; see `Images.add`."""
        file = self.root / path
        # A file that an unsettled run left may have its length and not its bytes.
        if not file.exists() or file.read_bytes() != content:
            write_unsettled(file, content)

    def holds(self, path: str, size: int | None) -> bool:
        """Tell whether a file is there; see `Images.holds`."""
        file = self.root / path
        return file.is_file() and size in (None, file.stat().st_size)

    def settle(self) -> None:
        """Flush all files with one call: a flush of each would cost more than its download."""
        sync_filesystem(self.root)

    def places(self, paths: pa.Array) -> pa.Array:
        """Return the paths: files lie where the manifests say."""
        return paths

    def sweep(self) -> None:
        """Need nothing: the store removes temporary files."""
