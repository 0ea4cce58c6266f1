"""Process all outcomes of a fetch together: summary, retries, placeholders."""

from collections import Counter
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc

from webemo_curate.download.outcome import RETRIED, STATUS_BY_CODE
from webemo_curate.errors import InputError
from webemo_curate.verdicts import FetchStatus

if TYPE_CHECKING:
    from webemo_curate.table_engine import TableEngine

OWN = frozenset({FetchStatus.INTERNAL_ERROR})


UNCHANGED = """
create table unchanged as -- the earlier row of a picture that was lost and came back unchanged:
    -- with new times the manifest would change, and everything made from it would run again
select * from outcomes semi join (select place, sha256 from outcomes where last)
    using (place, sha256)
where manifest
"""

FOUND = """
create view found as
select * from unchanged
union all
select * from outcomes where last and place not in (select place from unchanged)
"""

STAND_INS = """
create table stand_ins as -- pictures that many URLs of one host share: its placeholder for missing
    -- ones; a picture found on many hosts is popular: how many have it grows with the URLs
with heavy as ( -- by their hash first, which takes less memory
    select hash(host, sha256) as pair from found where host is not null
    group by pair having count(*) >= $threshold
)
select distinct sha256 from found
where host is not null and hash(host, sha256) in (from heavy)
group by host, sha256 having count(*) >= $threshold
"""

ROWS = """
select * exclude (row, place, host, last, manifest)
    replace (if(sha256 in (from stand_ins), 'placeholder', status) as status)
from found order by url
"""


def manifest_rows(engine: "TableEngine", threshold: int) -> pa.Table:
    """Return each URL's outcome.

    Parameters
    ----------
    engine : TableEngine
        Its table `outcomes` is one of `known.Known.table`.
    threshold : int
        Number of URLs of a host from which a picture that they share is a placeholder.

    Returns
    -------
    pa.Table
        The manifest's columns, by URL, mapped from the disk.
    """
    engine.make(UNCHANGED)
    engine.make(FOUND)
    engine.make(STAND_INS, threshold=threshold)
    return engine.table(ROWS)


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
