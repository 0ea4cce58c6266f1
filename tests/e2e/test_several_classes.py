"""`--target level2` through the commands: lists to splits, network, figures and files."""

import json
import shutil
from pathlib import Path

import pytest
import yaml

from tests.e2e.conftest import curate
from tests.trainable import TINY
from webemo_curate.taxonomies import WEBEMO, load_taxonomy
from webemo_curate.workspace import Workspace

TINY_TRAINING = TINY.model_copy(update={"epochs": 1, "grams": 0})


@pytest.fixture(scope="module")
def told_apart(curated: Path, tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """A copy of the curated workspace, split for level 2's groups."""
    root = shutil.copytree(curated, tmp_path_factory.mktemp("level2") / "ws")
    file = root / "curate.yaml"
    training = {"train": TINY_TRAINING.model_dump(mode="json", exclude_unset=True)}
    file.write_text(yaml.safe_dump(yaml.safe_load(file.read_text()) | training))
    # The drawn world has a picture or two of surprise: too few to train on.
    curate("binarize", "--target", "level2", "--exclude", "surprise", "--workspace", root)
    curate("undersample", "--shares", "listed", "--workspace", root)
    curate("split", "--ratios", "60/20/20", "--workspace", root)
    return Workspace(root)


def test_the_splits_name_the_groups(told_apart: Workspace) -> None:
    taxonomy = load_taxonomy(WEBEMO)
    names = told_apart.classes("train")
    assert len(names) > 2
    assert set(names) <= set(taxonomy.classes(2)) - {"surprise"}
    for split in ("train", "validation", "test"):
        for row in told_apart.read(split, ["label", "target"]).to_pylist():
            assert taxonomy.class_of(row["label"], 2) == names[row["target"]]
    said = curate("status", "--workspace", told_apart.root)
    assert f"{len(names)} classes, " in said
    curate("verify", "--workspace", told_apart.root)


@pytest.mark.slow
def test_a_network_tells_them_apart_to_the_end(told_apart: Workspace, tmp_path: Path) -> None:
    root, names = told_apart.root, [*told_apart.classes("train")]
    curate("train-model", "--workspace", root)
    said = curate("evaluate", "--on", "test", "--workspace", root, "--json")
    document = json.loads(said.splitlines()[-1])
    assert [*document["per_class"]] == names
    assert sum(map(sum, document["confusion"])) == document["images"]
    picture = told_apart.read("test", ["path"])["path"][0].as_py()
    answer = curate(
        *("predict", document["run"], root / picture, "--workspace", root, "--json"),
        *("--figure", tmp_path / "row.png", "--grad-cam"),
    )
    (told,) = json.loads(answer.splitlines()[-1])["predictions"]
    assert [*told["probabilities"]] == names
    assert told["label"] == max(told["probabilities"], key=told["probabilities"].get)
    assert (tmp_path / "row.png").stat().st_size
    curate("report", "--workspace", root)


def test_going_back_gives_the_splits_of_before(
    told_apart: Workspace, curated: Path, tmp_path: Path
) -> None:
    root = shutil.copytree(told_apart.root, tmp_path / "back")
    (root / "curate.yaml").write_text((curated / "curate.yaml").read_text())
    curate("split", "--target", "binary", "--workspace", root)
    for split in ("train", "validation", "test"):
        name = f"manifests/{split}.parquet"
        assert (root / name).read_bytes() == (curated / name).read_bytes()
