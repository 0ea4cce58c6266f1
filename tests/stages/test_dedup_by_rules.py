"""dedup's table by SQL is what its rules give in plain Python, within any bounds."""

import random
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.stages.tables import listing, manifest, sha
from webemo_curate.config import DedupConfig
from webemo_curate.duplicates.links import METHODS, Links, link_looks
from webemo_curate.duplicates.stored_pairs import StoredPairs
from webemo_curate.match_schemas import DUPLICATES
from webemo_curate.runner.local_runner import LocalRunner
from webemo_curate.stages.compared_images import linked_pixels
from webemo_curate.stages.dedup import DedupStage
from webemo_curate.stages.stage import StageContext
from webemo_curate.workspace import Workspace

SMALL = 48 * 2**20
CONFIG = DedupConfig()

PICTURE = st.tuples(
    st.integers(0, 9),  # equal pixels
    st.integers(1, 3),  # width
    st.sampled_from(["clean", "clean", "clean", "text"]),
    st.lists(st.tuples(st.integers(0, 6), st.sampled_from(["ok", "timeout"])), max_size=2),
)
PAIR = st.tuples(
    st.integers(0, 11),
    st.integers(0, 11),
    st.sampled_from(["phash", "grays", "features"]),
    st.booleans(),  # clearly the same
    st.floats(0, 1, width=32),  # the largest changed part
)


def made(pictures: Sequence[Any], pairs: Sequence[Any]) -> dict[str, pa.Table]:
    """Return dedup's inputs: (pixels, width, text, URLs by stock asset and status) a picture."""
    images = [
        {"sha256": sha(n), "pixel_hash": sha(f"p{pixels}"), "width": 100 + width, "height": 80}
        for n, (pixels, width, _, _) in enumerate(pictures)
    ]
    urls = [
        {"url": f"http://x/{n}/{k}", "asset_id": str(asset), "sha256": sha(n), "status": status}
        for n, (*_, served) in enumerate(pictures)
        for k, (asset, status) in enumerate(served)
    ]
    lines = [{"url": u["url"], "asset_id": u["asset_id"], "label": "zest"} for u in urls]
    fetched = [{name: u[name] for name in ("url", "sha256", "status")} for u in urls]
    texts = [{"sha256": sha(n), "verdict": said} for n, (_, _, said, _) in enumerate(pictures)]
    return {
        "images": manifest("images", images),
        "fetch": manifest("fetch", fetched),
        "listing": listing(lines),
        "text": manifest("text", texts),
        "pairs": manifest("pairs", [*measured(pairs).values()]),
    }


def measured(pairs: Sequence[Any]) -> dict[Any, dict[str, Any]]:
    """Return rows of the pairs manifest; whole frames are laid on one another where not clear."""
    rows = {}
    for one, two, method, clear, changed in pairs:
        first, second = sorted((one, two))
        if first == second:
            continue
        placing = "reduced" if clear and method != "features" else "keypoints"
        rows[first, second, method, placing] = {
            **{"first": sha(first), "second": sha(second), "method": method, "placing": placing},
            **{"mirrored": False, "clear": clear, "correlation": 1 - changed / 50},
            "distance": 3 if method == "phash" else None,
        }
        if placing == "keypoints":
            rows[first, second, method, placing] |= {"inliers": 40, "placed": 0.9, "overlap": 1.0}
            rows[first, second, method, placing] |= {"agreeing": 1.0, "changed": changed / 20}
    return rows


def plain(tables: dict[str, pa.Table]) -> list[dict[str, Any]]:
    """Return the rows of the manifest, row by row."""
    clean = {r["sha256"] for r in tables["text"].to_pylist() if r["verdict"] == "clean"}
    images = [row for row in tables["images"].to_pylist() if row["sha256"] in clean]
    images.sort(key=lambda r: (-r["width"] * r["height"], -r["bytes"], r["sha256"]))
    first: dict[str, int] = {}
    places = [first.setdefault(row["pixel_hash"], n) for n, row in enumerate(images)]
    names = [row["sha256"] for row in images]
    links = linked_pixels(np.array(places, np.int64))
    link_looks(links, StoredPairs(tables["pairs"], names), CONFIG)
    roots = links.roots(np.arange(len(names))).tolist()
    clusters = {name: names[root] for name, root in zip(names, roots, strict=True)}
    groups = grouped(clusters, tables, links, names)
    nearest = siblings(links, names, clusters)
    rows = []
    for place, name in enumerate(names):
        method = METHODS[links.method[place]]
        others = {"keeper": "keeper", "pixels": "exact_duplicate"}
        rows.append(
            {
                "sha256": name,
                "cluster": clusters[name],
                "keeper": method == "keeper",
                "matched": names[links.parent[place]],
                "method": method,
                "verdict": others.get(method, "near_duplicate"),
                "group": groups[clusters[name]],
                "sibling_of": nearest.get(name, (None, None))[1],
                "sibling_score": nearest.get(name, (None, None))[0],
            }
        )
    return sorted(rows, key=lambda row: row["sha256"])


def grouped(
    clusters: dict[str, str], tables: dict[str, pa.Table], links: Links, names: list[str]
) -> dict[str, str]:
    """Return the group of each cluster: joined until nothing changes."""
    groups = {cluster: cluster for cluster in clusters.values()}
    assets = {r["url"]: r["asset_id"] for r in tables["listing"].to_pylist()}
    served = [r for r in tables["fetch"].to_pylist() if r["status"] == "ok"]
    ties = [(assets[r["url"]], clusters[r["sha256"]]) for r in served if r["sha256"] in clusters]
    edges = [(a, b) for tie, a in ties for other, b in ties if tie == other]
    edges += [(clusters[names[a]], clusters[names[b]]) for a, b in links.siblings.tolist()]
    for _ in groups:
        for one, two in edges:
            groups[one] = groups[two] = min(groups[one], groups[two])
    return groups


def siblings(
    links: Links, names: list[str], clusters: dict[str, str]
) -> dict[str, tuple[float, str]]:
    found: dict[str, tuple[float, int]] = {}
    for (a, b), changed in zip(links.siblings.tolist(), links.changed.tolist(), strict=True):
        if clusters[names[a]] != clusters[names[b]]:
            for one, two in ((a, b), (b, a)):
                found[names[one]] = min(found.get(names[one], (changed, two)), (changed, two))
    return {name: (changed, names[place]) for name, (changed, place) in found.items()}


@settings(max_examples=20, deadline=None)
@given(
    st.lists(PICTURE, min_size=1, max_size=12),
    st.lists(PAIR, max_size=14),
    st.sampled_from([None, SMALL]),
    st.randoms(use_true_random=False),
)
def test_clusters_and_groups_are_made_by_the_rules(
    pictures: list[Any], pairs: list[Any], memory: int | None, order: random.Random
) -> None:
    pairs = [pair for pair in pairs if max(pair[:2]) < len(pictures)]
    tables = made(pictures, pairs)
    turned = {}
    for name, table in tables.items():
        places = [*range(table.num_rows)]
        order.shuffle(places)
        turned[name] = table.take(pa.array(places, pa.int64()))
    with tempfile.TemporaryDirectory() as folder:
        context = StageContext(Workspace(Path(folder)), LocalRunner(1), "made up", memory)
        found = DedupStage(CONFIG).run(turned, context)["duplicates"]
        rows = found.to_pylist()
    assert set(found.column_names) == set(DUPLICATES.names)
    wanted = plain(tables)
    assert [{name: row[name] for name in wanted[0]} for row in rows] == wanted
