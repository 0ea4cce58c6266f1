"""The decisions: every URL or image that left the pipeline, with stage and reason."""

from typing import ClassVar

import pyarrow as pa

from webemo_curate.accounting import decide
from webemo_curate.config import StageConfig
from webemo_curate.gates import GATES
from webemo_curate.stages.stage import Stage, StageContext, Tables
from webemo_curate.verdicts import Split


class DecisionsStage(Stage[StageConfig]):
    """Collects what left at each stage into one manifest."""

    name = "decisions"
    inputs: ClassVar = {
        "listing": ("url",),
        **{gate.manifest: gate.columns for gate in GATES},
        **{str(split): ("sha256",) for split in Split},
    }
    outputs = ("decisions",)

    def run(self, tables: Tables, context: StageContext) -> dict[str, pa.Table]:  # noqa: ARG002
        """Account for all that left; see `Stage.run` and `accounting.decide`."""
        return {"decisions": decide(lambda name, columns: tables[name].select(columns))}
