"""The protocols between a workspace and the place that stores its bytes."""

from contextlib import AbstractContextManager
from pathlib import Path
from typing import Protocol

import pyarrow as pa


class Store(Protocol):
    """Stores whole files under keys: POSIX paths relative to the workspace.

    A key's content appears whole or not at all, even if the writer is killed. Every method raises
    `CurateError` if the store fails (a full disk, refused credentials, no answer).
    """

    @property
    def root(self) -> Path:
        """Local folder that mirrors the keys: the store itself, or a cache of it."""

    def where(self, key: str) -> str:
        """Return a key's full name, for messages."""

    def exists(self, key: str) -> bool:
        """Return whether a key exists."""

    def keys(self, prefix: str) -> list[str]:
        """Return the keys under a prefix, sorted; empty if there is no such prefix."""

    def open(self, key: str) -> pa.NativeFile:
        """Open a key to read parts of it.

        Raises
        ------
        FileNotFoundError
            If it does not exist.
        """

    def local(self, key: str) -> Path:
        """Return a local file with a key's content; the file must not be written to.

        Raises
        ------
        FileNotFoundError
            If it does not exist.
        """

    def writing(self, key: str) -> AbstractContextManager[Path]:
        """Yield a local path to write, which becomes the key's content if the block ends well."""

    def write(self, key: str, content: bytes) -> None:
        """Replace a key's content."""

    def publish(self, prefix: str) -> None:
        """Make the keys at or under a prefix equal to the local files under `root`."""

    def pull(self, prefix: str) -> Path:
        """Make a prefix's local folder equal to the keys under the prefix; return the folder."""

    def remove(self, prefix: str) -> None:
        """Remove a key, or all keys under a prefix; missing ones are no error."""

    def sweep(self) -> None:
        """Remove what a killed writer left unfinished; call it with the lock held."""

    def check_own(self) -> None:
        """Check that the store is still the one that this command holds.

        Raises
        ------
        CurateError
            If it was moved or removed meanwhile, or another command may have taken it over.
        """

    def lock(self) -> AbstractContextManager[None]:
        """Lock the store for one writing command.

        Raises
        ------
        CurateError
            If another command holds it.
        """


class ImageReader(Protocol):
    """Reads stored images in any process; cheap to construct, pickle and compare."""

    def __hash__(self) -> int:
        """Return a hash that differs between places."""

    @property
    def home(self) -> str:
        """The workspace, as its user names it in a command."""

    def read(self, place: str) -> bytes:
        """Return an image's bytes.

        Parameters
        ----------
        place : str
            A place returned by `ImageStore.places`, or the absolute path of any file.

        Returns
        -------
        bytes
            The file as stored.

        Raises
        ------
        OSError
            If it does not exist.
        """


class ImageStore(ImageReader, Protocol):
    """The images of a workspace, by the SHA-256 of their bytes; one process writes."""

    @property
    def reader(self) -> ImageReader:
        """The reader for other processes."""

    def add(self, content: bytes, path: str) -> None:
        """Store an image's original bytes; `settle` makes them survive a power cut.

        Parameters
        ----------
        content : bytes
            The file's bytes.
        path : str
            Its path in the manifests; the file name is its hash and suffix.
        """

    def holds(self, path: str, size: int | None) -> bool:
        """Return whether an image exists, and has this many bytes if a size is given."""

    def settle(self) -> None:
        """Wait until every image stored so far is safely in its place."""

    def gather(self) -> None:
        """Take over the images that other processes of the command added, once they ended."""

    def places(self, paths: pa.Array) -> pa.Array:
        """Return where images lie; images that are read together have neighboring places.

        Parameters
        ----------
        paths : pa.Array
            Their paths in the manifests, or absolute paths of other files.

        Returns
        -------
        pa.Array
            Strings to pass to `read`.
        """

    def sweep(self) -> None:
        """Remove what a killed writer left unfinished; call it with the lock held."""
