"""The pipeline files for one's own data run as they stand, from a collection to a network."""

import json
from pathlib import Path

import pytest

from tests.cli.command import curate
from webemo_curate.cli.full_run import prepared
from webemo_curate.config import load_pipeline, override
from webemo_curate.runner.local_runner import LocalRunner
from webemo_curate.stages.listing import ListingStage
from webemo_curate.stages.stage import StageContext
from webemo_curate.workspace import Workspace

PIPELINES = Path(__file__).parents[1] / "pipelines"


@pytest.mark.parametrize("name", ["own-folder", "own-table"])
def test_ones_own_data_is_listed_with_its_labels(name: str, tmp_path: Path) -> None:
    config = override(load_pipeline(PIPELINES / f"{name}.yaml"), {"demo": {"pictures": 100}})
    with prepared(config, Workspace(tmp_path)) as complete:
        context = StageContext(Workspace(tmp_path), LocalRunner(1), "read")
        listing = ListingStage(complete.listing).run({}, context)["listing"]
    assert listing.num_rows > 80
    assert listing["label"].null_count == listing["file"].null_count == 0
    assert "sadness" in listing["emotion"].to_pylist()


SMALL = {
    "pictures: 300": "pictures: 100",
    "image_size: 64": "image_size: 32",
    "epochs: 4": "epochs: 1",
}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "positive"), [("own-folder", "sadness"), ("own-table", "sadness or fear")]
)
def test_ones_own_data_ends_in_a_trained_network(name: str, positive: str, tmp_path: Path) -> None:
    text = (PIPELINES / f"{name}.yaml").read_text(encoding="utf-8")
    for whole, part in SMALL.items():
        assert whole in text
        text = text.replace(whole, part)
    file = tmp_path / "small.yaml"
    file.write_text(text, encoding="utf-8")
    said = curate("run", file, "--workspace", tmp_path / "ws", "--json")
    assert said.code == 0, said
    (evaluation,) = json.loads(said.results)["evaluations"]
    assert set(evaluation["per_class"]) == {"others", positive}
    assert evaluation["images"] > 0
    assert "Everything adds up" in curate("verify", "--workspace", tmp_path / "ws").results
