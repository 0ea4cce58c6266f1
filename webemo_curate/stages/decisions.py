"""The decisions: every URL or image that left the pipeline, with stage and reason."""

from typing import ClassVar

import pyarrow as pa

from webemo_curate.config import StageConfig
from webemo_curate.departures import READ, departures
from webemo_curate.stages.stage import StageContext, TableStage
from webemo_curate.table_engine import TableEngine
from webemo_curate.verdicts import Split


class DecisionsStage(TableStage[StageConfig]):
    """Collects what left at each stage into one manifest."""

    name = "decisions"
    inputs: ClassVar = {
        **READ,
        **{str(split): ("sha256",) for split in Split},
    }
    outputs = ("decisions",)

    def derive(self, engine: TableEngine, context: StageContext) -> dict[str, pa.Table]:  # noqa: ARG002
        """Account for all that left; see `Stage.run` and `departures`."""
        return {"decisions": departures(engine)}
