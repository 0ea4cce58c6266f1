"""The margins of the text filter: scores beside what was asked of them."""

from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from webemo_curate.config import TextRuleConfig
from webemo_curate.ocr.rule import decide, rules
from webemo_curate.remedies import typed
from webemo_curate.report.borderline import Borderline, Move, moved, nearest_side
from webemo_curate.report.examples import Album, Details
from webemo_curate.report.histogram import BINS, Axis, histogram
from webemo_curate.reviews.decided_reviews import ruled
from webemo_curate.verdicts import TextVerdict

COLUMNS = ["sha256", "engine", "boxes", "score", "threshold", "verdict", "ruled"]
PRESETS = ("strict", "balanced", "lenient")
THRESHOLDS = (0.5, 0.65, 0.8, 0.9)
"""Tried where a preset decides, which has no one threshold."""

STEPS = (-0.2, -0.1, -0.05, 0.05, 0.1, 0.2)
"""Tried around a threshold that was given."""

RULE = (
    "An image leaves if a box's confidence reaches what the rule asks of such a box: of few "
    "letters it asks more. 0 is where the confidence is just what was asked."
)
AXIS = Axis(
    "confidence of the decisive box, less what was asked of it (0 to 1)",
    *("images", "stayed", "left", np.linspace(-1, 1, BINS + 1)),
)


def text_borderline(album: Album, config: TextRuleConfig, count: int) -> Borderline | None:
    """Return what the text filter decided narrowly, by its own word where people said otherwise.

    Parameters
    ----------
    album : Album
        Shows pictures of the workspace.
    config : TextRuleConfig
        The rule that decided.
    count : int
        Examples of each side.

    Returns
    -------
    Borderline or None
        None until text was looked for.
    """
    if not album.workspace.has("text"):
        return None
    table = album.workspace.read("text", COLUMNS)
    leaves = pc.equal(ruled(table), TextVerdict.TEXT.value).to_numpy()
    margin = _floats(table, "score") - _floats(table, "threshold")
    measured = ~np.isnan(margin)
    now = int(leaves.sum())
    drawn = histogram(margin[measured], leaves[measured], AXIS, 0.0, "what was asked")
    sides = [
        nearest_side(
            *(album, NARROW, title, table["sha256"]),
            *(np.where(chosen & measured, margin, np.nan), count),
        )
        for title, chosen in (("left narrowly", leaves), ("stayed narrowly", ~leaves))
    ]
    moves = _moves(table, config, now)
    return Borderline("text", RULE, [drawn] if drawn else [], now, moves, sides)


def _moves(table: pa.Table, config: TextRuleConfig, now: int) -> list[Move]:
    counts = {}
    for change in _changes(config):
        ((name, value),) = change.items()
        reset = {"threshold": None, "min_area": None} if name == "preset" else {}
        other = config.model_copy(update=reset | change)
        setting = f"at {value:g}" if name == "threshold" else f"preset {value}"
        command = typed(f"filter-text --{name} {value}")
        counts[setting, command] = _bearing(table, other)
    return moved(now, counts)


def _changes(config: TextRuleConfig) -> list[dict[str, Any]]:
    """Return the settings to be tried, one field each."""
    presets = [{"preset": name} for name in PRESETS if name != config.preset]
    if config.threshold is None:
        return [{"threshold": value} for value in THRESHOLDS] + presets
    around = [round(config.threshold + step, 3) for step in STEPS]
    return [{"threshold": value} for value in around if 0 <= value <= 1] + presets


def _bearing(table: pa.Table, config: TextRuleConfig) -> int:
    """Return how many images would bear text by a rule."""
    engines = table["engine"].cast(pa.string())
    parts = {
        engine: table.filter(pc.equal(engines, engine))["boxes"].combine_chunks()
        for engine in pc.unique(engines).to_pylist()
    }
    by_engine = rules(config)
    return sum(
        int(decide(boxes, by_engine[engine]).bears_text.sum()) for engine, boxes in parts.items()
    )


def _floats(table: pa.Table, name: str) -> NDArray[np.float32]:
    return np.asarray(table[name].to_numpy(zero_copy_only=False), np.float32)


def _caption(row: dict[str, Any]) -> str:
    surest = max(row["boxes"], key=lambda box: box["confidence"], default={"text": ""})
    read = row["text"] or surest["text"]
    return f"“{read}”, confidence {row['score']:.3f}, asked {row['threshold']:.3f}"


NARROW = Details("text", "sha256", _caption, outlined=True)
