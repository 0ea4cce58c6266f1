"""The fetch stage: every distinct URL once, with a typed outcome."""

import logging
from collections.abc import Callable, Collection
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, ClassVar

import pyarrow as pa

from webemo_curate import gates
from webemo_curate.config import DecodingConfig, FetchConfig, ListingConfig
from webemo_curate.download.decided import stands_under
from webemo_curate.download.journal import Entry, Journal
from webemo_curate.download.outcome import FetchOutcome
from webemo_curate.download.record import Known, Record
from webemo_curate.own_faults import warn_of_own
from webemo_curate.progress import ProgressBar
from webemo_curate.sampling import hash_order
from webemo_curate.schemas import FETCH
from webemo_curate.stages.fetch_outcomes import mark_placeholders, retried_statuses, summary
from webemo_curate.stages.local_files import SETTLE_FILES, LocalRows, Taker, changed_files
from webemo_curate.stages.stage import Stage, StageContext, Tables
from webemo_curate.verdicts import FetchStatus
from webemo_curate.workspace import CHECKPOINTS, Workspace

if TYPE_CHECKING:
    from webemo_curate.imaging import ExamineWorker

ORDER_SEED = 0
JOURNALS = f"{CHECKPOINTS}/fetch"
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

    def run(self, tables: Tables, context: StageContext) -> dict[str, pa.Table]:
        """Fetch the selected URLs; see `Stage.run`."""
        from webemo_curate.download.addresses import check_mirror
        from webemo_curate.download.certificates import trusted
        from webemo_curate.download.proxies import check_proxies

        check_mirror(self.config.mirror)
        local = LocalRows.of(tables["listing"])
        listed = self._selected(tables["listing"]["url"].unique().to_pylist())
        bad = [local.outcome_of_bad(url) for url in listed if url in local.problems]
        urls = [url for url in listed if url not in local.problems]
        if any(url not in local.files for url in urls):
            check_proxies()
            trusted()  # missing certificates are one error now, not an error of each URL
        journal = Journal(context.workspace.store, JOURNALS, self.configuration())
        before = self._before(context.workspace, local)
        known = self._known(before, context.workspace, journal)
        if any(known.due(urls, number) for number in self._passes):
            there = len(urls) - len(known.due(urls, 1))
            with journal, ProgressBar(len(urls), self.name, "URL", there) as bar:
                record = Record(known, journal, bar)
                self._take_files(local, urls, context.workspace, known, record)
                if web := [url for url in urls if url not in local.files]:
                    self._download(web, context, known, record)
                record.settle(context.workspace)
        ended = [_as_before(known.outcomes[url], before.get(url)) for url in urls] + bad
        outcomes = mark_placeholders(ended, self.config.placeholder_urls)
        for line in summary(outcomes, context.workspace.typed):
            logger.info("%s", line)
        own = (o for o in outcomes if o.status is FetchStatus.INTERNAL_ERROR)
        warn_of_own((str(outcome.error_class) for outcome in own), "URLs or files")
        return {"fetch": _table(outcomes)}

    @property
    def _passes(self) -> range:
        return range(1, self.config.passes + 1)

    def _selected(self, urls: list[str]) -> list[str]:
        """Return URLs in hash order, so that the first N are always a fair sample of the lists."""
        numbers = hash_order(ORDER_SEED, self.name, urls)
        ordered = [url for _, url in sorted(zip(numbers.tolist(), urls, strict=True))]
        return ordered[: self.config.limit]

    def _before(self, workspace: Workspace, local: LocalRows) -> dict[str, FetchOutcome]:
        """Return the manifest's valid outcomes whose pictures are stored, by URL.

        Local files that have changed are read again; so are pictures inside tables.
        """
        again = retried_statuses(self.config.retry_status)
        info, now = workspace.info(self.name), self.configuration()
        if info is None:
            return {}
        changed = changed_files(workspace, self._listing) | local.embedded()
        return {
            outcome.url: replace(outcome, status=_own_status(outcome))
            for outcome in _manifest_outcomes(workspace)
            if outcome.url not in changed
            and not _is_among(outcome, again)
            and stands_under(outcome, info.origin.configuration, now)
        }

    def _known(
        self, before: dict[str, FetchOutcome], workspace: Workspace, journal: Journal
    ) -> Known:
        """Return outcomes whose pictures are stored: earlier ones, then those of a killed run."""
        again, now = retried_statuses(self.config.retry_status), self.configuration()
        stands = self._stands
        settled, unsettled = journal.read()
        standing = [entry for entry in settled if stands(entry.outcome, workspace)]
        standing += [entry for entry in unsettled if _is_whole(entry.outcome, workspace)]
        standing.sort(key=_found_at)  # several processes may have written of one URL
        return Known(
            self._found(before.values(), workspace),
            [
                entry
                for entry in standing
                if not _is_among(entry.outcome, again)
                and stands_under(entry.outcome, entry.decided_by, now)
            ],
        )

    @property
    def _stands(self) -> Callable[[FetchOutcome, Workspace], bool]:
        return _is_whole if self.config.repair else _stands

    def _found(
        self, outcomes: Collection[FetchOutcome], workspace: Workspace
    ) -> list[FetchOutcome]:
        """Return the valid outcomes; a progress bar is shown if pictures must be read for this."""
        found = []
        with ProgressBar(len(outcomes), "stored pictures", "URL") as bar:
            for outcome in outcomes:
                if self._stands(outcome, workspace):
                    found.append(outcome)
                bar.update()
        return found

    def _take_files(
        self, local: LocalRows, urls: list[str], workspace: Workspace, known: Known, record: Record
    ) -> None:
        """Take in the local files that a killed run has not."""
        due = {url: local.files[url] for url in known.due(urls, 1) if url in local.files}
        if not due:
            return
        taker = Taker(self._listing, self.config, self._decoding, workspace)
        if len(due) == sum(url in local.files for url in urls):
            taker.check_some_are_there(due)
        for number, outcome in enumerate(taker.take(due), 1):
            record.add(outcome)
            if number % SETTLE_FILES == 0:
                record.settle(workspace)

    def _download(
        self, urls: list[str], context: StageContext, known: Known, record: Record
    ) -> None:
        from webemo_curate.download.web_fetch import WebFetch
        from webemo_curate.imaging import ExamineWorker

        worker = self._worker or ExamineWorker(self._decoding.max_pixels)
        settings = self.configuration()
        web = WebFetch(self.config, worker, context.workspace, known, record, JOURNALS, settings)
        web.run(urls, context.runner)


def _table(outcomes: list[FetchOutcome]) -> pa.Table:
    columns = {}
    for field in FETCH:
        kind = field.type.value_type if pa.types.is_dictionary(field.type) else field.type
        columns[field.name] = pa.array([getattr(o, field.name) for o in outcomes], kind)
    return pa.table(columns)


def _manifest_outcomes(workspace: Workspace) -> list[FetchOutcome]:
    columns = [column.to_pylist() for column in workspace.read(FetchStage.name).columns]
    rows = (FetchOutcome(*values) for values in zip(*columns, strict=True))
    return [replace(row, status=FetchStatus(row.status)) for row in rows]


def _as_before(outcome: FetchOutcome, before: FetchOutcome | None) -> FetchOutcome:
    """Return the earlier row of a picture that was lost and has been fetched again unchanged.

    With new times the manifest would change, and everything made from it would run again.
    """
    if before is None or outcome.sha256 is None or outcome.sha256 != before.sha256:
        return outcome
    return before


def _own_status(row: FetchOutcome) -> FetchStatus:
    """Return the status of a URL by itself; placeholders are determined anew from all URLs."""
    stored = row.status == FetchStatus.PLACEHOLDER and row.sha256 is not None
    return FetchStatus.OK if stored else row.status


def _found_at(entry: Entry) -> datetime:
    return entry.outcome.finished or datetime.min.replace(tzinfo=UTC)


def _is_among(outcome: FetchOutcome, statuses: frozenset[str]) -> bool:
    return outcome.status in statuses or str(outcome.http_status) in statuses - {"200"}


def _stands(outcome: FetchOutcome, workspace: Workspace) -> bool:
    """Return whether an outcome is still valid: a failure, or an image that is stored."""
    if outcome.sha256 is None:
        return True
    path = workspace.image_path(outcome.sha256, str(outcome.suffix))
    return workspace.images.holds(path, outcome.bytes)


def _is_whole(outcome: FetchOutcome, workspace: Workspace) -> bool:
    """Return the same for an image that a power cut may have torn, by reading its bytes."""
    return outcome.sha256 is None or workspace.holds_image(outcome.sha256, str(outcome.suffix))
