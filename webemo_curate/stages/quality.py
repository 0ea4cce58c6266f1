"""The quality stage: flag pictures by their stored measures, in seconds, without decoding.

This is not a row-local stage, because which size is odd depends on the sizes of all pictures. The
row-local half, measuring, is done by the images stage while it has the pixels.
"""

from typing import ClassVar

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from webemo_curate import gates
from webemo_curate.config import QualityRuleConfig
from webemo_curate.conform import conform
from webemo_curate.quality_schemas import MEASURES, QUALITY
from webemo_curate.stages.decoded_images import decoded_rows
from webemo_curate.stages.quality_scores import Scores, scores_of
from webemo_curate.stages.stage import Stage, StageContext, Tables
from webemo_curate.verdicts import GOOD_ENOUGH, QualityFlag

SHAPE = ("width", "height", "mode")
GRAYSCALE_THRESHOLD = 1.0
"""Threshold of a score that is either 0 or 1."""


class QualityStage(Stage[QualityRuleConfig]):
    """Compare every picture's scores with their thresholds; drop the configured flags."""

    name = "quality"
    inputs: ClassVar = {
        "images": ("sha256", "decode_status", *SHAPE),
        "measures": tuple(MEASURES.names),
    }
    gate = gates.QUALITY
    outputs = ("quality",)

    def run(self, tables: Tables, context: StageContext) -> dict[str, pa.Table]:  # noqa: ARG002
        """Give every decoded picture its scores, flags and verdict; see `Stage.run`."""
        pictures = _measured(tables)
        scores, size_threshold = scores_of(pictures, self.config.size_ranges)
        thresholds = self._thresholds(size_threshold)
        below = {flag: scores[flag] < thresholds[flag] for flag in QualityFlag}
        columns = {
            "sha256": pictures["sha256"],
            **{str(flag): scores[flag] for flag in QualityFlag},
            "flags": _flags(below),
            **self._verdicts(scores, thresholds, below),
        }
        return {"quality": conform(pa.table(columns), QUALITY)}

    def _thresholds(self, size_threshold: float) -> dict[QualityFlag, float]:
        of_data = {
            QualityFlag.GRAYSCALE: GRAYSCALE_THRESHOLD,
            QualityFlag.ODD_SIZE: size_threshold,
        }
        return {
            flag: of_data[flag] if flag in of_data else getattr(self.config, flag)
            for flag in QualityFlag
        }

    def _verdicts(
        self,
        scores: dict[QualityFlag, Scores],
        thresholds: dict[QualityFlag, float],
        below: dict[QualityFlag, npt.NDArray[np.bool_]],
    ) -> dict[str, pa.Array]:
        """Return the first flag that each picture is dropped for, with its score."""
        rows = len(scores[QualityFlag.DARK])
        verdict = np.full(rows, GOOD_ENOUGH, dtype=object)
        score, threshold = np.full(rows, np.nan), np.full(rows, np.nan)
        for flag in [flag for flag in QualityFlag if flag in self.config.drop][::-1]:
            leaves = below[flag]
            verdict[leaves], threshold[leaves] = str(flag), thresholds[flag]
            score[leaves] = scores[flag][leaves]
        return {
            "verdict": pa.array(verdict, pa.string()),
            "score": pa.array(score, from_pandas=True),
            "threshold": pa.array(threshold, from_pandas=True),
        }


def _measured(tables: Tables) -> pa.Table:
    """Return the measures of decoded pictures, with size and mode."""
    images = decoded_rows(tables["images"].select(["sha256", "decode_status", *SHAPE]))
    shapes = images.select(["sha256", "width", "height"])
    shapes = shapes.append_column("mode", images["mode"].cast(pa.string()))
    return shapes.join(tables["measures"], "sha256", join_type="inner").combine_chunks()


def _flags(below: dict[QualityFlag, npt.NDArray[np.bool_]]) -> pa.Array:
    """Return each picture's flags, in order."""
    names = np.array([str(flag) for flag in QualityFlag])
    held = np.column_stack([below[flag] for flag in QualityFlag])
    ends = np.concatenate([[0], np.cumsum(held.sum(axis=1))])
    flagged = pa.array(names[np.nonzero(held)[1]].tolist(), pa.string())
    return pa.ListArray.from_arrays(pa.array(ends, pa.int32()), flagged)
