"""Stored pictures, each held against its hash as it is read."""

import errno
import hashlib
import io
import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pyarrow as pa

from webemo_curate.errors import CurateError, InputError
from webemo_curate.remedies import bringing_back
from webemo_curate.rooted import below
from webemo_curate.storage.folder import FolderStore
from webemo_curate.storage.image_files import ImageFiles
from webemo_curate.storage.neighbor_files import NeighborReader
from webemo_curate.system_faults import raise_system_fault
from webemo_curate.workspace import Workspace


class Pictures:
    """The pictures of a workspace, from files or from shards.

    Parameters
    ----------
    workspace : Workspace
        Holds them.
    """

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self._links_fail = False

    def of(self, rows: pa.Table) -> Iterator[bytes]:
        """Yield the bytes of each row's picture; one is in memory at a time.

        Parameters
        ----------
        rows : pa.Table
            Columns `path` and `sha256`.

        Yields
        ------
        bytes
            In the order of the rows.

        Raises
        ------
        CurateError
            If a picture is missing or changed; names it.
        """
        places = self._workspace.images.places(rows["path"].combine_chunks()).to_pylist()
        with self._reading() as read:
            for place, sha256 in zip(places, rows["sha256"].to_pylist(), strict=True):
                try:
                    content = read(place)
                except OSError as error:
                    raise_system_fault(error, place)
                    raise CurateError(
                        f"{self._where(place)}: the picture is missing; {self._remedy}"
                    ) from error
                if hashlib.sha256(content).hexdigest() != sha256:
                    raise self._changed(place)
                yield content

    @contextmanager
    def _reading(self) -> Iterator[Callable[[str], bytes]]:
        """Give what reads places, those of files as neighbors: rows are in the order of hashes."""
        images = self._workspace.images
        if not isinstance(images, ImageFiles):
            yield images.read
            return
        with NeighborReader(images.root) as files:
            yield lambda place: (images if place.startswith("/") else files).read(place)

    def _changed(self, place: str) -> CurateError:
        """Return the error of a picture whose bytes are not those of its hash."""
        return CurateError(
            f"{self._where(place)}: the picture's bytes have changed; {self._remedy}"
        )

    def put(self, rows: pa.Table, files: Iterable[Path]) -> Iterator[None]:
        """Bring each row's picture to a file: by hard link where that can be, else as a copy.

        Parameters
        ----------
        rows : pa.Table
            Columns `path` and `sha256`.
        files : iterable of Path
            One a row, none of them there.

        Yields
        ------
        None
            After each.

        Raises
        ------
        CurateError
            If a picture is missing or changed; names it.
        """
        for row, file in zip(rows.select(["path", "sha256"]).to_pylist(), files, strict=True):
            if not self._link(row["path"], row["sha256"], file):
                (content,) = self.of(pa.Table.from_pylist([row]))
                file.write_bytes(content)
            yield

    def _link(self, path: str, sha256: str, file: Path) -> bool:
        """Link a stored file, and hold what is linked against its hash; False if it cannot be."""
        if not isinstance(self._workspace.store, FolderStore) or self._links_fail:
            return False
        try:
            os.link(below(self._workspace.root, path), file)
        except (FileNotFoundError, InputError):
            return False  # reading it says what is missing, or that a link leads away
        except OSError as error:
            raise_system_fault(error, str(file))
            self._links_fail = error.errno == errno.EXDEV  # another device: no link will do
            return False
        with io.FileIO(file) as stream:
            digest = hashlib.sha256(stream.readall()).hexdigest()
        if digest != sha256:
            raise self._changed(path)
        return True

    @property
    def _remedy(self) -> str:
        return bringing_back(self._workspace.images.home)

    def _where(self, place: str) -> str:
        return self._workspace.store.where(place)
