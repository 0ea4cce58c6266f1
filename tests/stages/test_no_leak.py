"""From labels to splits: nothing leaks or moves without need, and the paper's sizes result."""

import shutil
from collections import Counter

import pytest
from hypothesis import HealthCheck, given, reject, settings
from hypothesis import strategies as st
from sklearn.model_selection import train_test_split

from tests.stages.corpus import corpus, curate, draw_labels, homes, run_stage
from tests.stages.tables import sha
from webemo_curate.config import BinarizeConfig, SplitConfig, UndersampleConfig
from webemo_curate.errors import InputError
from webemo_curate.manifest import Origin
from webemo_curate.stages.binarize import BinarizeStage
from webemo_curate.stages.split import SplitStage
from webemo_curate.taxonomies import WEBEMO, load_taxonomy
from webemo_curate.verdicts import LabelVerdict, Split
from webemo_curate.workspace import Workspace

ORIGIN = Origin("split", 1, {}, {})
LABELS = load_taxonomy(WEBEMO).labels
SAD = load_taxonomy(WEBEMO).covered(["sadness"])

several = settings(
    max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
grouped_images = st.lists(
    st.tuples(st.sampled_from(LABELS), st.integers(0, 30)), min_size=20, max_size=120
)


@pytest.fixture
def workspace(tmp_path):
    return Workspace(tmp_path / "workspace")


@pytest.fixture
def save_split(tmp_path, workspace):
    """Write the three manifests of a split to a folder of their own."""

    def save(tables):
        for split in Split:
            workspace.write(split, tables[split], ORIGIN)
        return shutil.move(workspace.manifests, tmp_path / "earlier")

    return save


@several
@given(grouped_images, st.integers(0, 5))
def test_no_group_stands_in_two_splits(workspace, images, seed):
    labels, groups = zip(*images, strict=True)
    try:
        tables = curate(
            corpus(labels, groups),
            workspace,
            UndersampleConfig(positive_fraction=0.3),
            SplitConfig(seed=seed),
        )
    except InputError:  # too few groups or one class alone: tests/stages/test_too_few.py
        reject()
    assert all(len(found) == 1 for found in homes(tables, "group").values())
    total = sum(tables[split].num_rows for split in Split)
    largest = max(Counter(groups).values())
    for split, share in zip(Split, (0.8, 0.1, 0.1), strict=True):
        assert abs(tables[split].num_rows - total * share) <= largest


def test_a_plain_stratified_split_of_the_same_data_leaks(workspace):
    labels = draw_labels(2_000, 0.46)
    tables = curate(corpus(labels, [number // 3 for number in range(len(labels))]), workspace)

    rows = [row for split in Split for row in tables[split].to_pylist()]
    train, tested = train_test_split(
        rows, test_size=0.1, stratify=[row["target"] for row in rows], random_state=0
    )
    leaked = {row["group"] for row in train} & {row["group"] for row in tested}
    ours = homes(tables, "group")
    assert len(leaked) > 100
    assert not [group for group, found in ours.items() if len(found) > 1]


@several
@given(
    st.lists(st.lists(st.sampled_from(LABELS), min_size=1, max_size=4), min_size=1),
    st.sampled_from(["drop", "positive", "majority"]),
)
def test_every_policy_settles_every_conflict(workspace, labels, policy):
    tables = run_stage(BinarizeStage(BinarizeConfig(conflicts=policy)), corpus(labels), workspace)
    rows = {row["cluster"]: row for row in tables["labels"].to_pylist()}
    assert len(rows) == len(labels)
    for row in rows.values():
        sad = sum(label in SAD for label in row["labels"])
        assert row["conflict"] == (0 < sad < len(row["labels"]))
        assert (row["target"] is None) == (row["verdict"] != LabelVerdict.KEPT)
        if not row["conflict"]:
            assert row["target"] == int(sad > 0)
        elif policy == "drop":
            assert row["verdict"] == LabelVerdict.CONFLICT
        elif policy == "positive":
            assert row["target"] == 1
        elif row["positive_votes"] != row["other_votes"]:
            assert row["target"] == int(row["positive_votes"] > row["other_votes"])


@several
@given(st.integers(60, 300), st.integers(0, 3))
def test_one_image_more_of_the_larger_class_changes_one_place(workspace, count, seed):
    labels = [*draw_labels(count, 0.3, seed), "zest"]
    before, after = (
        {
            row["sha256"]
            for row in curate(corpus(chosen), workspace)["sample"].to_pylist()
            if row["kept"]
        }
        for chosen in (labels[:-1], labels)
    )
    assert len(before) == len(after)
    assert len(before - after) <= 1


def test_an_extended_split_moves_no_old_image(workspace, save_split):
    labels = draw_labels(900, 0.46)
    groups = [number // 2 for number in range(900)]
    old = curate(corpus(labels[:600], groups[:600]), workspace)
    extended = curate(
        corpus(labels, groups), workspace, split=SplitConfig(extend=save_split(old), seed=7)
    )
    before, after = homes(old), homes(extended)
    stayed = before.keys() & after.keys()
    assert len(stayed) > 0.9 * len(before)
    assert all(before[name] == after[name] for name in stayed)
    assert len(after) > len(before)
    total = sum(extended[split].num_rows for split in Split)
    assert abs(extended[Split.TRAIN].num_rows - 0.8 * total) <= 2
    assert all(len(found) == 1 for found in homes(extended, "group").values())


def test_groups_that_new_pictures_join_are_tested_on_and_said(workspace, save_split, caplog):
    labels = draw_labels(200, 0.46)
    old = curate(corpus(labels), workspace)
    earlier = save_split(old)
    # Forty pictures, some of them tested on before, turn out to be one group.
    groups = [0] * 40 + list(range(1, 161))
    joined = curate(corpus(labels, groups), workspace, split=SplitConfig(extend=earlier))

    assert homes(joined, "group")[sha("group 0")] == {Split.TEST}
    assert "related across it" in caplog.text


def test_a_folder_without_a_split_cannot_be_extended(tmp_path):
    stage = SplitStage(SplitConfig(extend=tmp_path))
    with pytest.raises(InputError, match=r"train\.parquet: no split manifest"):
        stage.extra_inputs()


@pytest.mark.slow
def test_the_papers_funnel(workspace):
    # 220,854 images, of which the published lists say that 25.5 % are sad (paper, section 4).
    tables = curate(
        corpus(draw_labels(220_854, 0.255)),
        workspace,
        UndersampleConfig(positive_fraction=0.46, size=61_074),
    )
    sizes = {split: tables[split].num_rows for split in Split}
    positives = sum(sum(tables[split]["target"].to_pylist()) for split in Split)
    assert sum(sizes.values()) == 61_074
    assert 0.459 <= positives / 61_074 <= 0.4601
    # The paper's 26,445 + 22,413, and 3,284 + 2,823 twice.
    assert abs(sizes[Split.TRAIN] - 48_858) <= 2
    assert abs(sizes[Split.VALIDATION] - 6_107) <= 2
    assert abs(sizes[Split.TEST] - 6_107) <= 2
