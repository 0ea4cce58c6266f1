"""The fetch stage: every distinct URL once, with a typed outcome."""

import logging
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Any, ClassVar, Final

import pyarrow as pa

from webemo_curate import gates
from webemo_curate.config import DecodingConfig, FetchConfig, ListingConfig
from webemo_curate.download.decided import is_stored, stands_under
from webemo_curate.download.journal import Entry, Journal
from webemo_curate.download.known import Known
from webemo_curate.download.listed_urls import THREADS, ListedUrls, Mask, url_bytes
from webemo_curate.download.outcome import FetchOutcome
from webemo_curate.download.outcome_rows import outcomes
from webemo_curate.download.record import Record
from webemo_curate.own_faults import warn_of_own
from webemo_curate.progress import ProgressBar
from webemo_curate.schemas import FETCH
from webemo_curate.stages.fetch_outcomes import (
    manifest_rows,
    own_faults,
    retried_statuses,
    summary,
)
from webemo_curate.stages.local_files import SETTLE_FILES, LocalRows, Taker, changed_files
from webemo_curate.stages.stage import Stage, StageContext, Tables
from webemo_curate.table_engine import TableEngine
from webemo_curate.verdicts import FetchStatus
from webemo_curate.workspace import CHECKPOINTS, Workspace

if TYPE_CHECKING:
    from webemo_curate.imaging import ExamineWorker

ORDER_SEED = 0
JOURNALS = f"{CHECKPOINTS}/fetch"

OUTCOME_SORTING_BYTES: Final = 256 * 2**20
BYTES_AN_OUTCOME: Final = 25
"""Bytes within which outcomes are sorted where nobody says: the larger of the two. Ten million
need about as much; URLs by themselves need less, see `listed_urls.url_bytes`."""

logger = logging.getLogger(__name__)


class FetchStage(Stage[FetchConfig]):
    """Downloads listed URLs that earlier runs have not brought, and takes in local files.

    Parameters
    ----------
    config : FetchConfig
        How URLs are downloaded; its limits apply to local files too.
    decoding : DecodingConfig
        Which pictures are decoded.
    listing : ListingConfig, optional
        Where local files are, and how they are taken in.
    worker : ExamineWorker, optional
        Examines downloaded files; by default a plain `ExamineWorker`.
    """

    name = "fetch"
    version = 7
    inputs: ClassVar = {"listing": ("url", "source", "file", "problem")}
    gate = gates.FETCH
    outputs = ("fetch",)

    def __init__(
        self,
        config: FetchConfig,
        decoding: DecodingConfig,
        listing: ListingConfig | None = None,
        worker: "ExamineWorker | None" = None,
    ) -> None:
        super().__init__(config)
        self._decoding = decoding
        self._listing = listing or ListingConfig()
        self._worker = worker

    def configuration(self) -> dict[str, Any]:
        """Return the settings that can change the result, the pixel limit included."""
        return super().configuration() | self._decoding.fingerprint()

    def demand(self, workspace: Workspace) -> str | None:
        """Say why to run although current: a retry or repair was requested, or a file changed."""
        if self.config.retry_status or self.config.repair:
            return "it was asked for"
        return "local files have changed" if changed_files(workspace, self._listing) else None

    def load(self, workspace: Workspace) -> Tables:
        """Open the listing, which the engine reads as needed."""
        return {name: workspace.scan(name, columns) for name, columns in self.inputs.items()}

    def run(self, tables: Tables, context: StageContext) -> dict[str, pa.Table]:
        """Fetch the selected URLs; see `Stage.run`."""
        from webemo_curate.download.addresses import check_mirror

        check_mirror(self.config.mirror)
        memory = context.memory or _sorting_bytes(tables["listing"])
        made = {"outcomes": self._fetched(tables["listing"], memory, context)}
        with TableEngine(context.workspace.root, made, memory, THREADS) as engine:
            found = manifest_rows(engine, self.config.placeholder_urls)
        for line in summary(found, context.workspace.typed):
            logger.info("%s", line)
        warn_of_own(own_faults(found), "URLs or files")
        return {"fetch": found}

    def _fetched(self, listing: Any, memory: int, context: StageContext) -> pa.Table:
        """Return the outcomes of all URLs; see `Known.table`."""
        from webemo_curate.download.certificates import trusted
        from webemo_curate.download.proxies import check_proxies

        workspace = context.workspace
        sorting = url_bytes(_rows(listing), memory)
        with TableEngine(workspace.root, {"listing": listing}, sorting, THREADS) as engine:
            urls = ListedUrls(engine, ORDER_SEED, self.name, self.config.limit)
        local = LocalRows.of(listing)
        files, bad = urls.mask(local.files), urls.mask(local.problems)
        web = ~files & ~bad
        if web.any():
            check_proxies()
            trusted()  # missing certificates are one error now, not an error of each URL
        journal = Journal(workspace.store, JOURNALS, self.configuration())
        known = Known(urls, workspace.root)
        self._take_manifest(known, workspace, local)
        known.put_all(self._standing(journal.read(), workspace))
        for url in local.problems:
            known.put(Entry(local.outcome_of_bad(url), 1))
        total, left = len(urls) - int(bad.sum()), int(known.due(1).sum())
        if left or known.due(self.config.passes).any():
            with journal, ProgressBar(total, self.name, "URL", total - left) as bar:
                record = Record(known, journal, bar)
                self._take_files(local, int(files.sum()), workspace, known, record)
                if web.any():
                    self._download(web, memory, context, known, record)
                record.settle(workspace)
        return known.table()

    def _take_manifest(self, known: Known, workspace: Workspace, local: LocalRows) -> None:
        """Take the manifest's valid outcomes; a progress bar is shown if pictures must be read.

        Local files that have changed are read again; so are pictures inside tables.
        """
        again = retried_statuses(self.config.retry_status)
        info, now = workspace.info(self.name), self.configuration()
        if info is None:
            return
        changed = changed_files(workspace, self._listing) | local.embedded()
        with ProgressBar(info.rows, "stored pictures", "URL") as bar:
            for rows in workspace.batches(self.name, FETCH.names):
                for row in filter(None, outcomes(rows)):
                    outcome = replace(row, status=_own_status(row))
                    if (
                        outcome.url not in changed
                        and not _is_among(outcome, again)
                        and stands_under(outcome, info.origin.configuration, now)
                    ):
                        known.put_row(outcome, stands=self._stands(outcome, workspace))
                bar.update(rows.num_rows)

    def _standing(self, entries: Iterable[Entry], workspace: Workspace) -> Iterator[Entry]:
        """Yield the outcomes of a killed run that are valid and whose pictures are stored."""
        again, now = retried_statuses(self.config.retry_status), self.configuration()
        for entry in entries:
            stands = self._stands if entry.is_settled else _is_whole
            if (
                not _is_among(entry.outcome, again)
                and stands_under(entry.outcome, entry.decided_by, now)
                and stands(entry.outcome, workspace)
            ):
                yield entry

    @property
    def _stands(self) -> Callable[[FetchOutcome, Workspace], bool]:
        return _is_whole if self.config.repair else _stands

    def _take_files(
        self, local: LocalRows, count: int, workspace: Workspace, known: Known, record: Record
    ) -> None:
        """Take in the local files, of so many, that a killed run has not."""
        due = {url: file for url, file in local.files.items() if known.is_due(url, 1)}
        if not due:
            return
        taker = Taker(self._listing, self.config, self._decoding, workspace)
        if len(due) == count:
            taker.check_some_are_there(due)
        for number, outcome in enumerate(taker.take(due), 1):
            record.add(outcome)
            if number % SETTLE_FILES == 0:
                record.settle(workspace)

    def _download(
        self, web: Mask, memory: int, context: StageContext, known: Known, record: Record
    ) -> None:
        from webemo_curate.download.web_fetch import WebFetch
        from webemo_curate.imaging import ExamineWorker

        worker = self._worker or ExamineWorker(self._decoding.max_pixels)
        fetching = WebFetch(
            config=self.config,
            worker=worker,
            workspace=context.workspace,
            memory=memory,
            chosen=web,
            known=known,
            record=record,
            journals=JOURNALS,
            decided_by=self.configuration(),
        )
        fetching.run(context.runner)


def _sorting_bytes(listing: Any) -> int:
    """Return the memory in which outcomes of a listing, a table or a Dataset, are sorted."""
    return max(OUTCOME_SORTING_BYTES, BYTES_AN_OUTCOME * _rows(listing))


def _rows(listing: Any) -> int:
    return int(listing.num_rows if isinstance(listing, pa.Table) else listing.count_rows())


def _own_status(row: FetchOutcome) -> FetchStatus:
    """Return the status of a URL by itself; placeholders are determined anew from all URLs."""
    stored = row.status == FetchStatus.PLACEHOLDER and row.sha256 is not None
    return FetchStatus.OK if stored else row.status


def _is_among(outcome: FetchOutcome, statuses: frozenset[str]) -> bool:
    return outcome.status in statuses or str(outcome.http_status) in statuses - {"200"}


def _stands(outcome: FetchOutcome, workspace: Workspace) -> bool:
    """Return whether an outcome is still valid: a failure, or an image that is stored."""
    return is_stored(outcome, workspace.images)


def _is_whole(outcome: FetchOutcome, workspace: Workspace) -> bool:
    """Return the same for an image that a power cut may have torn, by reading its bytes."""
    return outcome.sha256 is None or workspace.holds_image(outcome.sha256, str(outcome.suffix))
