"""The votes that labels decided by, and how narrow they were."""

from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from webemo_curate.config import BinarizeConfig
from webemo_curate.remedies import typed
from webemo_curate.report.borderline import Borderline, Move, moved, nearest_side
from webemo_curate.report.examples import Album, Details
from webemo_curate.report.histogram import Axis, histogram
from webemo_curate.reviews.decided_reviews import BY_REVIEW, BY_RULE
from webemo_curate.verdicts import LabelVerdict

COLUMNS = ["cluster", "labels", "positive_votes", "other_votes", "conflict", "verdict", "by"]
RULE = (
    "A picture listed more than once may stand under labels of both classes. Without a policy such "
    "a conflict leaves; by majority the class with most listed lines decides, and half is the "
    "threshold."
)
AXIS = Axis(
    "share of listed lines under a positive label (0 to 1), of pictures listed more than once",
    *("pictures", "stayed", "left as a conflict", np.linspace(0, 1, 21)),
)


def label_borderline(album: Album, config: BinarizeConfig, count: int) -> Borderline | None:
    """Return what the labels decided narrowly; what people decided is no part of it.

    Parameters
    ----------
    album : Album
        Shows pictures of the workspace.
    config : BinarizeConfig
        The policy that decided.
    count : int
        Examples of each side.

    Returns
    -------
    Borderline or None
        None until labels were settled.
    """
    if not album.workspace.has("labels"):
        return None
    table = album.workspace.read("labels", COLUMNS)
    verdict = table["verdict"].cast(pa.string())
    left = pc.equal(verdict, LabelVerdict.CONFLICT.value).to_numpy()
    kept = pc.equal(verdict, LabelVerdict.KEPT.value).to_numpy()
    ours, others = (table[f"{side}_votes"].to_numpy() for side in ("positive", "other"))
    ruled = pc.not_equal(pc.fill_null(table["by"].cast(pa.string()), BY_RULE), BY_REVIEW).to_numpy()
    several = (ours + others > 1) & (left | kept) & ruled
    share = ours[several] / (ours + others)[several]
    drawn = histogram(share, left[several], AXIS, 0.5, "half of the lines")
    conflict = table["conflict"].to_numpy(zero_copy_only=False).astype(bool) & ruled
    distance = np.abs(ours / np.maximum(ours + others, 1) - 0.5)
    labels = pc.list_value_length(table["labels"]).to_numpy()
    parts = {"left narrowly": left, "stayed narrowly": kept & ruled & (labels > 1)}
    sides = [
        nearest_side(
            *(album, NARROW, title, table["cluster"]),
            *(np.where(chosen, distance, np.nan), count),
        )
        for title, chosen in parts.items()
    ]
    moves = _moves(config, conflict, ours == others, int(left.sum()))
    return Borderline("binarize", RULE, [drawn] if drawn else [], int(left.sum()), moves, sides)


def _moves(
    config: BinarizeConfig, conflict: NDArray[np.bool_], tied: NDArray[np.bool_], now: int
) -> list[Move]:
    """Return what other policies would do; of several classes a tie cannot be told from votes."""
    if config.target != "binary":
        return []
    leaving = {
        "drop": int(conflict.sum()),
        "majority": int((conflict & tied).sum()),
        "positive": 0,
    }
    counts = {
        (f"conflicts {policy}", typed(f"binarize --conflicts {policy}")): dropped
        for policy, dropped in leaving.items()
        if policy != config.conflicts
    }
    return moved(now, counts)


def _caption(row: dict[str, Any]) -> str:
    votes = f"{row['positive_votes']} positive, {row['other_votes']} other listed lines"
    return f"{', '.join(row['labels'])}: {votes}"


NARROW = Details("labels", "cluster", _caption)
