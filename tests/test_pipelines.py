"""The pipeline files for one's own data run as they stand: what they list is a collection."""

from pathlib import Path

import pytest

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
    place = Workspace(tmp_path)
    with prepared(config, place) as complete:
        context = StageContext(place, LocalRunner(1), "read")
        listing = ListingStage(complete.listing).run({}, context)["listing"]
    assert listing.num_rows > 80
    assert listing["label"].null_count == listing["file"].null_count == 0
    assert "sadness" in listing["emotion"].to_pylist()
