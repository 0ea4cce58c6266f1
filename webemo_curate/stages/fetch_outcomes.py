"""Process all outcomes of a fetch together: summary, retries, placeholders."""

from collections import Counter
from collections.abc import Callable, Iterable

import pyarrow as pa
import pyarrow.compute as pc

from webemo_curate.download.outcome import RETRIED, STATUS_BY_CODE
from webemo_curate.errors import InputError
from webemo_curate.verdicts import FetchStatus

OWN = frozenset({FetchStatus.INTERNAL_ERROR})


FOUND = """
with lasting as (
    select * from outcomes where last
), unchanged as ( -- the earlier row of a picture that was lost and came back unchanged: with
    -- new times the manifest would change, and everything made from it would run again
    select outcomes.* from outcomes semi join lasting using (place, sha256) where manifest
), found as (
    select * from unchanged union all select * from lasting anti join unchanged using (place)
), stand_ins as ( -- pictures that many URLs of one host share: its placeholder for missing ones;
    -- a picture found on many hosts is popular: how many have it grows with the number of URLs
    select distinct sha256 from found where host is not null
    group by host, sha256 having count(*) >= $threshold
)
select * exclude (row, place, host, last, manifest)
    replace (if(sha256 in (from stand_ins), 'placeholder', status) as status)
from found order by url
"""
"""Each URL's outcome, of the table that `known.Known.table` returns."""


def summary(found: pa.Table, typed: Callable[[str], str]) -> list[str]:
    """Summarize how the downloads ended, and which command retries failures.

    Parameters
    ----------
    found : pa.Table
        A row for each URL.
    typed : callable
        Formats a command for the workspace.

    Returns
    -------
    list of str
        One line for each status, the most frequent first; then the command, if it can help.
    """
    counted = found["status"].value_counts().to_pylist()
    counts = Counter({FetchStatus(each["values"]): each["counts"] for each in counted})
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


def own_faults(found: pa.Table) -> list[str]:
    """Return the errors of URLs that met a fault of this program."""
    rows = found.filter(pc.equal(found["status"], FetchStatus.INTERNAL_ERROR.value))
    return [str(said) for said in rows["error_class"].to_pylist()]
