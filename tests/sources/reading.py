"""Sources read as the listing stage reads them."""

import tempfile
from pathlib import Path
from typing import Any

import pyarrow as pa

from webemo_curate.config import ListingConfig
from webemo_curate.runner.local_runner import LocalRunner
from webemo_curate.stages.listing import ListingStage
from webemo_curate.stages.stage import StageContext
from webemo_curate.workspace import Workspace

URL = "http://a.example/{}.jpg"


def listing(*places: Path, **settings: Any) -> pa.Table:
    """Return the listing of some places."""
    config = ListingConfig(source=places, **settings)
    with tempfile.TemporaryDirectory() as folder:
        context = StageContext(Workspace(Path(folder)), LocalRunner(1), "read")
        tables: pa.Table = ListingStage(config).run({}, context)["listing"]
        return tables


def read_list(file: Path) -> pa.Table:
    """Return the listing of one list."""
    return listing(file)


def rows(place: Path, **options: Any) -> list[dict[str, Any]]:
    """Return the rows of the listing of one place."""
    return listing(place, **options).to_pylist()
