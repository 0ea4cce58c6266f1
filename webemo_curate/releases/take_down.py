"""Taking pictures down: their tombstones, and all copies that go with them."""

import re
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from webemo_curate.errors import InputError
from webemo_curate.exports.removals import REMOVED, read_tombstones, tombstones, url_digest
from webemo_curate.parquet import seal
from webemo_curate.releases import files
from webemo_curate.releases.files import write_parquet
from webemo_curate.verification import TOMBSTONES
from webemo_curate.workspace import Workspace

HASH = re.compile(r"[0-9a-f]{64}")


def take_down(workspace: Workspace, wanted: Sequence[str], folder: Path) -> pa.Table:
    """Add tombstones to those of the workspace and of an earlier release.

    Parameters
    ----------
    workspace : Workspace
        Keeps them: no later release or export tells what was taken down.
    wanted : sequence of str
        SHA-256 of images, or URLs. All images of one duplicate cluster show one picture: they go
        together, with all URLs that served them.
    folder : Path
        Where a release may lie whose tombstones are kept too.

    Returns
    -------
    pa.Table
        All tombstones, schema `removals.REMOVED`.

    Raises
    ------
    InputError
        If something wanted is neither an image nor a URL of the workspace.
    """
    known = tombstones(workspace)
    earlier = folder / files.REMOVED
    if earlier.is_file():
        known = pa.concat_tables([known, read_tombstones(earlier)])
    new = [row for one in wanted for row in _stones(workspace, one)]
    now = datetime.now(UTC).replace(microsecond=0)
    added = pa.Table.from_pylist([row | {"removed": now} for row in new], schema=REMOVED)
    everything = _distinct(pa.concat_tables([known, added]))
    if everything != tombstones(workspace):
        with workspace.store.writing(TOMBSTONES) as partial:
            write_parquet(everything, partial)
            seal(partial)
    return everything


def _stones(workspace: Workspace, wanted: str) -> list[dict[str, str]]:
    """Return the tombstones of one request: the picture's images, and the URLs of each."""
    fetched = workspace.read("fetch", ["url", "sha256"])
    column = "sha256" if HASH.fullmatch(wanted.lower()) else "url"
    value = wanted.lower() if column == "sha256" else wanted
    found = fetched.filter(pc.equal(fetched[column], value))
    if not found.num_rows:
        raise InputError(
            f"--remove {wanted}: no image or URL of {workspace.where('fetch')}; give the SHA-256 "
            "of an image as 64 hex digits, or a URL as listed"
        )
    hashes = _copies(workspace, set(found["sha256"].drop_null().to_pylist()))
    served = fetched.filter(pc.is_in(fetched["sha256"], pa.array(sorted(hashes), pa.string())))
    urls = {*served["url"].to_pylist(), *found["url"].to_pylist()}
    return [
        *({"sha256": sha256} for sha256 in hashes),
        *({"url_sha256": url_digest(url)} for url in urls),
    ]


def _copies(workspace: Workspace, hashes: set[str]) -> set[str]:
    """Return images with all that show the same picture."""
    members = workspace.read("duplicates", ["sha256", "cluster"])
    given = pa.array(sorted(hashes), pa.string())
    clusters = members.filter(pc.is_in(members["sha256"], given))["cluster"].unique()
    return hashes | set(
        members.filter(pc.is_in(members["cluster"], clusters))["sha256"].to_pylist()
    )


def _distinct(stones: pa.Table) -> pa.Table:
    """Return each tombstone once, with the earliest date, in the order of the hashes."""
    first = stones.group_by(["sha256", "url_sha256"]).aggregate([("removed", "min")])
    named = first.rename_columns(["sha256", "url_sha256", "removed"])
    return named.sort_by([("sha256", "ascending"), ("url_sha256", "ascending")]).cast(REMOVED)
