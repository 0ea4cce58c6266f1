"""Where rows end, counted directly: gates, decisions, the funnel, and what the audit finds."""

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pytest

from tests.stages.corpus import Tables, curate, draw_labels
from tests.stages.tables import listing, manifest, sha
from webemo_curate.accounting import Accounts, funnel, funnel_steps, split_counts
from webemo_curate.audit import recounted
from webemo_curate.config import PipelineConfig
from webemo_curate.departures import decide
from webemo_curate.gate_queries import gates_up_to
from webemo_curate.gates import GATES
from webemo_curate.pipeline import build_stages
from webemo_curate.schemas import MANIFESTS
from webemo_curate.table_engine import TableEngine
from webemo_curate.verdicts import GOOD_ENOUGH, QualityFlag
from webemo_curate.workspace import Workspace

COUNT = 60
NOT_FOUND, BROKEN, DIM, WRITTEN, COPY = range(5)
"""Images of these numbers leave at the first five gates."""


@pytest.fixture(scope="module")
def tables(tmp_path_factory: pytest.TempPathFactory) -> Tables:
    """Sixty images, one listed twice; the first five leave one by one."""
    labels = draw_labels(COUNT, 0.5)
    lines = [{"url": f"http://x/{n}", "label": label} for n, label in enumerate(labels)]
    names = [sha(n) for n in range(COUNT)]
    gone = {"status": "not_found", "sha256": None, "suffix": None}
    fetched = [{"url": f"http://x/{n}", "sha256": names[n]} for n in range(COUNT)]
    fetched[NOT_FOUND] |= gone
    images = [{"sha256": name} for name in names[1:]]
    images[BROKEN - 1] |= {"decode_status": "corrupt", "width": None, "height": None}
    flagless = {str(flag): 1.0 for flag in QualityFlag} | {"flags": [], "verdict": GOOD_ENOUGH}
    qualities = [flagless | {"sha256": name} for name in names[2:]]
    qualities[DIM - 2] |= {"verdict": "dark", "score": 0.2, "threshold": 0.32}
    texts = [{"sha256": name} for name in names[2:]]
    texts[WRITTEN - 2] |= {"verdict": "text", "score": 0.9, "threshold": 0.5}
    members = [
        {"sha256": name, "cluster": name, "matched": name, "group": name} for name in names[4:]
    ]
    members[COPY - 4] |= {
        "cluster": names[-1],
        "matched": names[-1],
        "group": names[-1],
        "keeper": False,
        "verdict": "exact_duplicate",
    }
    made = {
        "listing": listing([*lines, lines[-1]]),
        "fetch": manifest("fetch", fetched),
        "images": manifest("images", images),
        "quality": manifest("quality", qualities),
        "text": manifest("text", texts),
        "duplicates": manifest("duplicates", members),
    }
    place = tmp_path_factory.mktemp("accounting")
    made = curate(made, Workspace(place))
    return made | {"decisions": decide(reader(made), place)}


def reader(tables: Tables):  # type: ignore[no-untyped-def]
    return lambda name, columns: tables[name].select(columns)


@contextmanager
def opened(tables: Tables, root: Path, present: Collection[str] = MANIFESTS) -> Iterator[Accounts]:
    """Open tables as `accounting.accounts` opens a workspace's manifests."""
    with TableEngine(root, {name: tables[name] for name in present if name in tables}) as engine:
        yield Accounts(engine, gates_up_to(present))


def discrepancies(tables: Tables, root: Path, present: Collection[str] = MANIFESTS) -> list[str]:
    with opened(tables, root, present) as accounts:
        return recounted(accounts)


def test_every_row_passes_or_leaves_at_each_gate(tables: Tables, tmp_path: Path) -> None:
    entered = COUNT
    with opened(tables, tmp_path) as accounts:
        for _ in accounts.way():
            ((known, came, goes_on),) = accounts.engine.rows(
                "select bool_and(known), count(*), count(*) filter (reason is null) from judged"
            )
            assert known
            assert came == entered
            entered = goes_on
    counts = split_counts(reader(tables))
    assert entered == sum(sum(targets.values()) for targets in counts.values())


def test_decisions_name_stage_reason_and_what_was_measured(tables: Tables) -> None:
    rows = tables["decisions"].to_pylist()
    by_stage = {row["stage"]: row for row in rows if row["stage"] != "undersample"}
    assert by_stage["fetch"]["reason"] == "not_found"
    assert by_stage["fetch"]["url"] == f"http://x/{NOT_FOUND}"
    assert by_stage["images"]["reason"] == "corrupt"
    assert by_stage["quality"]["reason"] == "dark"
    assert (by_stage["quality"]["score"], by_stage["quality"]["threshold"]) == (0.2, 0.32)
    assert by_stage["text"]["score"] == pytest.approx(0.9)
    assert by_stage["dedup"]["sha256"] == sha(COPY)
    kept = sum(tables[split].num_rows for split in ("train", "validation", "test"))
    left = pc.sum(tables["decisions"]["listed_rows"]).as_py()
    twice = sha(COUNT - 1) not in {row["sha256"] for row in rows}
    assert kept + twice + left == COUNT + 1


def test_the_funnel_ends_before_what_is_not_there(tables: Tables, tmp_path: Path) -> None:
    with opened(tables, tmp_path, ("listing", "fetch", "images")) as accounts:
        steps = funnel_steps(accounts)
    assert [step.stage for step in steps] == ["listing", "fetch", "images"]
    assert steps[0].left == {"same_url": 1}
    assert [step.remaining for step in steps] == [COUNT, COUNT - 1, COUNT - 2]
    assert funnel(Workspace(tmp_path)) == []


def test_a_workspace_from_before_quality_was_flagged_is_accounted_for_without(
    tables: Tables, tmp_path: Path
) -> None:
    present = set(MANIFESTS) - {"measures", "quality"}
    with opened(tables, tmp_path, present) as accounts:
        assert "quality" not in [step.stage for step in funnel_steps(accounts)]
    problems = discrepancies(tables, tmp_path, present)
    assert any("'decisions' lacks" in problem for problem in problems), "it had said otherwise"


def test_sound_manifests_have_no_discrepancy(tables: Tables, tmp_path: Path) -> None:
    assert discrepancies(tables, tmp_path) == []


def without_first(table: pa.Table) -> pa.Table:
    return table.slice(1)


def twice_first(table: pa.Table) -> pa.Table:
    return pa.concat_tables([table, table.slice(0, 1)])


@pytest.mark.parametrize(
    ("name", "change", "found"),
    [
        ("images", without_first, "end nowhere: 'images' has no row"),
        ("sample", without_first, "end nowhere: 'sample' has no row"),
        ("train", without_first, "1 images missing"),
        ("test", twice_first, "1 in two places"),
        ("decisions", without_first, "'decisions' lacks 1 rows"),
        ("decisions", twice_first, "has 1 that did not leave so"),
    ],
)
def test_what_does_not_add_up_is_said(
    tables: Tables, name: str, change, found: str, tmp_path: Path
) -> None:  # type: ignore[no-untyped-def]
    changed = tables | {name: change(tables[name])}
    assert any(found in problem for problem in discrepancies(changed, tmp_path))


def test_a_group_in_two_splits_is_found(tables: Tables, tmp_path: Path) -> None:
    column = tables["train"].schema.get_field_index("group")
    group = pa.array([tables["test"]["group"][0].as_py()] * tables["train"].num_rows)
    moved = tables | {"train": tables["train"].set_column(column, "group", group)}
    assert any("stand in two splits" in problem for problem in discrepancies(moved, tmp_path))


def test_stages_name_the_gates_in_the_order_of_rows() -> None:
    stages = build_stages(PipelineConfig())
    assert tuple(stage.gate for stage in stages if stage.gate) == GATES
    for stage in stages:
        assert stage.gate is None or stage.gate.manifest in stage.outputs
        for name, columns in stage.inputs.items():
            assert set(columns) <= set(MANIFESTS[name].names), stage.name
