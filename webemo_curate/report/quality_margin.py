"""The margins of quality: scores beside the thresholds of the flags that drop pictures."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from webemo_curate.config import QualityRuleConfig
from webemo_curate.remedies import typed
from webemo_curate.report.borderline import Borderline, Move, moved, nearest_side
from webemo_curate.report.examples import Album, Details
from webemo_curate.report.histogram import BINS, Axis, Histogram, histogram
from webemo_curate.verdicts import GOOD_ENOUGH, QualityFlag

FACTORS = (0.8, 0.9, 1.1, 1.25)
"""Tried on every threshold."""

RULE = (
    "A picture leaves if a score of one of the flags to drop is below its threshold. Scores go "
    "from 0, the worst, to 1."
)

Thresholds = Mapping[QualityFlag, float]


def quality_borderline(album: Album, config: QualityRuleConfig, count: int) -> Borderline | None:
    """Return what quality decided narrowly.

    Parameters
    ----------
    album : Album
        Shows pictures of the workspace.
    config : QualityRuleConfig
        The flags to drop and their thresholds.
    count : int
        Examples of each side.

    Returns
    -------
    Borderline or None
        None where no flag with a threshold of its own drops pictures. Grayscale has none, and an
        odd size is told by the sizes of all pictures.
    """
    asked = {
        flag: getattr(config, flag)
        for flag in QualityFlag
        if flag in config.drop and hasattr(config, flag)
    }
    if not asked or not album.workspace.has("quality"):
        return None
    table = album.workspace.read("quality", ["sha256", "flags", "verdict", *asked])
    left = pc.not_equal(table["verdict"].cast(pa.string()), GOOD_ENOUGH).to_numpy()
    drawn = [_drawn(table, flag, threshold) for flag, threshold in asked.items()]
    gaps = np.column_stack([table[flag].to_numpy() - asked[flag] for flag in asked])
    nearest = np.abs(gaps).min(axis=1)
    shown = Details("quality", "sha256", _caption(asked))
    parts = {"left narrowly": left & (gaps < 0).any(axis=1), "stayed narrowly": ~left}
    sides = [
        nearest_side(
            *(album, shown, title, table["sha256"]),
            *(np.where(chosen, nearest, np.nan), count),
        )
        for title, chosen in parts.items()
    ]
    now = int(left.sum())
    moves = _moves(table, config, asked, now)
    return Borderline("quality", RULE, [one for one in drawn if one], now, moves, sides)


def _drawn(table: pa.Table, flag: QualityFlag, threshold: float) -> Histogram | None:
    scores = table[flag].to_numpy()
    axis = Axis(
        f"{flag}: score (0 to 1)", "pictures", "not flagged", "flagged", np.linspace(0, 1, BINS + 1)
    )
    return histogram(scores, scores < threshold, axis, threshold, f"{_option(flag)} {threshold:g}")


def _moves(table: pa.Table, config: QualityRuleConfig, asked: Thresholds, now: int) -> list[Move]:
    """Return what another threshold of one flag would do, the others as they are."""
    flagged = {flag: _flagged(table, flag) for flag in config.drop}
    counts = {}
    for flag, threshold in asked.items():
        others = [rows for other, rows in flagged.items() if other != flag]
        for factor in FACTORS:
            value = round(min(1.0, threshold * factor), 3)
            below = table[flag].to_numpy() < value
            command = typed(f"flag-quality {_option(flag)} {value:g}")
            counts[f"{flag} {value:g}", command] = int(np.any([below, *others], axis=0).sum())
    return moved(now, counts)


def _flagged(table: pa.Table, flag: QualityFlag) -> NDArray[np.bool_]:
    """Return which pictures have a flag."""
    flags = table["flags"].combine_chunks()
    rows = pc.list_parent_indices(flags).filter(pc.equal(flags.flatten(), str(flag)))
    found = np.zeros(table.num_rows, np.bool_)
    found[rows.to_numpy()] = True
    return found


def _caption(asked: Thresholds) -> Callable[[dict[str, Any]], str]:
    def caption(row: dict[str, Any]) -> str:
        flag = min(asked, key=lambda one: abs(row[one] - asked[one]))
        return f"{flag} {row[flag]:.3f}, asked {asked[flag]:.3f}"

    return caption


def _option(flag: QualityFlag) -> str:
    return f"--{flag.replace('_', '-')}"
