"""The decisions stage: every URL or image that left the pipeline, with stage and reason."""

from collections.abc import Mapping
from typing import ClassVar

import pyarrow as pa

from webemo_curate.config import StageConfig
from webemo_curate.departures import departures
from webemo_curate.gate_queries import read_of
from webemo_curate.gates import GATES, QUALITY
from webemo_curate.stages.stage import StageContext, TableStage
from webemo_curate.table_engine import TableEngine
from webemo_curate.verdicts import Split


class DecisionsStage(TableStage[StageConfig]):
    """Collects what left at each stage into one manifest."""

    name = "decisions"
    inputs: ClassVar = {
        **read_of(gate for gate in GATES if not gate.optional),
        **{str(split): ("sha256",) for split in Split},
    }
    outputs = ("decisions",)

    def __init__(self, config: StageConfig, *, by_quality: bool = False) -> None:
        super().__init__(config)
        # Manifests made without dropping for quality stay current.
        self._gates = tuple(gate for gate in GATES if by_quality or gate is not QUALITY)

    def reads(self) -> Mapping[str, tuple[str, ...]]:
        """Return `inputs`, and `quality` if pictures are dropped for it."""
        return self.inputs | read_of(self._gates)

    def derive(self, engine: TableEngine, context: StageContext) -> dict[str, pa.Table]:  # noqa: ARG002
        """List everything that left; see `Stage.run` and `departures`."""
        return {"decisions": departures(engine, self._gates)}
