"""The facts that a case is shown with: sizes, boxes and what was read, addresses, labels."""

from collections import Counter, defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import pyarrow as pa
import pyarrow.compute as pc

from webemo_curate.verdicts import STORED
from webemo_curate.workspace import Workspace

if TYPE_CHECKING:
    import pandas as pd

MAX_SUGGESTED: Final = 6
"""Labels of one class that are offered: the keys of a page are nine."""

MAX_MEMBERS: Final = 6
"""Pictures of one cluster that are shown of a conflict."""


@dataclass(frozen=True)
class Picture:
    """A stored picture.

    Attributes
    ----------
    path
        Its path in the manifests.
    width, height
        Pixels, upright; 0 if it does not decode.
    """

    path: str
    width: int
    height: int


@dataclass(frozen=True)
class CaseFacts:
    """What is known of the pictures of some cases, by hash.

    Attributes
    ----------
    pictures
        Where they lie, and their sizes.
    boxes
        Of text cases: the boxes of the manifest.
    urls
        An address each, first by name.
    members
        Of conflicts: the pictures of the cluster, its keeper first.
    votes
        Of conflicts: each label and how many listed lines give it, most first.
    suggested
        Of doubted labels: those of the class that networks suggest, the commonest first.
    """

    pictures: dict[str, Picture]
    boxes: dict[str, list[dict[str, Any]]]
    urls: dict[str, str]
    members: dict[str, list[str]]
    votes: dict[str, list[tuple[str, int]]]
    suggested: dict[str, list[str]]


def gather_facts(workspace: Workspace, cases: "pd.DataFrame") -> CaseFacts:
    """Look up what cases are shown with.

    Parameters
    ----------
    workspace : Workspace
        Has the manifests.
    cases : DataFrame
        Columns `cases.CASE_COLUMNS`.

    Returns
    -------
    CaseFacts
        Of all their pictures; a picture that is no longer there has none.
    """
    clusters = _chosen(workspace, "duplicates", "cluster", _hashes(cases, "label"), ["sha256"])
    shown = pa.chunked_array(
        [
            pa.array(cases["sha256"], pa.string()),
            pa.array(cases["other"].dropna(), pa.string()),
            *clusters["sha256"].chunks,
        ]
    ).unique()
    fetched = _fetched(workspace, shown)
    return CaseFacts(
        _pictures(workspace, shown),
        _boxes(workspace, _hashes(cases, "text")),
        _urls(fetched),
        _members(clusters),
        _votes(workspace, clusters, fetched),
        _suggested(workspace, cases),
    )


def _hashes(cases: "pd.DataFrame", kind: str) -> pa.Array:
    return pa.array(cases.loc[cases["kind"] == kind, "sha256"], pa.string())


def _chosen(
    workspace: Workspace, name: str, key: str, wanted: pa.Array, columns: list[str]
) -> pa.Table:
    """Return the rows of a manifest whose key is wanted; none are read where none are."""
    if not len(wanted):
        return pa.table({column: pa.array([], pa.string()) for column in [key, *columns]})
    table = workspace.read(name, [key, *columns])
    return table.filter(pc.is_in(table[key], wanted))


def _pictures(workspace: Workspace, shown: pa.Array) -> dict[str, Picture]:
    found = _chosen(workspace, "images", "sha256", shown, ["path", "width", "height"])
    columns = [found[name].to_pylist() for name in ("sha256", "path", "width", "height")]
    return {
        sha256: Picture(path, width or 0, height or 0)
        for sha256, path, width, height in zip(*columns, strict=True)
    }


def _boxes(workspace: Workspace, hashes: pa.Array) -> dict[str, list[dict[str, Any]]]:
    found = _chosen(workspace, "text", "sha256", hashes, ["boxes"])
    return dict(zip(found["sha256"].to_pylist(), found["boxes"].to_pylist(), strict=True))


def _fetched(workspace: Workspace, shown: pa.Array) -> pa.Table:
    """Return the addresses that pictures came from: columns sha256, url and status."""
    found = _chosen(workspace, "fetch", "sha256", shown, ["url", "status"])
    return found.filter(pc.is_in(found["status"].cast(pa.string()), pa.array([*STORED])))


def _urls(fetched: pa.Table) -> dict[str, str]:
    first = fetched.group_by("sha256").aggregate([("url", "min")])
    return dict(zip(first["sha256"].to_pylist(), first["url_min"].to_pylist(), strict=True))


def _members(clusters: pa.Table) -> dict[str, list[str]]:
    members: dict[str, list[str]] = defaultdict(list)
    for cluster, sha256 in zip(
        *(clusters[c].to_pylist() for c in ("cluster", "sha256")), strict=True
    ):
        members[cluster].append(sha256)
    return {
        cluster: sorted(found, key=lambda sha256: (sha256 != cluster, sha256))[:MAX_MEMBERS]
        for cluster, found in members.items()
    }


def _votes(
    workspace: Workspace, clusters: pa.Table, fetched: pa.Table
) -> dict[str, list[tuple[str, int]]]:
    """Count the listed lines of each cluster's labels."""
    if not clusters.num_rows:
        return {}
    home = dict(zip(*(clusters[name].to_pylist() for name in ("sha256", "cluster")), strict=True))
    owner = {
        url: home[sha256]
        for url, sha256 in zip(*(fetched[n].to_pylist() for n in ("url", "sha256")), strict=True)
        if sha256 in home
    }
    listed = _chosen(workspace, "listing", "url", pa.array(owner, pa.string()), ["label"])
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    for url, label in zip(listed["url"].to_pylist(), listed["label"].to_pylist(), strict=True):
        if label is not None:
            counts[owner[url]][label] += 1
    return {
        cluster: sorted(votes.items(), key=lambda vote: (-vote[1], vote[0]))
        for cluster, votes in counts.items()
    }


def _suggested(workspace: Workspace, cases: "pd.DataFrame") -> dict[str, list[str]]:
    """Return the labels that stand for what networks suggest, of each doubted picture."""
    if "suggested" not in cases or not cases["suggested"].notna().any():
        return {}
    doubts = workspace.read("label_issues", ["given", "label"])
    pairs = zip(*(doubts[name].to_pylist() for name in ("given", "label")), strict=True)
    labels: dict[str, list[str]] = defaultdict(list)
    for (given, label), _ in Counter(sorted(pairs)).most_common():
        labels[given].append(label)
    doubted = cases[cases["suggested"].notna()]
    return {
        sha256: labels[name][:MAX_SUGGESTED]
        for sha256, name in zip(doubted["sha256"], doubted["suggested"], strict=True)
    }
