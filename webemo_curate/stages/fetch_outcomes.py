"""Process all outcomes of a fetch together: summary, retries, placeholders."""

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import replace
from urllib.parse import urlsplit

from webemo_curate.download.outcome import RETRIED, STATUS_BY_CODE, FetchOutcome
from webemo_curate.errors import InputError
from webemo_curate.verdicts import FetchStatus

OWN = frozenset({FetchStatus.INTERNAL_ERROR})


def summary(outcomes: list[FetchOutcome], typed: Callable[[str], str]) -> list[str]:
    """Summarize how the downloads ended, and which command retries failures.

    Parameters
    ----------
    outcomes : list of FetchOutcome
        One outcome for each URL.
    typed : callable
        Formats a command for the workspace.

    Returns
    -------
    list of str
        One line for each status, the most frequent first; then the command, if it can help.
    """
    counts = Counter(outcome.status for outcome in outcomes)
    lines = [f"  {status:<13}{count:>9,}" for status, count in counts.most_common()]
    again = sorted(str(status) for status in counts.keys() & (RETRIED | OWN))
    if again:
        command = typed(f"fetch --retry-status {','.join(again)}")
        lines.append(f"  try again with: {command}")
    return lines


def retried_statuses(names: Iterable[str]) -> frozenset[str]:
    """Parse the statuses to retry.

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
        If one is neither; the message lists the valid ones.
    """
    known = {*map(str, FetchStatus), *map(str, STATUS_BY_CODE), "403", "500", "502", "504"}
    for name in names:
        if name not in known:
            raise InputError(
                f"--retry-status {name}: no such outcome; there are {', '.join(sorted(known))}"
            )
    return frozenset(names)


def mark_placeholders(outcomes: list[FetchOutcome], threshold: int) -> list[FetchOutcome]:
    """Mark images that many URLs of one host share: the host's placeholder for missing pictures.

    A picture found on many hosts is popular, not a placeholder. How many hosts have it grows with
    the number of URLs, which must not decide.

    Parameters
    ----------
    outcomes : list of FetchOutcome
        One outcome for each URL.
    threshold : int
        Number of URLs of a host from which a shared body is a placeholder.

    Returns
    -------
    list of FetchOutcome
        The same outcomes, with status `placeholder` instead of `ok` where it applies.
    """
    places = [
        (urlsplit(outcome.url).hostname, outcome.sha256)
        for outcome in outcomes
        if outcome.status is not FetchStatus.LOCAL
    ]
    counts = Counter(place for place in places if place[1])
    stand_ins = {sha256 for (_, sha256), count in counts.items() if count >= threshold}
    return [
        replace(outcome, status=FetchStatus.PLACEHOLDER) if outcome.sha256 in stand_ins else outcome
        for outcome in outcomes
    ]
