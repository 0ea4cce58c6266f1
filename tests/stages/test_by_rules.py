"""binarize, undersample and split by SQL give what their rules give in plain Python."""

import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal
from unittest.mock import patch

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.e2e.example import EXAMPLE
from tests.stages.corpus import run_stage
from tests.stages.plain_rules import drawn, settled, split_homes, votes
from tests.stages.tables import listing, manifest, sha
from webemo_curate.config import BinarizeConfig, SplitConfig, UndersampleConfig
from webemo_curate.departures import decide
from webemo_curate.errors import InputError
from webemo_curate.gates import gates_of
from webemo_curate.manifest import Origin, read_info, read_manifest
from webemo_curate.stages import binarize
from webemo_curate.stages.binarize import SPAN, BinarizeStage
from webemo_curate.stages.split import SPLITS, SplitStage
from webemo_curate.stages.stage import Stage
from webemo_curate.stages.undersample import UndersampleStage
from webemo_curate.table_digest import content_digest
from webemo_curate.taxonomies import WEBEMO, load_taxonomy
from webemo_curate.workspace import Workspace

LABELS = ("sadness", "suffering", "zest", "pride", "nervousness")
SOME = st.sampled_from((*LABELS, None))
PICTURE = st.tuples(
    st.integers(0, 9), st.integers(0, 9), st.lists(st.lists(SOME, max_size=3), max_size=3)
)
POLICIES = st.sampled_from(["drop", "majority", "positive"])
QUICK = settings(
    max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


def collection(pictures: Sequence[tuple[int, int, Any]]) -> dict[str, pa.Table]:
    """Return manifests of pictures: (cluster, group, the labels of each of its URLs)."""
    keepers: dict[int, str] = {}
    lines, urls, members = [], [], []
    for place, (cluster, group, listed) in enumerate(pictures):
        name = sha(place)
        keeper = keepers.setdefault(cluster, name)
        members.append(
            {"sha256": name, "cluster": keeper, "matched": keeper, "group": sha(f"g{group}")}
        )
        for number, labels in enumerate(listed):
            url = f"http://x/{place}/{number}"
            # Of several URLs one could not be stored: its lines do not count.
            status = "ok" if number < 2 else "timeout"
            urls.append({"url": url, "sha256": name, "status": status})
            lines += [{"url": url, "label": label} for label in labels]
    rows = [
        {"source": "x", "line": n, "url": line["url"], "label": line["label"], "emotion": "y"}
        for n, line in enumerate(lines, 1)
    ]
    return {
        "listing": manifest("listing", rows) if rows else listing([]),
        "fetch": manifest("fetch", urls),
        "images": manifest("images", [{"sha256": sha(n)} for n in range(len(pictures))]),
        "duplicates": manifest("duplicates", members),
    }


def plain(tables: dict[str, pa.Table]) -> dict[str, list[dict[str, Any]]]:
    return {name: table.to_pylist() for name, table in tables.items()}


@QUICK
@given(
    st.lists(PICTURE, max_size=25),
    POLICIES,
    st.sampled_from([(), ("zest",), LABELS]),
    st.sets(st.integers(0, 24)),
    st.sampled_from([1, 3, SPAN]),
)
def test_labels_are_settled_by_the_rules(
    pictures: list[Any],
    policy: Literal["drop", "majority", "positive"],
    excluded: tuple[str, ...],
    lost: set[int],
    span: int,
) -> None:
    tables = collection(pictures)
    rows = zip(range(len(pictures)), tables["duplicates"].to_pylist(), strict=True)
    # Of some clusters only copies are there: their names are no image's.
    tables["duplicates"] = manifest("duplicates", [row for n, row in rows if n not in lost])
    config = BinarizeConfig(conflicts=policy, exclude=excluded)
    found = votes(plain(tables))
    if not any(label for labels in found.values() for label in labels):
        with pytest.raises(InputError), tempfile.TemporaryDirectory() as folder:
            run_stage(BinarizeStage(config), tables, Workspace(Path(folder)))
        return
    positive = load_taxonomy(WEBEMO).covered(("sadness",), 2)
    left_out = load_taxonomy(WEBEMO).covered(excluded, None)
    classes = {label: int(label in positive) for label in LABELS if label not in left_out}
    with tempfile.TemporaryDirectory() as folder, patch.object(binarize, "SPAN", span):
        made = run_stage(BinarizeStage(config), tables, Workspace(Path(folder)))["labels"]
    got = {row["cluster"]: row for row in made.to_pylist()}
    assert [*got] == sorted(found)
    for cluster, labels in found.items():
        wanted, row = settled(labels, classes, policy), got[cluster]
        tally = wanted.pop("tally")
        assert (row["positive_votes"], row["other_votes"]) == (tally[1], tally[0])
        assert {name: row[name] for name in wanted} == wanted


KEPT = st.tuples(
    st.integers(0, 1),
    st.sampled_from(LABELS),
    st.integers(0, 30),
    st.lists(st.text("abc", min_size=1, max_size=3), min_size=1, max_size=3, unique=True),
)


@QUICK
@given(st.lists(KEPT, min_size=12, max_size=60), st.sampled_from([0.3, 0.46, 0.5]))
def test_the_sample_and_the_splits_are_drawn_by_the_rules(
    rows: list[tuple[int, str, int, list[str]]], fraction: float
) -> None:
    labels = [
        {"cluster": sha(n), "labels": [label], "label": label, "target": target}
        for n, (target, label, *_) in enumerate(rows)
    ]
    group = {sha(n): sha(f"g{number}") for n, (_, _, number, _) in enumerate(rows)}
    urls = {sha(n): [f"http://x/{n}/{end}" for end in ends] for n, (*_, ends) in enumerate(rows)}
    fetched = [{"url": url, "sha256": name} for name in urls for url in urls[name]]
    gone = [{"url": f"http://a/{name}", "sha256": name, "status": "timeout"} for name in urls]
    members = [
        {"sha256": name, "cluster": name, "matched": name, "group": group[name]} for name in group
    ]
    tables = {
        "labels": manifest("labels", labels),
        "images": manifest("images", [{"sha256": name} for name in group]),
        "duplicates": manifest("duplicates", members),
        "fetch": manifest("fetch", [*fetched, *gone]),
        "listing": listing([]),
    }
    ratios = (60.0, 20.0, 20.0)
    with tempfile.TemporaryDirectory() as folder:
        workspace = Workspace(Path(folder))
        try:
            config = UndersampleConfig(positive_fraction=fraction)
            tables = run_stage(UndersampleStage(config), tables, workspace)
            kept = {row["sha256"] for row in tables["sample"].to_pylist() if row["kept"]}
            tables = run_stage(SplitStage(SplitConfig(ratios=ratios)), tables, workspace)
        except InputError:
            return  # too few rows or groups, which other tests are about
    for target in (0, 1):
        ours = [row for row in labels if row["target"] == target]
        of_class = kept & {row["cluster"] for row in ours}
        assert of_class == drawn(ours, len(of_class))
    final = [row | {"group": group[row["cluster"]]} for row in labels if row["cluster"] in kept]
    homes = split_homes(final, ratios, {})
    for split in SPLITS:
        wanted = sorted(row["cluster"] for row in final if homes[row["group"]] == split)
        assert tables[split]["sha256"].to_pylist() == wanted
        assert tables[split]["url"].to_pylist() == [min(urls[name]) for name in wanted]


def test_the_example_is_as_it_was_made(tmp_path: Path) -> None:
    stages: list[tuple[type[Stage[Any]], Any]] = [
        (BinarizeStage, BinarizeConfig),
        (UndersampleStage, UndersampleConfig),
        (SplitStage, SplitConfig),
    ]
    workspace = Workspace(tmp_path)
    for kind, config in stages:
        info = read_info(EXAMPLE / f"{kind.outputs[0]}.parquet")
        assert info is not None
        stage = kind(config(**info.origin.configuration))
        tables = {name: read_manifest(EXAMPLE / f"{name}.parquet", name) for name in kind.inputs}
        made = run_stage(stage, tables, workspace)
        for name in kind.outputs:
            workspace.write(name, made[name], Origin(name, 1, {}, {}), info.classes)
            stored = read_manifest(EXAMPLE / f"{name}.parquet", name)
            assert workspace.read(name) == stored
            assert content_digest(workspace.read(name)) == content_digest(stored)
    gates = gates_of({file.stem for file in EXAMPLE.glob("*.parquet")})
    made = decide(_of_example, tmp_path, gates)
    workspace.write("decisions", made, Origin("decisions", 1, {}, {}))
    assert workspace.read("decisions") == _of_example("decisions", None)


def _of_example(name: str, columns: list[str] | None) -> pa.Table:
    return read_manifest(EXAMPLE / f"{name}.parquet", name, columns)
