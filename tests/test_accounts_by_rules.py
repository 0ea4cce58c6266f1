"""The funnel, the decisions and the audit by SQL give what their rules give in plain Python."""

import tempfile
from collections import Counter
from pathlib import Path
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.stages.tables import listing, manifest, sha
from webemo_curate.accounting import Accounts, funnel_steps
from webemo_curate.audit import recounted
from webemo_curate.departures import departures
from webemo_curate.gate_queries import gates_up_to
from webemo_curate.schemas import MANIFESTS
from webemo_curate.table_engine import TableEngine

SMALL = 32 * 2**20
NOWHERE = None
"""In place of a verdict: the manifest has no row."""

URL = st.tuples(
    st.integers(1, 3), st.sampled_from(["ok", "local", "timeout", NOWHERE]), st.integers(0, 5)
)
WAY = {
    "images": ("images", "decode_status", ["ok", "ok", "corrupt", NOWHERE]),
    "text": ("text", "verdict", ["clean", "clean", "text", NOWHERE]),
    "duplicates": ("dedup", "verdict", ["keeper", "keeper", "near_duplicate", NOWHERE]),
    "labels": ("binarize", "verdict", ["kept", "kept", "label_conflict", NOWHERE]),
    "sample": ("undersample", "kept", [True, True, False, NOWHERE]),
}
"""Manifest, its stage, the column that decides, and what it may say; the first lets rows pass."""

IMAGE = st.tuples(*(st.sampled_from(said) for _, _, said in WAY.values()))


def made(urls: list[Any], images: list[Any]) -> dict[str, Any]:
    """Return manifests of URLs (lines, status, image) and of what is said of six images."""
    lines = [
        {"url": f"http://x/{number}", "label": "zest"}
        for number, (times, _, _) in enumerate(urls)
        for _ in range(times)
    ]
    fetched = [
        {"url": f"http://x/{number}", "status": status, "sha256": sha(image)}
        for number, (_, status, image) in enumerate(urls)
        if status is not NOWHERE
    ]
    tables = {"listing": listing(lines), "fetch": manifest("fetch", fetched)}
    for place, (name, (_, column, _)) in enumerate(WAY.items()):
        key = "cluster" if name == "labels" else "sha256"
        own = {"labels": {"labels": []}, "sample": {"target": 1, "label": "zest"}}.get(name, {})
        if name == "duplicates":
            own = {"cluster": "c", "matched": "c", "group": "g"}
        rows = [
            {key: sha(number), column: said[place], **own}
            for number, said in enumerate(images)
            if said[place] is not NOWHERE
        ]
        tables[name] = manifest(name, rows)
    for split in ("train", "validation", "test"):
        tables[split] = manifest(split, [])
    return tables


def plain(urls: list[Any], images: list[Any]) -> tuple[list[Any], Counter[Any], list[int]]:
    """Walk row by row; return the steps, what left, and the lines that are lost at each gate."""
    steps, left, lost = [], Counter[Any](), []
    gone = {n: said or "not_selected" for n, (_, said, _) in enumerate(urls)}
    gone = {n: reason for n, reason in gone.items() if reason not in ("ok", "local")}
    steps.append(("fetch", Counter(gone.values()), len(urls) - len(gone)))
    left.update({("fetch", why, f"http://x/{n}", None, urls[n][0]): 1 for n, why in gone.items()})
    here: Counter[int] = Counter()
    for number, (times, _, image) in enumerate(urls):
        if number not in gone:
            here[image] += times
    entered = len(urls) - len(gone)
    for place, (stage, _, said) in enumerate(WAY.values()):
        known = {image: images[image][place] for image in here}
        lost.append(sum(here[i] for i, verdict in known.items() if verdict is NOWHERE))
        out = {i: v for i, v in known.items() if v is not NOWHERE and v != said[0]}
        reasons = {i: "surplus" if v is False else v for i, v in out.items()}
        left.update({(stage, why, None, sha(i), here[i]): 1 for i, why in reasons.items()})
        here = Counter({i: here[i] for i, v in known.items() if v == said[0]})
        counts = Counter(reasons.values())
        if stage == "images":
            counts["same_bytes"] = entered - len(here) - len(out)
        steps.append((stage, +counts, len(here)))
    return steps, left, [*lost, sum(here.values())]


@settings(max_examples=15, deadline=None)
@given(
    st.lists(URL, min_size=1, max_size=12),
    st.lists(IMAGE, min_size=6, max_size=6),
    st.sampled_from([(1, None), (2, SMALL)]),
)
def test_rows_are_counted_by_the_rules(
    urls: list[Any], images: list[Any], bounds: tuple[int, int | None]
) -> None:
    steps, left, (*lost, kept) = plain(urls, images)
    tables, (threads, memory) = made(urls, images), bounds
    gates = gates_up_to(set(MANIFESTS) - {"quality"})
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        with TableEngine(root, tables, memory, threads) as engine:
            found = departures(engine, gates)
        tables["decisions"] = manifest("decisions", found.to_pylist())
        with TableEngine(root, tables, memory, threads) as engine:
            first, *others = funnel_steps(Accounts(engine, gates))
            problems = " ".join(recounted(Accounts(engine, gates)))
    lines = sum(times for times, _, _ in urls)
    assert (first.entered, first.remaining) == (lines, len(urls))
    assert [(step.stage, step.left, step.remaining) for step in others] == steps
    columns = ("stage", "reason", "url", "sha256", "listed_rows")
    assert Counter(tuple(row[name] for name in columns) for row in found.to_pylist()) == left
    for name, count in zip(WAY, lost, strict=True):
        assert (f"{count} listed rows end nowhere: '{name}'" in problems) == (count > 0)
    assert ("images missing" in problems) == (kept > 0)
    assert "did not leave so" not in problems
    assert ("in all" in problems) == (sum(lost) > 0)
