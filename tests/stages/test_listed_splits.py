"""Splits that the listing names: kept where that is asked for, and said where it is not."""

import logging
import random
from pathlib import Path

import pyarrow as pa
import pytest

from tests.stages.corpus import Tables, corpus, run_stage
from webemo_curate.config import BinarizeConfig, SplitConfig, UndersampleConfig
from webemo_curate.manifest import Origin
from webemo_curate.stages.binarize import BinarizeStage
from webemo_curate.stages.split import SplitStage
from webemo_curate.stages.stage import Stage
from webemo_curate.stages.undersample import UndersampleStage
from webemo_curate.workspace import Workspace

NAMED = ("train", "train", "train", "validation", "test")


def split(place: Workspace, *, official: bool) -> Tables:
    """Split 200 pictures whose listing names splits in turn."""
    draw = random.Random(1)
    tables = corpus([draw.choice(["sadness", "zest"]) for _ in range(200)])
    rows = tables["listing"].num_rows
    column = tables["listing"].schema.get_field_index("official_split")
    kind = tables["listing"].schema.field(column).type
    named = [NAMED[row % len(NAMED)] for row in range(rows)]
    values = pa.array(named, pa.string()).cast(kind)
    tables["listing"] = tables["listing"].set_column(column, "official_split", values)
    place.write("listing", tables["listing"], Origin("listing", 1, {}, {}))
    stages: list[Stage] = [  # type: ignore[type-arg]
        BinarizeStage(BinarizeConfig()),
        UndersampleStage(UndersampleConfig(positive_fraction=0.5)),
        SplitStage(SplitConfig(official=official)),
    ]
    for stage in stages:
        tables = run_stage(stage, tables, place)
        for name in stage.outputs:
            place.write(name, tables[name], Origin(name, 1, {}, {}), stage.classes(place))
    return tables


@pytest.mark.parametrize("official", [True, False])
def test_listed_splits_are_kept_if_asked_for_and_else_said(
    official: bool, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "webemo_curate")
    tables = split(Workspace(tmp_path), official=official)
    named = dict(
        zip(*tables["listing"].select(["url", "official_split"]).to_pydict().values(), strict=True)
    )
    same = [
        named[url] == name
        for name in ("train", "validation", "test")
        for url in tables[name]["url"].to_pylist()
    ]
    assert all(same) == official
    said = "the listing's own splits (test, train, validation) are not kept; --official"
    assert (said in caplog.text) != official
