"""The fetch stage: every distinct URL once, with a typed outcome."""

import asyncio
from collections import Counter
from collections.abc import Callable, Coroutine, Iterable
from dataclasses import asdict, replace
from typing import TYPE_CHECKING

import pyarrow as pa

from webemo_curate.config import FetchConfig
from webemo_curate.download.journal import Journal
from webemo_curate.download.outcome import STATUS_BY_CODE, Outcome
from webemo_curate.draw import hash_order
from webemo_curate.errors import InputError
from webemo_curate.progress import progress_bar
from webemo_curate.schemas import FETCH, FetchStatus
from webemo_curate.stages.base import Stage, StageContext, Tables
from webemo_curate.workspace import Workspace

if TYPE_CHECKING:
    from webemo_curate.download.client import Downloader

ORDER_SEED = 0
MAX_TASKS = 256
"""URLs under way at once over all hosts."""


class FetchStage(Stage[FetchConfig]):
    """Downloads what the listing names and earlier runs have not brought."""

    name = "fetch"
    inputs = ("listing",)
    outputs = ("fetch",)

    def demands_run(self) -> bool:
        """Run although current if some statuses are to be tried again."""
        return bool(self.config.retry_status)

    def run(self, tables: Tables, context: StageContext) -> dict[str, pa.Table]:
        """Fetch the selected URLs; see `Stage.run`."""
        from webemo_curate.download.addresses import check_mirror

        check_mirror(self.config.mirror)
        urls = self._selected(tables["listing"]["url"].unique().to_pylist())
        journal = Journal(context.workspace.data / "checkpoints" / self.name / "journal.jsonl")
        known = self._known(context.workspace, journal)
        missing = [url for url in urls if url not in known]
        if missing:
            with journal:
                for outcome in _run(self._download(missing, len(urls), context.workspace, journal)):
                    known[outcome.url] = outcome
        outcomes = mark_placeholders([known[url] for url in urls], self.config.placeholder_urls)
        return {"fetch": pa.Table.from_pylist([asdict(row) for row in outcomes], _PLAIN)}

    def _selected(self, urls: list[str]) -> list[str]:
        """Return URLs in hash order, so that any first N are a fair sample of the lists."""
        numbers = hash_order(ORDER_SEED, self.name, urls)
        ordered = [url for _, url in sorted(zip(numbers.tolist(), urls, strict=True))]
        return ordered[: self.config.limit]

    def _known(self, workspace: Workspace, journal: Journal) -> dict[str, Outcome]:
        """Return outcomes that stand: of the manifest, then of a run that was killed."""
        again = retried_statuses(self.config.retry_status)
        earlier = _manifest_outcomes(workspace) if workspace.has(self.name) else []
        known = {outcome.url: outcome for outcome in [*earlier, *journal.read()]}
        return {
            url: outcome
            for url, outcome in known.items()
            if not _is_among(outcome, again) and _stands(outcome, workspace)
        }

    async def _download(
        self, urls: list[str], total: int, workspace: Workspace, journal: Journal
    ) -> list[Outcome]:
        from webemo_curate.download.client import Downloader, open_session

        outcomes: list[Outcome] = []
        waiting = iter(urls)
        with progress_bar(total, self.name, "URL", total - len(urls)) as bar:

            def note(outcome: Outcome) -> None:
                journal.add(outcome)
                outcomes.append(outcome)
                bar.update()
                failed = sum(o.status is not FetchStatus.OK for o in outcomes[-MAX_TASKS:])
                bar.set_postfix(recently_failed=failed, refresh=False)

            async with open_session(self.config) as session, asyncio.TaskGroup() as group:
                client = Downloader(self.config, workspace, session)
                for _ in range(min(MAX_TASKS, len(urls))):
                    group.create_task(_drain(waiting, client, note))
        return outcomes


def retried_statuses(names: Iterable[str]) -> frozenset[str]:
    """Read the statuses to try again.

    Parameters
    ----------
    names : iterable of str
        Status names, or the HTTP codes 404, 410, 429, 503.

    Returns
    -------
    frozenset of str
        Status names, and codes as text.

    Raises
    ------
    InputError
        If one is neither; lists those there are.
    """
    known = {*map(str, FetchStatus), *map(str, STATUS_BY_CODE), "403", "500", "502", "504"}
    for name in names:
        if name not in known:
            raise InputError(
                f"--retry-status {name}: no such outcome; there are {', '.join(sorted(known))}"
            )
    return frozenset(names)


def mark_placeholders(outcomes: list[Outcome], threshold: int) -> list[Outcome]:
    """Mark images that many URLs share: the host's stand-in for what it no longer has.

    Parameters
    ----------
    outcomes : list of Outcome
        One a URL.
    threshold : int
        Number of URLs from which a body is a placeholder.

    Returns
    -------
    list of Outcome
        The same, with status `placeholder` in place of `ok` where it applies.
    """
    shared = Counter(outcome.sha256 for outcome in outcomes if outcome.sha256)
    return [
        replace(outcome, status=FetchStatus.PLACEHOLDER)
        if outcome.sha256 and shared[outcome.sha256] >= threshold
        else outcome
        for outcome in outcomes
    ]


_PLAIN = pa.schema(
    [
        (field.name, field.type.value_type if pa.types.is_dictionary(field.type) else field.type)
        for field in FETCH
    ]
)


def _run(work: Coroutine[None, None, list[Outcome]]) -> list[Outcome]:
    try:
        return asyncio.run(work)
    except BaseExceptionGroup as group:
        # A task that failed has stopped all others: its own error is what the user needs.
        raise group.exceptions[0] from None


async def _drain(
    waiting: Iterable[str], client: "Downloader", note: Callable[[Outcome], None]
) -> None:
    for url in waiting:
        note(await client.fetch(url))


def _manifest_outcomes(workspace: Workspace) -> list[Outcome]:
    rows = workspace.read(FetchStage.name).to_pylist()
    return [Outcome(**(row | {"status": FetchStatus(row["status"])})) for row in rows]


def _is_among(outcome: Outcome, statuses: frozenset[str]) -> bool:
    return outcome.status in statuses or str(outcome.http_status) in statuses - {"200"}


def _stands(outcome: Outcome, workspace: Workspace) -> bool:
    """Tell whether an outcome need not be sought again: a failure, or an image that is there."""
    if outcome.sha256 is None:
        return True
    file = workspace.root / workspace.image_path(outcome.sha256, str(outcome.suffix))
    return file.is_file() and file.stat().st_size == outcome.bytes
