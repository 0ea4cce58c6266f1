"""The seam between a workspace and the place that holds its bytes."""

from contextlib import AbstractContextManager
from pathlib import Path
from typing import Protocol

import pyarrow as pa


class Store(Protocol):
    """Holds whole files under keys: POSIX paths relative to the workspace.

    A key's content appears whole or not at all, whatever kills the writer. Every method raises
    `CurateError` if the place fails (a full disk, refused credentials, no answer).
    """

    @property
    def root(self) -> Path:
        """Local folder that mirrors the keys: the place itself, or a cache of it."""

    def where(self, key: str) -> str:
        """Return a key's full name, for messages."""

    def exists(self, key: str) -> bool:
        """Tell whether a key is there."""

    def keys(self, prefix: str) -> list[str]:
        """Return the keys below a prefix, sorted; none if there is no such prefix."""

    def open(self, key: str) -> pa.NativeFile:
        """Open a key for reading parts of it.

        Raises
        ------
        FileNotFoundError
            If it is not there.
        """

    def local(self, key: str) -> Path:
        """Return a local file that holds a key's content; it must not be written to.

        Raises
        ------
        FileNotFoundError
            If it is not there.
        """

    def writing(self, key: str) -> AbstractContextManager[Path]:
        """Give a local path to write, which becomes the key's content if the block ends well."""

    def write(self, key: str, content: bytes) -> None:
        """Replace a key's content."""

    def publish(self, prefix: str) -> None:
        """Make the keys at or below a prefix what the local files below `root` are."""

    def pull(self, prefix: str) -> Path:
        """Make the local folder of a prefix hold what the keys below it hold; return the folder."""

    def remove(self, prefix: str) -> None:
        """Remove a key, or all keys below a prefix; what is not there is no error."""

    def sweep(self) -> None:
        """Remove what a killed writer left half done; call it with the lock held."""

    def check_own(self) -> None:
        """See that the place is still the one that this command holds.

        Raises
        ------
        CurateError
            If it was moved or removed meanwhile, or another command may have taken it.
        """

    def lock(self) -> AbstractContextManager[None]:
        """Hold the place for one writing command.

        Raises
        ------
        CurateError
            If another command holds it.
        """


class ImageReader(Protocol):
    """Reads stored images in any process: cheap to construct, to pickle and to compare."""

    def __hash__(self) -> int:
        """Tell readers of different places apart."""

    @property
    def home(self) -> str:
        """The workspace, as its user names it in a command."""

    def read(self, place: str) -> bytes:
        """Return an image's bytes.

        Parameters
        ----------
        place : str
            As `ImageStore.places` gives it, or the absolute path of any file.

        Returns
        -------
        bytes
            The file as it was stored.

        Raises
        ------
        OSError
            If it is not there.
        """


class ImageStore(ImageReader, Protocol):
    """The images of a workspace, by the SHA-256 of their bytes; one process writes."""

    @property
    def reader(self) -> ImageReader:
        """What other processes read images with."""

    def add(self, content: bytes, path: str) -> None:
        """Store original bytes; `settle` makes them outlast a power cut.

        Parameters
        ----------
        content : bytes
            The file.
        path : str
            Its path in the manifests, whose name is its hash and suffix.
        """

    def holds(self, path: str, size: int | None) -> bool:
        """Tell whether an image is there, of that many bytes where the number is known."""

    def settle(self) -> None:
        """Wait until every image stored so far is where it is to stay."""

    def places(self, paths: pa.Array) -> pa.Array:
        """Return where images lie, in an order of which neighbors are read together.

        Parameters
        ----------
        paths : pa.Array
            Their paths in the manifests, or absolute paths of other files.

        Returns
        -------
        pa.Array
            Strings for `read`.
        """

    def sweep(self) -> None:
        """Remove what a killed writer left half done; call it with the lock held."""
