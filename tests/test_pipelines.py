"""The pipeline files for one's own data run as they stand: what they list is a collection."""

from pathlib import Path

import pytest

from webemo_curate.cli.full_run import prepared
from webemo_curate.config import load_pipeline, override
from webemo_curate.stages.listing import ListingStage
from webemo_curate.workspace import Workspace

PIPELINES = Path(__file__).parents[1] / "pipelines"


@pytest.mark.parametrize("name", ["own-folder", "own-table"])
def test_ones_own_data_is_listed_with_its_labels(name: str, tmp_path: Path) -> None:
    config = override(load_pipeline(PIPELINES / f"{name}.yaml"), {"demo": {"pictures": 100}})
    with prepared(config, Workspace(tmp_path)) as complete:
        listing = ListingStage(complete.listing).run({}, None)["listing"]  # type: ignore[arg-type]
    assert listing.num_rows > 80
    assert listing["label"].null_count == listing["file"].null_count == 0
    assert "sadness" in listing["emotion"].to_pylist()
