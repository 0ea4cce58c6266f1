"""Rows that cannot give what is asked: one error at the stage that sees it, naming the counts."""

import pyarrow as pa
import pytest

from tests.stages.tables import listing, manifest, sha
from webemo_curate.config import BinarizeConfig, SplitConfig, UndersampleConfig
from webemo_curate.errors import InputError
from webemo_curate.stages.binarize import BinarizeStage
from webemo_curate.stages.split import SplitStage
from webemo_curate.stages.stage import StageContext
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


def split_tables(groups: list[str], targets: list[int]) -> dict[str, pa.Table]:
    """Return the inputs of the split stage for so many images."""
    names = [sha(n) for n in range(len(groups))]
    sample = [
        {"sha256": name, "target": target, "label": ["zest", "sadness"][target]}
        for name, target in zip(names, targets, strict=True)
    ]
    duplicates = [
        {"sha256": name, "cluster": name, "matched": name, "group": group}
        for name, group in zip(names, groups, strict=True)
    ]
    labels = [{"cluster": n, "labels": ["sadness"], "label": "sadness"} for n in names]
    return {
        "sample": manifest("sample", sample),
        "images": manifest("images", [{"sha256": name} for name in names]),
        "duplicates": manifest("duplicates", duplicates),
        "labels": manifest("labels", labels),
        "fetch": manifest("fetch", [{"url": f"http://x/{n}", "sha256": n} for n in names]),
        "listing": listing([]),
    }


@pytest.mark.parametrize(("count", "groups"), [(2, 2), (0, 0), (40, 1)])
def test_fewer_groups_than_splits_end_at_splitting(
    context: StageContext, count: int, groups: int
) -> None:
    tables = split_tables([sha(n % groups) for n in range(count)], [1] * count)
    said = rf"split: {count} images in {groups} groups .*\(train \d+, validation \d+, test \d+\)"
    with pytest.raises(InputError, match=said):
        SplitStage(SplitConfig()).run(tables, context)


@pytest.mark.parametrize(("target", "counts"), [(1, "40 positive and 0"), (0, "0 positive and 40")])
def test_a_train_split_of_one_class_ends_at_splitting(
    context: StageContext, target: int, counts: str
) -> None:
    tables = split_tables([sha(n) for n in range(50)], [target] * 50)
    with pytest.raises(InputError, match=f"split: train has {counts} other images, and needs both"):
        SplitStage(SplitConfig()).run(tables, context)


def test_a_small_split_of_one_class_is_told_with_its_counts(
    context: StageContext, caplog: pytest.LogCaptureFixture
) -> None:
    tables = split_tables([sha(n) for n in range(12)], [1] * 10 + [0] * 2)
    outputs = SplitStage(SplitConfig()).run(tables, context)
    assert all(outputs[split].num_rows for split in ("train", "validation", "test"))
    for split in ("validation", "test"):
        positives = sum(outputs[split]["target"].to_pylist())
        others = outputs[split].num_rows - positives
        said = f"split: {split} has {positives} positive and {others} other images"
        assert any(said in message for message in caplog.messages) == (not (positives and others))
    assert len(caplog.messages) >= 1
