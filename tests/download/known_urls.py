"""URLs of a fetch of which nothing is known yet."""

from collections.abc import Iterable
from pathlib import Path

import pyarrow as pa

from webemo_curate.download.known import Known
from webemo_curate.download.listed_urls import ListedUrls
from webemo_curate.table_engine import TableEngine


def known_of(folder: Path, urls: Iterable[str]) -> Known:
    """List URLs."""
    listing = pa.table({"url": pa.array(urls, pa.string())})
    with TableEngine(folder, {"listing": listing}) as engine:
        return Known(ListedUrls(engine, 0, "fetch"), folder)
