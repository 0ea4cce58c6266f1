"""The tables of a release, made from a workspace's manifests."""

from typing import TYPE_CHECKING, Any, Final

import pyarrow as pa

from webemo_curate.accounting import accounts
from webemo_curate.exports.removals import url_digest
from webemo_curate.frames import to_frame
from webemo_curate.listing_keys import file_of
from webemo_curate.releases.files import DECISION_COLUMNS, IMAGE_COLUMNS
from webemo_curate.verdicts import DuplicateVerdict, FetchStatus, Split
from webemo_curate.workspace import Workspace

if TYPE_CHECKING:
    import pandas as pd

BEGIN: Final = """
create table told (
    url varchar, sha256 varchar, stage varchar, reason varchar, score double, threshold double
)
"""

URLS_LEFT: Final = """
insert into told
select url, sha256, $stage, reason, score, threshold from judged where reason is not null
"""

SERVED: Final = """
create table served as -- the URLs of each image
select url, sha256 from judged where reason is null
"""

IMAGES_LEFT: Final = """
insert into told
select served.url, sha256, $stage, reason, score, threshold from judged join served using (sha256)
where reason is not null
"""

LEFT: Final = """
select told.url, told.sha256, cluster as keeper, stage, reason, score, threshold
from told left join (select sha256, cluster from members where verdict <> $keeper) as copies
    using (sha256)
order by told.url
"""


def image_table(workspace: Workspace, removed: pa.Table) -> pa.Table:
    """Return what is released of every image of the final set.

    Parameters
    ----------
    workspace : Workspace
        All stages have run.
    removed : pa.Table
        Tombstones; what they name is left out.

    Returns
    -------
    pa.Table
        Schema `IMAGE_COLUMNS`, sorted by hash.
    """
    import pandas as pd

    parts = [to_frame(workspace.read(split)).assign(split=str(split)) for split in Split]
    rows = pd.concat(parts, ignore_index=True)
    facts = to_frame(workspace.read("images", ["sha256", "bytes", "pixel_hash", "phash"]))
    rows = rows.merge(facts, on="sha256").merge(_urls(workspace, removed), on="sha256", how="left")
    rows = rows[~rows["sha256"].isin(_hashes(removed))].sort_values("sha256")
    # A URL taken down is not told again; another that serves the picture stands for it.
    gone = rows["url"].map(url_digest).isin(_url_digests(removed))
    rows["url"] = rows["url"].mask(gone, rows["urls"].str[0])
    # `urls` are the others: most pictures have none, and the one URL need not be told twice.
    rows["urls"] = [
        [url for url in urls if url != first]
        for first, urls in zip(rows["url"], _lists(rows["urls"]), strict=True)
    ]
    # Most are related to none: their own hash, told a second time, would be a quarter of the file.
    rows["group"] = rows["group"].where(rows["group"] != rows["sha256"])
    return _table(rows.assign(url=rows["url"].map(told_url)), IMAGE_COLUMNS)


def told_url(url: str) -> str:
    """Return a URL as a release tells it: of a local file given by its whole path the name alone.

    The path would tell of the machine it was on; a picture is found again by its content.
    """
    file = file_of(url)
    if file is None or not file.startswith("/"):
        return url
    return url.removesuffix(file) + file.rpartition("/")[2]


def local_images(images: pa.Table) -> int:
    """Count the images of a release that no URL gives."""
    rows = images.select(["url", "urls"]).to_pylist()
    return sum(file_of(row["url"]) is not None and not row["urls"] for row in rows)


def decision_table(workspace: Workspace, removed: pa.Table) -> pa.Table:
    """Return why every other URL or file left: no text that OCR read, which may hold names.

    Parameters
    ----------
    workspace : Workspace
        All stages have run.
    removed : pa.Table
        Tombstones; what they name is left out.

    Returns
    -------
    pa.Table
        Schema `DECISION_COLUMNS`, sorted by URL.
    """
    rows = to_frame(_left(workspace))
    hashes = _hashes(removed)
    gone = rows["sha256"].isin(hashes) | rows["keeper"].isin(hashes)
    gone |= rows["url"].map(url_digest).isin(_url_digests(removed))
    kept = rows[~gone]
    return _table(kept.assign(url=kept["url"].map(told_url)), DECISION_COLUMNS)


def _urls(workspace: Workspace, removed: pa.Table) -> "pd.DataFrame":
    """Return every URL that served an image, sorted."""
    fetched = to_frame(workspace.read("fetch", ["url", "status", "sha256"]))
    served = fetched[fetched["status"] == FetchStatus.OK].sort_values("url")
    served = served[~served["url"].map(url_digest).isin(_url_digests(removed))]
    return served.groupby("sha256")["url"].agg(list).rename("urls").reset_index()


def _left(workspace: Workspace) -> pa.Table:
    """Return every URL that left, alone or with its image, in the order of URLs."""
    with accounts(workspace) as opened:
        engine = opened.engine
        engine.add("members", workspace.scan("duplicates", ["sha256", "cluster", "verdict"]))
        engine.make(BEGIN)
        for gate in opened.way():
            engine.make(URLS_LEFT if gate.by == "url" else IMAGES_LEFT, stage=gate.stage)
            if gate.by == "url":
                engine.make(SERVED)
        return engine.table(LEFT, keeper=str(DuplicateVerdict.KEEPER))


def _hashes(removed: pa.Table) -> list[str]:
    return removed["sha256"].drop_null().to_pylist()


def _url_digests(removed: pa.Table) -> list[str]:
    return removed["url_sha256"].drop_null().to_pylist()


def _lists(values: "pd.Series[Any]") -> list[list[str]]:
    """Return a column of lists; what is missing as an empty one."""
    return [list(value) if hasattr(value, "__len__") else [] for value in values]


def _table(rows: "pd.DataFrame", schema: pa.Schema) -> pa.Table:
    plain = rows.reindex(columns=schema.names)
    for name in {"urls", "labels"} & set(plain.columns):
        plain[name] = _lists(plain[name])
    return pa.Table.from_pandas(plain, schema=schema, preserve_index=False).replace_schema_metadata(
        None
    )
