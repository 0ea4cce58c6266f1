"""`curate experiment` trains what is missing, measures it, and says what is significant."""

import json
from pathlib import Path

import pandas as pd
import pytest
import yaml

from tests.e2e.conftest import curate
from tests.training.conftest import TINY
from webemo_curate.config import load_experiment
from webemo_curate.errors import InputError
from webemo_curate.workspace import Workspace

PIPELINES = Path(__file__).parents[2] / "pipelines"


def write(folder: Path, **changes: object) -> Path:
    common = TINY.model_dump(mode="json", exclude={"grams", "seeds"}, exclude_unset=True)
    document = {
        "baseline": "k0",
        "common": common | {"epochs": 1, "seeds": 2},
        "networks": {"k0": {"grams": 0}, "k2": {"grams": 2}},
    }
    file = folder / "small.yaml"
    file.write_text(yaml.safe_dump(document | changes))
    return file


def test_networks_are_trained_measured_and_compared(workspace: Workspace, tmp_path: Path) -> None:
    file = write(tmp_path)
    output = curate("experiment", file, "--workspace", workspace.root, "--json")

    folder = workspace.root / "experiments" / "small"
    metrics = pd.read_parquet(folder / "metrics.parquet")
    assert metrics.groupby(["network", "on"]).size().to_dict() == {
        (network, on): 2 for network in ("k0", "k2") for on in ("validation", "test")
    }
    page = (folder / "results.md").read_text()
    assert "## test: 6 images" in page
    assert "| k0 | 0 | 2 |" in page
    assert "**not significant**" in page  # six images cannot show anything
    assert (folder / "roc-test.svg").read_text().startswith("<svg")
    assert "give UnbiasedEmo and Emotion-6 with `--test-set FOLDER`" in page
    (comparison,) = json.loads(output.splitlines()[-1])["comparisons"]
    assert comparison["network"] == "k2"
    gained = metrics[metrics["on"] == "test"].groupby("network")["accuracy"].mean()
    assert comparison["accuracy"]["value"] == pytest.approx(gained["k2"] - gained["k0"])
    assert len(comparison["mcnemar"]) == len(comparison["areas"]) == 2

    runs = {run: run.stat().st_mtime_ns for run in workspace.runs.glob("*/last.safetensors")}
    assert len(runs) == 4
    curate("experiment", file, "--workspace", workspace.root)
    assert {run: run.stat().st_mtime_ns for run in runs} == runs


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"baseline": "k7"}, "baseline 'k7' is none of k0, k2"),
        ({"networks": {}}, "networks"),
        ({"networks": {"../k": {}}, "baseline": "../k"}, "use letters"),
        ({"networks": {"k0": {}, "k1": {"seeds": 3}}}, "as many seeds"),
        ({"networks": {"k0": {"gramms": 1}}}, "gramms"),
    ],
)
def test_impossible_experiments_are_refused(
    tmp_path: Path, changes: dict[str, object], message: str
) -> None:
    file = write(tmp_path, **changes)
    with pytest.raises(InputError, match=message):
        load_experiment(file)


def test_the_papers_sweep_is_as_facts_say() -> None:
    config = load_experiment(PIPELINES / "paper.yaml")
    assert {name: network.grams for name, network in config.networks.items()} == {
        "k0": 0,
        "k2": 2,
        "k3": 3,
        "k4": 4,
        "k5": 5,
        "k0-plain": 0,
        "k4-plain": 4,
        "zhang": 0,
    }
    assert {network.seeds for network in config.networks.values()} == {5}
    assert config.networks["zhang"].epochs == 60
    assert config.networks["k4-plain"].augment == "none"
