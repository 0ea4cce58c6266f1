"""The dedup stage on made-up tables: clusters do not depend on the order of rows."""

import random

import numpy as np
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.stages.tables import listing, manifest, sha
from webemo_curate.config import DecodingConfig, DedupConfig
from webemo_curate.schemas import SCHEMAS
from webemo_curate.stages.dedup import DedupStage
from webemo_curate.stages.pairs import PairsStage

DISTANCE = 4
DEDUP = DedupConfig(distance=DISTANCE)
MASK = 2**64 - 1
LOOK = {
    "gray": np.random.default_rng(0).integers(0, 256, 1024, np.uint8).tobytes(),
    "color": bytes(48),
}
"""One look for all, so that the hashes decide."""

# Few bits differ between hashes, so that clusters, chains and ties come up often.
hashes = st.lists(st.integers(0, 255), min_size=1, max_size=30)


def tables(values, order):
    """Return the stage's inputs, one image a hash value, rows in the given order."""
    rows = [
        {
            "sha256": sha(number),
            "pixel_hash": sha(f"pixels {value}"),
            "phash": value * 0x0101010101010101 & MASK,
            "phash_mirrored": (value ^ 0xFF) * 0x0101010101010101 & MASK,
            "width": 100 + value % 7,
            **LOOK,
        }
        for number, value in enumerate(values)
    ]
    rows = [rows[place] for place in order]
    urls = [{"url": f"http://x/{row['sha256']}", "sha256": row["sha256"]} for row in rows]
    lines = [
        {"url": url["url"], "label": "zest", "asset_id": str(value % 5)}
        for url, value in zip(urls, [values[place] for place in order], strict=True)
    ]
    return {
        "images": manifest("images", rows),
        "text": manifest("text", [{"sha256": row["sha256"]} for row in rows]),
        "features": SCHEMAS["features"].empty_table(),
        "fetch": manifest("fetch", urls),
        "listing": listing(lines),
    }


def deduplicated(given_tables, context, config=DEDUP):
    """Measure pairs, and decide."""
    given_tables = given_tables | PairsStage(config.matching, DecodingConfig()).run(
        given_tables, context
    )
    return DedupStage(config).run(given_tables, context)["duplicates"]


def run(values, order, context):
    found = deduplicated(tables(values, order), context)
    return {row["sha256"]: row for row in found.to_pylist()}


@settings(
    max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(hashes, st.integers(0, 2**16))
def test_clusters_are_whole_near_their_keeper_and_independent_of_order(context, values, seed):
    order = list(range(len(values)))
    straight = run(values, order, context)
    random.Random(seed).shuffle(order)
    assert run(values, order, context) == straight

    for row in straight.values():
        keeper = straight[row["cluster"]]
        assert keeper["keeper"]
        assert keeper["cluster"] == row["cluster"]
        assert row["group"] == keeper["group"]
        assert row["keeper"] == (row["method"] == "keeper") == (row["matched"] == row["sha256"])
        if not row["keeper"]:
            assert row["distance"] <= row["threshold"]
    for value in set(values):
        same = [sha(number) for number, other in enumerate(values) if other == value]
        assert len({straight[name]["cluster"] for name in same}) == 1


def test_a_chain_of_near_pictures_does_not_merge_its_ends(context):
    # Neighbors differ in 4 bits, the ends in 16.
    chain = [(1 << bits) - 1 for bits in range(0, 17, 4)]
    rows = [
        {
            "sha256": sha(n),
            "pixel_hash": sha(f"p{n}"),
            "phash": v,
            "phash_mirrored": v ^ MASK,
            **LOOK,
        }
        for n, v in enumerate(chain)
    ]
    given_tables = tables([0], [0]) | {
        "images": manifest("images", rows),
        "text": manifest("text", [{"sha256": row["sha256"]} for row in rows]),
    }
    found = deduplicated(given_tables, context)
    cluster = dict(zip(found["sha256"].to_pylist(), found["cluster"].to_pylist(), strict=True))
    assert cluster[sha(0)] != cluster[sha(4)]
    by_name = dict(zip((row["sha256"] for row in rows), chain, strict=True))
    for name, keeper in cluster.items():
        assert np.bitwise_count(by_name[name] ^ by_name[keeper]) <= DISTANCE
