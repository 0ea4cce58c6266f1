"""The listing: every line of the lists, with its label at all three levels."""

from typing import ClassVar

import pyarrow as pa
import pyarrow.compute as pc

from webemo_curate.config import ListingConfig
from webemo_curate.credentials import masked
from webemo_curate.sources.webemo import digest, list_files, read_list
from webemo_curate.stages.stage import Stage, StageContext, Tables


class ListingStage(Stage[ListingConfig]):
    """Reads WEBEmo-formed lists into one manifest."""

    name = "listing"
    version = 2
    inputs: ClassVar = {}
    outputs = ("listing",)

    def extra_inputs(self) -> dict[str, str]:
        """Return each list's SHA-256 by its name; see `Stage.extra_inputs`."""
        return {file.name: digest(file) for file in list_files(self.config.lists)}

    def run(self, tables: Tables, context: StageContext) -> dict[str, pa.Table]:  # noqa: ARG002
        """Parse the lists; see `Stage.run` and `sources.webemo.read_list`."""
        rows = [read_list(file) for file in list_files(self.config.lists)]
        return {"listing": _without_credentials(pa.concat_tables(rows))}


def _without_credentials(rows: pa.Table) -> pa.Table:
    """Mask users and passwords: no manifest or page may hold them, and none is ever sent."""
    if not pc.any(pc.match_substring(rows["url"], "@")).as_py():
        return rows
    urls = pa.array([masked(url) for url in rows["url"].to_pylist()], pa.string())
    return rows.set_column(rows.column_names.index("url"), "url", urls)
