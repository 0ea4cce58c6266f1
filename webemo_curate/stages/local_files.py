"""Take local files into the workspace by content; each row gets an outcome like a download's."""

import asyncio
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import chain, groupby, islice
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc

from webemo_curate.config import DecodingConfig, FetchConfig, ListingConfig
from webemo_curate.download.outcome import FetchOutcome
from webemo_curate.errors import InputError
from webemo_curate.imaging import Examiner, ExamineWorker
from webemo_curate.rooted import NotRegularError, read_regular
from webemo_curate.runner.conversation import until_a_callback_fails
from webemo_curate.sources.resolve import find_sources
from webemo_curate.sources.source import Source
from webemo_curate.system_faults import raise_system_fault
from webemo_curate.verdicts import FetchStatus
from webemo_curate.workspace import Workspace

if TYPE_CHECKING:
    import pyarrow.dataset as ds

WINDOW = 32
"""Files in memory at a time."""

COLUMNS = ["url", "source", "file", "problem"]
"""What a row that is no URL says of itself."""

Work = tuple[str, Source, Path | bytes | None]
"""The key in place of a row's URL, its source, and its picture's place."""

SETTLE_FILES = 2048
"""Number of files after which stored images are flushed to the disk; a multiple of `WINDOW`."""


@dataclass(frozen=True)
class LocalRows:
    """The rows of a listing that are not URLs.

    Attributes
    ----------
    files
        Source name and file, by the key in place of their URL.
    problems
        Reasons of bad rows.
    """

    files: Mapping[str, tuple[str, str]]
    problems: Mapping[str, str]

    @classmethod
    def of(cls, listing: "pa.Table | ds.Dataset") -> "LocalRows":
        """Find these rows in a listing, which is never in memory as a whole."""
        if not {"file", "problem"}.issubset(listing.schema.names):
            return cls({}, {})
        rows = [row for part in _rows_of_no_url(listing) for row in part.to_pylist()]
        return cls(
            {row["url"]: (row["source"], row["file"]) for row in rows if row["file"] is not None},
            {row["url"]: row["problem"] for row in rows if row["problem"] is not None},
        )

    def embedded(self) -> set[str]:
        """Return the keys of pictures whose bytes are inside a table."""
        return {url for url, (_, file) in self.files.items() if file.startswith("#")}

    def outcome_of_bad(self, url: str) -> FetchOutcome:
        """Return the outcome of a bad row."""
        return FetchOutcome(url, FetchStatus.BAD_ROW, error_class=self.problems[url])


def _rows_of_no_url(listing: "pa.Table | ds.Dataset") -> Iterator[pa.Table]:
    """Yield these rows of each row group; a scan over many groups would read far ahead."""
    import pyarrow.dataset as ds  # loads pandas, which workers need not wait for

    wanted = ds.field("file").is_valid() | ds.field("problem").is_valid()
    if isinstance(listing, pa.Table):
        yield listing.filter(wanted).select(COLUMNS)
        return
    for fragment in listing.get_fragments():
        for group in fragment.split_by_row_group():
            yield group.to_table(listing.schema, columns=COLUMNS, filter=wanted)


class Taker:
    """Takes local files into the workspace.

    Parameters
    ----------
    listing : ListingConfig
        Names the sources; says whether files may lie outside them, and whether to link files.
    fetch : FetchConfig
        Sets the size limit of files.
    decoding : DecodingConfig
        Sets the pixel limit of pictures.
    workspace : Workspace
        Stores the pictures.
    """

    def __init__(
        self,
        listing: ListingConfig,
        fetch: FetchConfig,
        decoding: DecodingConfig,
        workspace: Workspace,
    ) -> None:
        self._listing, self._fetch, self._workspace = listing, fetch, workspace
        self._max_pixels = decoding.max_pixels
        if listing.link:
            workspace.check_linking()

    def take(self, rows: Mapping[str, tuple[str, str]]) -> Iterator[FetchOutcome]:
        """Take in the files of rows; raise only if the machine lacks something.

        Parameters
        ----------
        rows : mapping of str to tuple of str and str
            See `LocalRows.files`.

        Yields
        ------
        FetchOutcome
            One outcome for each row, as soon as it is known.
        """
        works = self._works(rows)
        with Examiner(ExamineWorker(self._max_pixels)) as examiner, asyncio.Runner() as runner:
            while window := list(islice(works, WINDOW)):
                yield from runner.run(until_a_callback_fails(self._outcomes(window, examiner)))

    def check_some_are_there(self, rows: Mapping[str, tuple[str, str]]) -> None:
        """Raise if none of a table's files exists: they are then sought in the wrong folder.

        Parameters
        ----------
        rows : mapping of str to tuple of str and str
            All files of the listing; see `LocalRows.files`.

        Raises
        ------
        InputError
            Names the table, the folder and a file.
        """
        sources = {source.name: source for source in find_sources(self._listing)}
        for name, group in groupby(sorted(rows.values()), key=lambda row: row[0]):
            listed = sources[name].pictures([file for _, file in group]) if name in sources else ()
            pictures = (picture for _, picture in listed)
            first = next(pictures, None)
            # Bytes inside a table or a tar are not read twice.
            if isinstance(first, Path) and not any(map(_is_there, chain([first], pictures))):
                raise InputError(
                    f"{name}: none of its files is there (such as {first}); name their folder with "
                    "--files DIR"
                )

    async def _outcomes(self, window: list[Work], examiner: Examiner) -> list[FetchOutcome]:
        return await asyncio.gather(*(self._outcome(*work, examiner) for work in window))

    def _works(self, rows: Mapping[str, tuple[str, str]]) -> Iterator[Work]:
        """Yield the files to take in, source by source."""
        sources = {source.name: source for source in find_sources(self._listing)}
        ordered = sorted(rows.items(), key=lambda row: row[1])
        for name, group in groupby(ordered, key=lambda row: row[1][0]):
            if name not in sources:
                raise InputError(f"{name}: is listed and no source any more; run without --only")
            missing = {file: url for url, (_, file) in group}
            for file, picture in sources[name].pictures(list(missing)):
                yield missing.pop(file), sources[name], picture
            yield from ((url, sources[name], None) for url in missing.values())

    async def _outcome(
        self, url: str, source: Source, picture: Path | bytes | None, examiner: Examiner
    ) -> FetchOutcome:
        started = datetime.now(UTC)
        try:
            content = self._read(source, picture)
        except _NotTakenError as error:
            now = datetime.now(UTC)
            return FetchOutcome(url, error.status, None, str(error), 1, started, now)
        finding = await examiner.examine(content)
        sha256 = self._store(content, finding.suffix, picture) if finding.suffix else None
        return FetchOutcome(
            url=url,
            status=FetchStatus.LOCAL if finding.status is FetchStatus.OK else finding.status,
            error_class=finding.reason,
            attempts=1,
            started=started,
            finished=datetime.now(UTC),
            bytes=len(content),
            sha256=sha256,
            suffix=finding.suffix,
        )

    def _read(self, source: Source, picture: Path | bytes | None) -> bytes:
        if picture is None:
            raise _NotTakenError(FetchStatus.NOT_FOUND, "the row has no bytes")
        if isinstance(picture, Path):
            try:
                self._check_inside(source, picture)
                picture = read_regular(picture, self._fetch.max_bytes + 1)
            except OSError as error:
                raise_system_fault(error, str(picture))
                raise _NotTakenError(_status_of(error), error.strerror or str(error)) from error
        if len(picture) > self._fetch.max_bytes:
            raise _NotTakenError(FetchStatus.TOO_LARGE, f"over {self._fetch.max_bytes} bytes")
        return picture

    def _check_inside(self, source: Source, file: Path) -> None:
        """Raise if a link leads to a file outside the source, unless the user permitted this."""
        inside = file.resolve(strict=True).is_relative_to(source.root.resolve())
        if not (inside or self._listing.outside):
            raise _NotTakenError(
                FetchStatus.FORBIDDEN, "a link leads out of the folder (--outside)"
            )

    def _store(self, content: bytes, suffix: str, picture: Path | bytes | None) -> str:
        if self._listing.link and isinstance(picture, Path):
            return self._workspace.link_image(content, suffix, picture)
        return self._workspace.store_image(content, suffix)


class _NotTakenError(Exception):
    """A file that cannot become a picture of the collection."""

    def __init__(self, status: FetchStatus, reason: str) -> None:
        super().__init__(reason)
        self.status = status


def changed_files(workspace: Workspace, listing: ListingConfig) -> set[str]:
    """Find local files that have changed since they were taken in, by size and time.

    Parameters
    ----------
    workspace : Workspace
        Its `listing` and `fetch` are read.
    listing : ListingConfig
        Names the sources.

    Returns
    -------
    set of str
        The keys in place of their URLs. A missing file has not changed: its stored copy stays.
        Bytes inside a table change with the table, which makes the listing stale.
    """
    if not (workspace.has("listing") and workspace.has("fetch")):
        return set()
    if len(workspace.read("listing", ["file"])["file"].drop_null()) == 0:
        return set()
    rows = LocalRows.of(workspace.read("listing", ["url", "source", "file", "problem"])).files
    roots = {source.name: source.root for source in find_sources(listing)}
    fetch = workspace.read("fetch", ["url", "bytes", "finished", "status"])
    local = fetch.filter(pc.is_in(fetch["url"], pa.array(rows.keys(), pa.string())))
    return {
        row["url"]
        for row in local.to_pylist()
        for source, file in [rows[row["url"]]]
        if source in roots and _is_changed(roots[source] / file, row)
    }


def _is_changed(file: Path, row: Mapping[str, object]) -> bool:
    try:
        status = file.stat()
    except OSError:
        return False  # the stored copy stays
    finished = row["finished"]
    later = isinstance(finished, datetime) and status.st_mtime > finished.timestamp()
    appeared = row["status"] == FetchStatus.NOT_FOUND
    return appeared or later or row["bytes"] not in (None, status.st_size)


def _is_there(picture: Path | bytes | None) -> bool:
    return picture is not None and (not isinstance(picture, Path) or picture.exists())


def _status_of(error: OSError) -> FetchStatus:
    if isinstance(error, PermissionError):
        return FetchStatus.FORBIDDEN
    special = isinstance(error, IsADirectoryError | NotRegularError)
    return FetchStatus.NOT_IMAGE if special else FetchStatus.NOT_FOUND
