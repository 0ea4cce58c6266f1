"""Read the pictures beside img2dataset's tables: a folder of files or a tar for each shard."""

import tarfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Final, Self

from webemo_curate.errors import InputError
from webemo_curate.sources.folder_walk import MAX_FILE_BYTES
from webemo_curate.sources.source import Picture
from webemo_curate.system_faults import raise_system_fault

COLUMNS: Final = frozenset({"url", "key", "status"})
"""Columns by which img2dataset's tables are recognized."""

SUFFIXES: Final = (".jpg", ".png", ".webp")
"""What img2dataset writes."""

UNSOUND: Final = (OSError, tarfile.TarError, ValueError, OverflowError, MemoryError)
"""Errors that Python's reader raises on tars that others wrote; the last three by odd headers."""

CLOSED: Final = (".tfrecord",)
"""Output formats of img2dataset that are not supported."""


@dataclass(frozen=True)
class Shard:
    """Pictures named by the keys of a table's rows.

    Attributes
    ----------
    place
        The folder or the tar.
    suffix
        Suffix of the pictures.
    """

    place: Path
    suffix: str

    @classmethod
    def beside(cls, table: Path, columns: Iterable[str]) -> Self | None:
        """Find the pictures beside a table.

        Parameters
        ----------
        table : Path
            The table's path.
        columns : iterable of str
            Names of its columns.

        Returns
        -------
        Shard or None
            None if the table is not img2dataset's, or has no pictures beside it; its rows are then
            URLs.

        Raises
        ------
        InputError
            If the pictures are in an unsupported format, or the tar is unreadable.
        """
        if not COLUMNS.issubset(columns):
            return None
        folder, tar = table.with_suffix(""), table.with_suffix(".tar")
        if folder.is_dir():
            return cls(folder, _suffix(file.name for file in folder.iterdir()))
        if tar.is_file():
            with _open(tar) as members:
                return cls(tar, _suffix(member.name for member in members))
        for suffix in CLOSED:
            if table.with_suffix(suffix).exists():
                raise InputError(
                    f"{table.with_suffix(suffix)}: is not read; let img2dataset write the pictures "
                    "with --output_format files, webdataset or parquet"
                )
        return None

    def pictures(self, files: Iterable[str], root: Path) -> Iterator[Picture]:
        """Yield the pictures of files named `SHARD/KEY.SUFFIX`; see `Source.pictures`."""
        if self.place.is_dir():
            yield from ((file, root / file) for file in files)
            return
        wanted = {PurePosixPath(file).name: file for file in files}
        with _open(self.place) as members:
            for member in members:
                file = wanted.pop(member.name, None) if member.isfile() else None
                if file is not None:
                    yield file, _content(members, member)


@contextmanager
def _open(tar: Path) -> Iterator[tarfile.TarFile]:
    """Open a tar while the block runs; errors name the tar."""
    try:
        with tarfile.open(tar, "r:") as members:
            yield members
    except UNSOUND as error:
        raise_system_fault(error, str(tar))
        raise InputError(f"{tar}: no sound tar ({error}); get it again") from error


def _content(members: tarfile.TarFile, member: tarfile.TarInfo) -> bytes | None:
    """Return a member's bytes, cut one byte above the size limit."""
    stream = members.extractfile(member)
    return stream.read(MAX_FILE_BYTES + 1) if stream else None


def _suffix(names: Iterable[str]) -> str:
    return next((s for name in names if (s := PurePosixPath(name).suffix) in SUFFIXES), SUFFIXES[0])
