"""The text stage: decide from stored boxes which images bear text, in seconds, without OCR."""

from dataclasses import asdict
from typing import Any, ClassVar

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from webemo_curate import gates
from webemo_curate.config import TextRuleConfig
from webemo_curate.conform import conform
from webemo_curate.ocr.requirement import Rule
from webemo_curate.ocr.rule import Decisions, decide, rules
from webemo_curate.reviews.decided_reviews import REVIEWS, decided_by, tell_unused
from webemo_curate.reviews.review import Decision, ReviewKind
from webemo_curate.schemas import TEXT
from webemo_curate.stages.stage import Stage, StageContext, Tables
from webemo_curate.verdicts import TextVerdict


class TextStage(Stage[TextRuleConfig]):
    """Apply to every image's boxes the rule of the engine that found them."""

    name = "text"
    version = 4
    inputs: ClassVar = {"ocr": ("sha256", "engine", "engine_version", "readable", "boxes")}
    gate = gates.TEXT
    reviewed = ReviewKind.TEXT
    outputs = ("text",)

    def configuration(self) -> dict[str, Any]:
        """Return the rules themselves, so that a changed preset makes the manifest stale."""
        return {engine: asdict(rule) for engine, rule in rules(self.config).items()}

    def run(self, tables: Tables, context: StageContext) -> dict[str, pa.Table]:  # noqa: ARG002
        """Give every image its verdict; see `Stage.run`."""
        ocr = tables["ocr"]
        engines = ocr["engine"].cast(pa.string())
        parts = [
            _judge(ocr.filter(pc.equal(engines, engine)), rule)
            for engine, rule in rules(self.config).items()
        ]
        judged = pa.concat_tables(parts)
        reviews = tables.get(REVIEWS)
        if reviews is not None and reviews.num_rows:
            judged = _honoring(judged, reviews)
        return {"text": conform(judged, TEXT)}


def _judge(ocr: pa.Table, rule: Rule) -> pa.Table:
    boxes = ocr["boxes"].combine_chunks()
    decisions = decide(boxes, rule)
    return pa.table(
        {
            "sha256": ocr["sha256"],
            "engine": ocr["engine"].cast(pa.string()),
            "engine_version": ocr["engine_version"].cast(pa.string()),
            "boxes": boxes,
            "score": decisions.score,
            "area": decisions.area,
            "text": decisions.text,
            "threshold": pa.array(decisions.threshold, from_pandas=True),
            "verdict": _verdicts(ocr["readable"].combine_chunks(), decisions),
        }
    )


def _verdicts(readable: pa.Array, decisions: Decisions) -> pa.Array:
    judged = np.where(decisions.bears_text, TextVerdict.TEXT.value, TextVerdict.CLEAN.value)
    unreadable = pa.scalar(TextVerdict.UNREADABLE.value)
    return pc.if_else(readable, pa.array(judged, pa.string()), unreadable)


def _honoring(judged: pa.Table, reviews: pa.Table) -> pa.Table:
    """Replace the rule's verdicts by people's decisions; `ruled` keeps the rule's."""
    place = pc.index_in(judged["sha256"], reviews["sha256"].combine_chunks())
    decision = reviews["decision"].take(place)
    reviewed = decision.is_valid()
    tell_unused(TextStage.name, reviews.num_rows - pc.sum(reviewed).as_py(), reviews.num_rows)
    kept = pc.equal(decision, str(Decision.KEEP))
    said = pc.if_else(kept, TextVerdict.CLEAN.value, TextVerdict.TEXT.value)
    rule = judged["verdict"]
    verdict = pc.coalesce(said, rule)
    ruled = pc.if_else(reviewed, rule, pa.scalar(None, pa.string()))
    judged = judged.set_column(judged.column_names.index("verdict"), "verdict", verdict)
    return judged.append_column("by", decided_by(reviewed)).append_column("ruled", ruled)
