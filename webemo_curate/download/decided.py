"""Decide whether an outcome found under earlier settings still holds under the present ones.

A manifest names the settings it was made with, so each of its rows must be what these settings
give. A URL is requested again only if a changed setting may have changed its outcome.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from webemo_curate.download.outcome import FetchOutcome
from webemo_curate.storage.protocols import ImageStore
from webemo_curate.verdicts import FetchStatus
from webemo_curate.workspace import image_path

Test = Callable[[FetchOutcome, Any], bool]
"""Takes an outcome and a setting's new value; returns whether the outcome stays the same."""

ENDED = frozenset(
    {FetchStatus.OK, FetchStatus.PLACEHOLDER, FetchStatus.NOT_FOUND, FetchStatus.GONE}
)
"""Statuses that following more redirects would not change."""


@dataclass(frozen=True)
class Deciding:
    """Which outcomes stand when a setting changes.

    Attributes
    ----------
    wider
        Tells which outcomes stand when the setting now allows more.
    narrower
        Tells which outcomes stand when the setting now allows less.
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
"""By field of `FetchConfig`. Not listed: `limit`, which selects URLs, and `placeholder_urls`, which
is applied to all outcomes in each run."""


def is_stored(outcome: FetchOutcome, images: ImageStore) -> bool:
    """Return whether the picture of an outcome is stored, or it has none."""
    if outcome.sha256 is None:
        return True
    return images.holds(image_path(outcome.sha256, str(outcome.suffix)), outcome.bytes)


def stands_under(outcome: FetchOutcome, before: Mapping[str, Any], now: Mapping[str, Any]) -> bool:
    """Return whether an outcome found under other settings stands under the present ones.

    Parameters
    ----------
    outcome : FetchOutcome
        The outcome found earlier.
    before, now : mapping of str to Any
        The fetch stage's configuration then and now. A setting missing from `before` is unknown.

    Returns
    -------
    bool
        False if the URL must be requested again.
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
