"""Targets of several classes: the votes settle one class a picture, and no group is parted."""

from collections import Counter

import pytest
from hypothesis import given, reject, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from tests.stages.corpus import Tables, corpus, homes, run_stage
from webemo_curate.config import BinarizeConfig, SplitConfig, UndersampleConfig
from webemo_curate.errors import InputError
from webemo_curate.manifest import Origin
from webemo_curate.stages.binarize import BinarizeStage
from webemo_curate.stages.split import SplitStage
from webemo_curate.stages.stage import Stage
from webemo_curate.stages.undersample import UndersampleStage
from webemo_curate.taxonomies import WEBEMO, load_taxonomy
from webemo_curate.verdicts import LabelVerdict, Split
from webemo_curate.workspace import Workspace

TAXONOMY = load_taxonomy(WEBEMO)
SOME = TAXONOMY.labels[::4]

few = settings(deadline=None, max_examples=12)


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """A workspace whose manifests each example writes anew."""
    return Workspace(tmp_path_factory.mktemp("targets"))


def curate(
    tables: Tables, place: Workspace, config: BinarizeConfig, **undersample: object
) -> Tables:
    """Binarize, undersample and split a corpus, manifests written as the pipeline writes them."""
    stages: list[Stage] = [  # type: ignore[type-arg]
        BinarizeStage(config),
        UndersampleStage(UndersampleConfig.model_validate(undersample)),
        SplitStage(SplitConfig()),
    ]
    place.write("listing", tables["listing"], Origin("listing", 1, {}, {}))
    for stage in stages:
        tables = run_stage(stage, tables, place)
        for name in stage.outputs:
            origin = Origin(stage.name, stage.version, stage.configuration(), {})
            place.write(name, tables[name], origin, stage.classes(place))
    return tables


@few
@given(
    st.lists(st.lists(st.sampled_from(TAXONOMY.labels), min_size=1, max_size=5), min_size=2),
    st.sampled_from(["drop", "majority"]),
    st.sampled_from(["level2", "labels"]),
)
def test_every_cluster_is_settled_by_its_votes(
    workspace: Workspace, labels: list[list[str]], policy: str, target: str
) -> None:
    level = {"labels": 1, "level2": 2}[target]
    config = BinarizeConfig.model_validate({"target": target, "conflicts": policy})
    tables = corpus(labels)
    workspace.write("listing", tables["listing"], Origin("listing", 1, {}, {}))
    stage = BinarizeStage(config)
    try:
        rows = run_stage(stage, tables, workspace)["labels"].to_pylist()
    except InputError:
        assert len({TAXONOMY.class_of(x, level) for own in labels for x in own}) < 2
        return
    names = stage.classes(workspace)
    assert names == tuple(sorted({TAXONOMY.class_of(x, level) for own in labels for x in own}))
    by_url = dict(zip(*tables["fetch"].select(["sha256", "url"]).to_pydict().values(), strict=True))
    for row in rows:
        own = labels[int(by_url[row["cluster"]].rpartition("/")[2])]
        votes = Counter(TAXONOMY.class_of(label, level) for label in own)
        (first, most), *others = votes.most_common()
        tied = bool(others) and others[0][1] == most
        dropped = bool(others) and (policy == "drop" or tied)
        assert row["conflict"] == bool(others)
        assert (row["verdict"] == LabelVerdict.CONFLICT) == dropped
        assert (row["target"] is None) == dropped
        assert (row["positive_votes"], row["other_votes"]) == (most, len(own) - most)
        if not dropped:
            assert names[row["target"]] == first
            assert TAXONOMY.class_of(row["label"], level) == first


@few
@given(
    st.lists(st.tuples(st.sampled_from(SOME), st.integers(0, 30)), min_size=30, max_size=120),
    st.sampled_from(["equal", "listed"]),
)
def test_no_group_is_parted_and_shares_are_as_wanted(
    workspace: Workspace, images: list[tuple[str, int]], shares: str
) -> None:
    labels, groups = zip(*images, strict=True)
    given_shares = {"shares": "listed"} if shares == "listed" else {}
    try:
        tables = curate(
            corpus(labels, groups), workspace, BinarizeConfig(target="labels"), **given_shares
        )
    except InputError:  # a class alone, or none in training
        reject()
    assert all(len(found) == 1 for found in homes(tables, "group").values())
    names = workspace.classes(Split.TRAIN)
    assert names == tuple(sorted(set(labels)))
    kept = Counter(
        names[target] for split in Split for target in tables[split]["target"].to_pylist()
    )
    listed = Counter(labels)
    if shares == "listed":
        assert kept == listed
    else:
        assert set(kept.values()) == {min(listed.values())}


def test_a_split_names_its_classes_and_labels_stand_under_them(workspace: Workspace) -> None:
    labels = [label for label in TAXONOMY.labels for _ in range(12)]
    tables = curate(corpus(labels), workspace, BinarizeConfig(target="level2"))
    names = workspace.classes(Split.TEST)
    assert names == TAXONOMY.classes(2)
    for split in Split:
        for row in tables[split].to_pylist():
            assert names[row["target"]] == TAXONOMY.class_of(row["label"], 2)


def test_names_left_out_are_no_classes(workspace: Workspace) -> None:
    labels = [label for label in TAXONOMY.labels for _ in range(12)]
    config = BinarizeConfig.model_validate(
        {"target": "level2", "exclude": "confusion,joy,surprise"}
    )
    curate(corpus(labels), workspace, config, shares="anger=2,fear=1,love=1,sadness=2")
    assert workspace.classes(Split.TRAIN) == ("anger", "fear", "love", "sadness")


def test_a_label_and_a_group_together_make_the_positive_class(workspace: Workspace) -> None:
    tables = corpus([label for label in TAXONOMY.labels for _ in range(2)])
    workspace.write("listing", tables["listing"], Origin("listing", 1, {}, {}))
    stage = BinarizeStage(BinarizeConfig(positive=("sadness", "zest")))
    rows = run_stage(stage, tables, workspace)["labels"].to_pylist()
    positive = {row["label"] for row in rows if row["target"] == 1}
    assert positive == {"zest", *TAXONOMY.covered(["sadness"], 2) & set(TAXONOMY.labels)}
    assert {row["label"] for row in rows} == set(TAXONOMY.labels)


@pytest.mark.parametrize("target", ["level2", "labels"])
def test_the_positive_policy_is_the_binary_targets_alone(target: str) -> None:
    with pytest.raises(ValidationError, match="--conflicts positive is for --target binary alone"):
        BinarizeConfig.model_validate({"target": target, "conflicts": "positive"})


def test_labels_without_groups_have_no_second_level(workspace: Workspace) -> None:
    tables = corpus(SOME)
    with pytest.raises(InputError, match="--target level2 needs labels with groups"):
        run_stage(BinarizeStage(BinarizeConfig(target="level2"), "as-listed"), tables, workspace)


def test_a_config_of_before_has_the_fingerprint_it_had() -> None:
    assert BinarizeConfig().fingerprint() == {
        "positive": "sadness",
        "level": 2,
        "conflicts": "drop",
        "exclude": [],
    }
    assert UndersampleConfig().fingerprint() == {"positive_fraction": 0.46, "size": None, "seed": 0}
