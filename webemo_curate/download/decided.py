"""Tell whether an outcome of earlier settings is the one that the present settings would give.

A manifest names the settings it was made by, so no row of it may have been decided by others. What
another setting may have decided otherwise is asked for again, and nothing else.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from webemo_curate.download.outcome import FetchOutcome
from webemo_curate.verdicts import FetchStatus

Test = Callable[[FetchOutcome, Any], bool]
"""Tells of an outcome and the new value whether the outcome is the same under it."""

ENDED = frozenset(
    {FetchStatus.OK, FetchStatus.PLACEHOLDER, FetchStatus.NOT_FOUND, FetchStatus.GONE}
)
"""Outcomes that following more redirects would not change."""


@dataclass(frozen=True)
class Deciding:
    """The outcomes that a setting decides.

    Attributes
    ----------
    wider
        Which outcomes stand when it allows more than before.
    narrower
        Which outcomes stand when it allows less.
    """

    wider: Test
    narrower: Test


def _is_not(status: FetchStatus) -> Test:
    return lambda outcome, _: outcome.status != status


def _is_direct(outcome: FetchOutcome, _: Any) -> bool:
    return outcome.http_status is None or outcome.final_url == outcome.url


FOLLOWING = Deciding(lambda outcome, _: outcome.status in ENDED, _is_direct)
SETTINGS: Mapping[str, Deciding] = {
    "ignore_robots": Deciding(_is_not(FetchStatus.ROBOTS), lambda *_: False),
    "allow_private": FOLLOWING,
    "max_redirects": FOLLOWING,
    "max_bytes": Deciding(
        _is_not(FetchStatus.TOO_LARGE), lambda outcome, bound: (outcome.bytes or 0) <= bound
    ),
    "max_pixels": Deciding(
        _is_not(FetchStatus.TOO_LARGE), lambda outcome, _: outcome.sha256 is None
    ),
}
"""By field of `FetchConfig`; `limit` chooses URLs, `placeholder_urls` is applied to all anew."""


def stands_under(outcome: FetchOutcome, before: Mapping[str, Any], now: Mapping[str, Any]) -> bool:
    """Tell whether an outcome is what other settings would have brought.

    Parameters
    ----------
    outcome : FetchOutcome
        As it was found.
    before, now : mapping of str to Any
        The fetch stage's configuration then and now; a setting that `before` lacks is unknown.

    Returns
    -------
    bool
        False if the URL is to be asked for again.
    """
    for name, deciding in SETTINGS.items():
        old, new = before.get(name), now[name]
        if type(old) not in (int, bool):
            return False
        if old == new:
            continue
        stands = deciding.wider if new > old else deciding.narrower
        if not stands(outcome, new):
            return False
    return True
