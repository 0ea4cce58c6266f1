"""Rows that cannot give what is asked: one error at the stage that sees it, naming the counts."""

import pytest

from tests.stages.tables import listing, manifest, sha
from webemo_curate.config import BinarizeConfig, SplitConfig, UndersampleConfig
from webemo_curate.errors import InputError
from webemo_curate.stages.base import StageContext
from webemo_curate.stages.binarize import BinarizeStage
from webemo_curate.stages.split import SplitStage
from webemo_curate.stages.undersample import UndersampleStage


@pytest.mark.parametrize(("target", "counts"), [(1, "5 positive and 0 other"), (0, "0 .* and 5")])
def test_one_class_ends_at_undersampling(context: StageContext, target: int, counts: str) -> None:
    rows = [{"cluster": sha(n), "labels": ["x"], "label": "x", "target": target} for n in range(5)]
    tables = {"labels": manifest("labels", rows)}
    with pytest.raises(InputError, match=f"undersample: {counts}.*both classes are needed"):
        UndersampleStage(UndersampleConfig()).run(tables, context)


def test_nothing_left_ends_at_binarizing(context: StageContext) -> None:
    tables = {
        "listing": listing([{"url": "http://x/1", "label": "zest"}] * 3),
        "fetch": manifest("fetch", []),
        "duplicates": manifest("duplicates", []),
    }
    with pytest.raises(InputError, match=r"no image is left of 3 listed rows.*curate status"):
        BinarizeStage(BinarizeConfig()).run(tables, context)


@pytest.mark.parametrize(("count", "groups"), [(2, 2), (0, 0), (40, 1)])
def test_fewer_groups_than_splits_end_at_splitting(
    context: StageContext, count: int, groups: int
) -> None:
    names = [sha(n) for n in range(count)]
    group = {name: sha(n % groups) for n, name in enumerate(names)}
    tables = {
        "sample": manifest(
            "sample", [{"sha256": n, "target": 1, "label": "sadness"} for n in names]
        ),
        "images": manifest("images", [{"sha256": name} for name in names]),
        "duplicates": manifest(
            "duplicates",
            [{"sha256": n, "cluster": n, "matched": n, "group": group[n]} for n in names],
        ),
        "labels": manifest(
            "labels", [{"cluster": n, "labels": ["sadness"], "label": "sadness"} for n in names]
        ),
        "fetch": manifest("fetch", [{"url": f"http://x/{n}", "sha256": n} for n in names]),
        "listing": listing([]),
    }
    said = rf"split: {count} images in {groups} groups .*\(train \d+, validation \d+, test \d+\)"
    with pytest.raises(InputError, match=said):
        SplitStage(SplitConfig()).run(tables, context)
