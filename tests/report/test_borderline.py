"""What a move would change is what the stage then does; narrow cases are the nearest."""

import re
import shlex
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from tests.cli.test_every_command import EVERY
from tests.report.made_workspace import HOSTILE, MADE, fill
from tests.stages.tables import manifest
from tests.work import work_on
from webemo_curate.config import BinarizeConfig, DedupConfig, QualityRuleConfig, TextRuleConfig
from webemo_curate.duplicates.links import KEEPER, link_looks
from webemo_curate.duplicates.stored_pairs import StoredPairs
from webemo_curate.ocr.rule import decide, rules
from webemo_curate.quality_schemas import MEASURES
from webemo_curate.report.borderline import Borderline
from webemo_curate.report.examples import Album
from webemo_curate.report.histogram import Axis, histogram
from webemo_curate.report.label_margin import label_borderline
from webemo_curate.report.pair_margin import pair_borderline
from webemo_curate.report.quality_margin import quality_borderline
from webemo_curate.report.text_margin import text_borderline
from webemo_curate.runner.local_runner import LocalRunner
from webemo_curate.stages.compared_images import (
    clean_names,
    first_of_pixels,
    linked_pixels,
    make_clean,
)
from webemo_curate.stages.quality import QualityStage
from webemo_curate.stages.stage import StageContext
from webemo_curate.table_engine import TableEngine
from webemo_curate.workspace import Workspace

AXIS = Axis("score", "images", "stayed", "left", np.linspace(0, 1, 5))


@pytest.fixture
def filled(workspace: Workspace) -> Workspace:
    fill(workspace)
    return workspace


def by_setting(step: Borderline | None) -> dict[str, int]:
    assert step
    assert all(move.dropped - move.change == step.now for move in step.moves)
    for move in step.moves:
        program, name, *options = shlex.split(move.command)
        assert program == "curate"
        EVERY[name].make_context("what sets it", options)
    return {move.setting: move.dropped for move in step.moves}


def test_moves_of_the_text_rule_are_what_it_then_drops(filled: Workspace) -> None:
    config = TextRuleConfig(threshold=0.8)
    step = text_borderline(Album(work_on(filled)), config, 3)
    boxes = filled.read("text", ["boxes"])["boxes"].combine_chunks()
    for setting, dropped in by_setting(step).items():
        field, value = setting.split()
        other = {"threshold": float(value)} if field == "at" else {"preset": value}
        rule = rules(TextRuleConfig.model_validate(other))["rapidocr"]
        assert dropped == decide(boxes, rule).bears_text.sum()
    assert {"at 0.75", "at 0.85", "preset strict"} <= {move.setting for move in step.moves}  # type: ignore[union-attr]
    assert any(move.says.endswith("more dropped") for move in step.moves)  # type: ignore[union-attr]


def judged_by_quality(workspace: Workspace, config: QualityRuleConfig) -> pa.Table:
    """Write what the quality stage says of drawn measures of the pictures there; return it."""
    draws = np.random.default_rng(3)
    hashes = workspace.read("images", ["sha256"])["sha256"].to_pylist()
    measured = [
        {"sha256": name}
        | {field.name: draws.random() for field in MEASURES if pa.types.is_floating(field.type)}
        for name in hashes
    ]
    tables = {"images": workspace.read("images"), "measures": manifest("measures", measured)}
    context = StageContext(workspace, LocalRunner(1), "q")
    return QualityStage(config).run(tables, context)["quality"]


def test_moves_of_quality_are_what_it_then_drops(filled: Workspace) -> None:
    config = QualityRuleConfig(drop="dark,blank_borders,colorless", blank_borders=0.4)
    filled.write("quality", judged_by_quality(filled, config), MADE)
    step = quality_borderline(Album(work_on(filled)), config, 3)
    moves = by_setting(step)
    assert len(moves) == 12
    for setting, dropped in moves.items():
        flag, value = setting.split()
        other = config.model_copy(update={flag: float(value)})
        verdicts = judged_by_quality(filled, other)["verdict"].to_pylist()
        assert dropped == sum(verdict != "good_enough" for verdict in verdicts)
    assert step
    assert len(step.histograms) == 3
    assert all(side.examples for side in step.sides)
    assert quality_borderline(Album(work_on(filled)), QualityRuleConfig(), 3) is None


def test_narrow_texts_come_from_both_sides_nearest_first(filled: Workspace) -> None:
    step = text_borderline(Album(work_on(filled)), TextRuleConfig(), 3)
    assert step
    left, stayed = step.sides
    table = filled.read("text", ["score", "verdict"]).to_pandas()
    for side, verdict in ((left, "text"), (stayed, "clean")):
        nearest = (table.loc[table["verdict"] == verdict, "score"] - 0.85).abs().sort_values()
        shown = [float(one.caption.split("confidence ")[1][:5]) for one in side.examples]
        assert np.allclose(np.abs(np.array(shown) - 0.85), nearest[:3], atol=1e-3)


def test_the_rule_s_own_words_count_where_people_said_otherwise(filled: Workspace) -> None:
    config, album = TextRuleConfig(threshold=0.85), Album(work_on(filled))
    by_rule = text_borderline(album, config, 3)
    rows, other = filled.read("text").to_pylist(), {"text": "clean", "clean": "text"}
    overridden = [
        row | {"verdict": other[row["verdict"]], "ruled": row["verdict"], "by": "review"}
        for row in rows
    ]
    filled.write("text", manifest("text", overridden), MADE)
    assert text_borderline(album, config, 3) == by_rule


def pictures_of(step: Borderline) -> int:
    """Count the pictures of a step's histogram, from the words of its bars."""
    (drawn,) = step.histograms
    words = [re.findall(r"(\d+) (?:stayed|left)", bar.says) for bar in drawn.bars]
    return sum(int(count) for counts in words for count in counts)


def test_labels_that_people_chose_are_no_conflicts_of_any_policy(filled: Workspace) -> None:
    step = label_borderline(Album(work_on(filled)), BinarizeConfig(), 3)
    rows = filled.read("labels").to_pylist()
    chosen = next(row for row in rows if row["conflict"])
    chosen.update({"verdict": "kept", "target": 1})
    said = [row | {"by": "review" if row is chosen else "rule"} for row in rows]
    said[rows.index(chosen)]["ruled"] = "label_conflict"
    filled.write("labels", manifest("labels", said), MADE)
    after = label_borderline(Album(work_on(filled)), BinarizeConfig(conflicts="majority"), 3)
    assert step
    assert after
    assert after.now == step.now - 1
    assert pictures_of(after) == pictures_of(step) - 1
    assert by_setting(after)["conflicts drop"] == after.now


def test_moves_of_dedup_are_what_it_then_drops(filled: Workspace) -> None:
    step = pair_borderline(Album(work_on(filled)), DedupConfig(), 3)
    tables = {name: filled.read(name) for name in ("images", "text")}
    with TableEngine(filled.root, tables) as engine:
        make_clean(engine, by_quality=False)
        names, first = clean_names(engine), first_of_pixels(engine)
    for setting, dropped in by_setting(step).items():
        *name, value = setting.split()
        links = linked_pixels(first)
        config = DedupConfig.model_validate({"_".join(name): float(value)})
        link_looks(links, StoredPairs(filled.read("pairs"), names), config)
        assert dropped == (~links.by(KEEPER)).sum()
    assert by_setting(step)["distance 12"] == step.now + 1  # type: ignore[union-attr]


def test_a_near_miss_stands_on_the_other_side(filled: Workspace) -> None:
    step = pair_borderline(Album(work_on(filled)), DedupConfig(), 9)
    assert step
    same, other = step.sides
    assert len(same.examples) == 4
    (miss,) = other.examples
    assert miss.caption.startswith("11 bits apart")
    assert miss.beside


def test_moves_of_labels_follow_from_their_votes(filled: Workspace) -> None:
    step = label_borderline(Album(work_on(filled)), BinarizeConfig(), 3)
    votes = filled.read("labels").to_pandas()
    conflicts = votes[votes["conflict"]]
    tied = int((conflicts["positive_votes"] == conflicts["other_votes"]).sum())
    assert by_setting(step) == {"conflicts majority": tied, "conflicts positive": 0}
    assert step
    assert step.now == len(conflicts) > tied > 0
    assert HOSTILE in step.sides[0].examples[0].caption


def test_nothing_is_said_of_steps_that_have_not_run(tmp_path: Path) -> None:
    album = Album(work_on(Workspace(tmp_path)))
    assert text_borderline(album, TextRuleConfig(), 3) is None
    assert pair_borderline(album, DedupConfig(), 3) is None
    assert quality_borderline(album, QualityRuleConfig(drop="dark"), 3) is None
    assert label_borderline(album, BinarizeConfig(), 3) is None


def test_a_histogram_counts_every_row_once() -> None:
    values = np.array([0.1, 0.2, 0.6, 1.0, 7.0])
    leaves = np.array([False, True, False, True, True])
    drawn = histogram(values, leaves, AXIS, 0.5, "half")
    assert drawn
    assert [bar.says for bar in drawn.bars] == [
        "0 to 0.25: 1 stayed, 1 left",
        "0.5 to 0.75: 1 stayed, 0 left",
        "0.75 to 1: 0 stayed, 2 left",
    ]
    assert drawn.threshold == 320
    assert histogram(values[:0], leaves[:0], AXIS, 0.5, "half") is None
