"""The binary target has the values that it had before there were several classes."""

import random
from pathlib import Path

import pytest

from tests.stages.corpus import corpus, run_stage
from webemo_curate.config import BinarizeConfig, SplitConfig, UndersampleConfig
from webemo_curate.manifest import Origin
from webemo_curate.stages.binarize import BinarizeStage
from webemo_curate.stages.split import SplitStage
from webemo_curate.stages.stage import Stage
from webemo_curate.stages.undersample import UndersampleStage
from webemo_curate.taxonomies import WEBEMO, load_taxonomy
from webemo_curate.workspace import Workspace

VOTED = {
    "labels": "88fe24b36b8c56af",
    "sample": "2e229d128d1268f5",
    "train": "b444af2470bea86a",
    "validation": "6cd380595bfbe9a8",
    "test": "d1ab0e2b38eaf559",
}
"""Starts of the content digests that the last version of two classes gave of the corpus below.
Two labels of a picture that conflict are a tie: dropping conflicts and the majority agree."""

POSITIVE = {
    "labels": "7399567d6f95814e",
    "sample": "53e4748101b8bf26",
    "train": "5994f5da7d784dc8",
    "validation": "532b1b276852da72",
    "test": "1b7bab0fe3b432b7",
}


@pytest.mark.parametrize(
    ("conflicts", "digests"), [("drop", VOTED), ("majority", VOTED), ("positive", POSITIVE)]
)
def test_manifests_are_those_of_before(
    conflicts: str, digests: dict[str, str], tmp_path: Path
) -> None:
    draw = random.Random(7)
    labels = load_taxonomy(WEBEMO).labels
    given = [draw.sample(labels, draw.choice([1, 1, 1, 2])) for _ in range(400)]
    tables = corpus(given, [draw.randrange(300) for _ in given])
    place = Workspace(tmp_path)
    place.write("listing", tables["listing"], Origin("listing", 1, {}, {}))
    stages: list[Stage] = [  # type: ignore[type-arg]
        BinarizeStage(BinarizeConfig.model_validate({"conflicts": conflicts})),
        UndersampleStage(UndersampleConfig()),
        SplitStage(SplitConfig()),
    ]
    for stage in stages:
        tables = run_stage(stage, tables, place)
        for name in stage.outputs:
            place.write(name, tables[name], Origin(name, 1, {}, {}), stage.classes(place))
    infos = {name: place.info(name) for name in digests}
    assert {name: info.digest[:16] for name, info in infos.items() if info} == digests
    assert place.classes("train") == ("others", "sadness")
