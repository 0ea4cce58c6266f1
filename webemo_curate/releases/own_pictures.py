"""Released pictures that a user has already: found by content in a folder or a table."""

import hashlib
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from webemo_curate.config import DecodingConfig, ListingConfig
from webemo_curate.errors import InputError
from webemo_curate.imaging import DecodeError, Examiner, ExamineWorker, read_file
from webemo_curate.listing_keys import file_of
from webemo_curate.progress import ProgressBar
from webemo_curate.sources.labels import LabelReader
from webemo_curate.sources.resolve import find_sources
from webemo_curate.sources.source import BadRows, ReadOptions, Source
from webemo_curate.system_faults import raise_system_fault
from webemo_curate.verdicts import FetchStatus, Split
from webemo_curate.workspace import Workspace

Row = dict[str, Any]

Found = dict[str, Row]
"""Rows as the fetch manifest has them, by the hash that was released."""


class OwnPictures:
    """Takes released pictures from files of the user's own.

    Parameters
    ----------
    place : Path
        A folder of pictures, or a table of files or of their bytes; see `sources.resolve`.
    decoding : DecodingConfig
        Bound of a picture's pixels.
    scratch : Workspace
        Keeps what is found.
    """

    def __init__(self, place: Path, decoding: DecodingConfig, scratch: Workspace) -> None:
        listing = ListingConfig(source=(place,), on_bad_row="skip")
        self._sources = find_sources(listing)
        self._reading = ReadOptions(listing, LabelReader(None), BadRows(skip=True))
        self._place, self._scratch = place, scratch
        self._worker = ExamineWorker(decoding.max_pixels)

    def find(self, released: Mapping[str, str]) -> Found:
        """Look for released images.

        Parameters
        ----------
        released : mapping of str to str
            URL of each image by its hash; of one that was a local file what stands for it.

        Returns
        -------
        dict of str to dict
            Of each image whose very bytes are there, and of each local file of whose name another
            picture is there.
        """
        by_file = {file: sha256 for sha256, url in released.items() if (file := file_of(url))}
        found: Found = {}
        named: Found = {}
        for file, content in self._contents():
            sha256 = hashlib.sha256(content).hexdigest()
            if sha256 in released and sha256 not in found:
                found[sha256] = self._taken(content, sha256, released[sha256])
            if (meant := by_file.get(file)) is not None and meant != sha256:
                named.setdefault(meant, self._taken(content, sha256, released[meant]))
        return named | found

    def _contents(self) -> Iterator[tuple[str, bytes]]:
        """Yield every picture that can be read, with its file's name."""
        for source in self._sources:
            files = list(dict.fromkeys(self._files(source)))
            with ProgressBar(len(files), "pictures", "file") as bar:
                for file, picture in source.pictures(files):
                    bar.update()
                    if isinstance(picture, Path):
                        picture = _content(picture)
                    if picture is not None:
                        yield file, picture

    def _files(self, source: Source) -> Iterator[str]:
        listed = False
        for batch in source.batches(self._reading):
            files = batch["file"].drop_null().to_pylist()
            listed = listed or bool(files)
            yield from files
        if not listed:
            raise InputError(
                f"{self._place}: lists no local pictures; give --pictures a folder of pictures, or "
                "a table of files"
            )

    def _taken(self, content: bytes, sha256: str, url: str) -> Row:
        return _taken(self._scratch, self._worker, content, sha256, url)


def kept_pictures(
    workspace: Workspace, decoding: DecodingConfig, scratch: Workspace, released: Mapping[str, str]
) -> Found:
    """Look for local files among the pictures that an earlier rebuild has taken.

    Parameters
    ----------
    workspace : Workspace
        Where it was rebuilt, if it was.
    decoding : DecodingConfig
        Bound of a picture's pixels.
    scratch : Workspace
        Keeps what is found.
    released : mapping of str to str
        As for `OwnPictures.find`.

    Returns
    -------
    dict of str to dict
        Of each local file whose very bytes are there.
    """
    worker = ExamineWorker(decoding.max_pixels)
    found: Found = {}
    files = {sha256 for sha256, url in released.items() if file_of(url) is not None}
    for split in filter(workspace.has, Split):
        for row in workspace.read(split, ["sha256", "path"]).to_pylist():
            sha256 = row["sha256"]
            if sha256 not in files:
                continue
            try:
                content = workspace.read_image(row["path"])
            except OSError as error:  # lost or spoiled: then it is not found
                raise_system_fault(error, row["path"])
                continue
            found[sha256] = _taken(scratch, worker, content, sha256, released[sha256])
    return found


def _taken(scratch: Workspace, worker: ExamineWorker, content: bytes, sha256: str, url: str) -> Row:
    """Store a picture; return what the fetch manifest would say of it."""
    with Examiner(worker) as examiner:
        finding = examiner.examine_now(content)
    if finding.suffix:
        scratch.store_image(content, finding.suffix)
    row = missing_row(url)
    row |= {"suffix": finding.suffix, "bytes": len(content)}
    ok = finding.status is FetchStatus.OK
    return row | {
        "status": FetchStatus.LOCAL if ok else finding.status,
        "sha256": sha256 if ok else None,
    }


def missing_row(url: str) -> Row:
    """Return what the fetch manifest would say of a local file that is not there."""
    empty = dict.fromkeys(("http_status", "sha256", "suffix", "bytes"))
    return empty | {"url": url, "status": FetchStatus.NOT_FOUND, "finished": datetime.now(UTC)}


def _content(file: Path) -> bytes | None:
    """Return a file's bytes; None if they cannot be a picture's."""
    try:
        return read_file(file)
    except DecodeError:
        return None
