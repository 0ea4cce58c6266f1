"""Sources read as the listing stage reads them."""

from pathlib import Path
from typing import Any

import pyarrow as pa

from webemo_curate.config import ListingConfig
from webemo_curate.stages.listing import ListingStage


def listing(*places: Path, **settings: Any) -> pa.Table:
    """Return the listing of some places."""
    config = ListingConfig(source=places, **settings)
    tables: pa.Table = ListingStage(config).run({}, None)["listing"]  # type: ignore[arg-type]
    return tables


def read_list(file: Path) -> pa.Table:
    """Return the listing of one list."""
    return listing(file)
