"""Cases for a person, of each kind, made from stored scores alone: whole columns at a time."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from webemo_curate.config import DedupConfig
from webemo_curate.duplicates.margins import MEASURES, pair_margins
from webemo_curate.duplicates.stored_pairs import from_table, named_images
from webemo_curate.frames import to_frame
from webemo_curate.reviews.decided_reviews import BY_REVIEW, ruled
from webemo_curate.reviews.review import Decision
from webemo_curate.verdicts import LabelVerdict, TextVerdict
from webemo_curate.workspace import Workspace

if TYPE_CHECKING:
    import pandas as pd

CASE_COLUMNS: Final = ["kind", "sha256", "other", "measure", "score", "threshold", "margin", "rule"]
"""Columns of a table of cases.

kind: `text`, `duplicate` or `label`; sha256: the picture, of a pair the one that would be kept, of
a conflict its cluster; other: the second of a pair, else missing; measure, score, threshold: what
decides, in words and numbers; margin: by how much, 0 or more where the rule says `drop` or `same`;
rule: what it says, as a decision.
"""

TEXT_COLUMNS: Final = ["sha256", "score", "threshold", "verdict", "ruled"]
"""Of the text manifest: cases of text are made of them."""

LABEL_COLUMNS: Final = [
    *("cluster", "label", "positive_votes", "other_votes", "conflict", "verdict"),
    *("ruled", "ruled_label"),
]
"""Of the labels manifest: conflicts are made of them."""

DOUBT_COLUMNS: Final = ["sha256", "label", "suggested", "suggested_probability", "score", "issue"]
"""Of the manifest of doubted labels."""

EVEN: Final = 0.5
"""The share of votes at which a conflict of labels is undecided."""


def text_cases(workspace: Workspace, margin: float) -> "pd.DataFrame":
    """Find pictures whose best box came near to what it had to reach, or passed it barely.

    Parameters
    ----------
    workspace : Workspace
        Has the text manifest.
    margin : float
        Largest difference of confidence and threshold.

    Returns
    -------
    DataFrame
        Columns `CASE_COLUMNS`.
    """
    text = workspace.read("text", TEXT_COLUMNS)
    away = pc.subtract(text["score"], text["threshold"])
    judged = pc.not_equal(ruled(text), TextVerdict.UNREADABLE.value)
    near = pc.and_(pc.less_equal(pc.abs(away), pa.scalar(margin, pa.float32())), judged)
    return _as_text_cases(text.append_column("margin", away).filter(near))


def texts_as_cases(workspace: Workspace, hashes: Sequence[str]) -> "pd.DataFrame":
    """Make cases of named pictures, whatever their scores: those of a sample.

    Parameters
    ----------
    workspace : Workspace
        Has the text manifest.
    hashes : sequence of str
        SHA-256 of pictures; the cases come in this order.

    Returns
    -------
    DataFrame
        Columns `CASE_COLUMNS`; a picture that is not in the manifest has no row.
    """
    text = workspace.read("text", TEXT_COLUMNS)
    text = text.append_column("margin", pc.subtract(text["score"], text["threshold"]))
    found = _as_text_cases(text.filter(pc.is_in(text["sha256"], pa.array(hashes, pa.string()))))
    place = found["sha256"].map({sha256: place for place, sha256 in enumerate(hashes)})
    return found.iloc[place.to_numpy().argsort()].reset_index(drop=True)


def _as_text_cases(text: pa.Table) -> "pd.DataFrame":
    bears = pc.equal(ruled(text), TextVerdict.TEXT.value).to_numpy()
    frame = to_frame(text).assign(
        kind="text", other=None, measure="confidence", rule=np.where(bears, "drop", "keep")
    )
    return frame[CASE_COLUMNS]


def duplicate_cases(workspace: Workspace, config: DedupConfig, margin: float) -> "pd.DataFrame":
    """Find measured pairs that the rule only just takes for the same picture, or just not.

    Parameters
    ----------
    workspace : Workspace
        Has the pairs manifest.
    config : DedupConfig
        The limits that pairs are held against.
    margin : float
        Largest margin; see `pair_margins`.

    Returns
    -------
    DataFrame
        Columns `CASE_COLUMNS`; a pair that was measured in several ways has one row, of the way
        that says most for the same picture.
    """
    pairs = workspace.read("pairs")
    found = pair_margins(from_table(pairs, named_images(pairs)), config)
    able = np.flatnonzero(found.margin >= -margin)
    frame = to_frame(pairs.select(["first", "second"]).take(pa.array(able)))
    frame["margin"] = found.margin[able]
    frame["score"], frame["threshold"] = found.score[able], found.threshold[able]
    frame["measure"] = np.asarray(MEASURES, object)[found.measure[able]]
    best = frame.sort_values("margin", kind="stable").drop_duplicates(
        ["first", "second"], keep="last"
    )
    near = best[best["margin"].abs() <= margin]
    near = near.rename(columns={"first": "sha256", "second": "other"})
    same = near["margin"] >= 0
    return near.assign(kind="duplicate", rule=np.where(same, "same", "different"))[CASE_COLUMNS]


def label_cases(workspace: Workspace) -> "pd.DataFrame":
    """Find clusters of one picture under labels of several classes: the votes decide, or none.

    Parameters
    ----------
    workspace : Workspace
        Has the labels manifest.

    Returns
    -------
    DataFrame
        Columns `CASE_COLUMNS`; all conflicts, for under the default policy each costs a picture.
    """
    labels = workspace.read("labels", LABEL_COLUMNS)
    labels = labels.filter(labels["conflict"])
    frame = to_frame(labels)
    votes = (frame["positive_votes"] + frame["other_votes"]).astype("float64")
    share = frame["positive_votes"].astype("float64") / votes
    kept = pc.equal(ruled(labels), LabelVerdict.KEPT.value).to_numpy()
    own = pc.coalesce(labels["ruled_label"], labels["label"]).to_numpy()
    return frame.rename(columns={"cluster": "sha256"}).assign(
        kind="label",
        other=None,
        measure="share of votes",
        score=share,
        threshold=EVEN,
        margin=share - EVEN,
        rule=np.where(kept, own, Decision.DROP),
    )[CASE_COLUMNS]


def doubt_cases(workspace: Workspace) -> "pd.DataFrame":
    """Find labels that networks doubt which have not seen them, where no person has decided.

    Parameters
    ----------
    workspace : Workspace
        Has the labels manifest; without doubts there are no cases.

    Returns
    -------
    DataFrame
        Columns `CASE_COLUMNS`, and `suggested`; the margin is the score: the lowest comes first.
    """
    if not workspace.has("label_issues"):
        return to_frame(pa.table({name: pa.nulls(0) for name in [*CASE_COLUMNS, "suggested"]}))
    doubts = workspace.read("label_issues", DOUBT_COLUMNS)
    frame = to_frame(doubts.filter(doubts["issue"]).drop_columns("issue"))
    labels = to_frame(workspace.read("labels", ["cluster", "label", "verdict", "by"]))
    stands = (labels["verdict"].astype(str) == "kept") & (labels["by"].astype(object) != BY_REVIEW)
    named = labels[stands].rename(columns={"cluster": "sha256"})[["sha256", "label"]]
    frame = frame.merge(named, on=["sha256", "label"])
    likely = (100 * frame["suggested_probability"]).round().astype(int).astype(str)
    return frame.assign(
        kind="label",
        other=None,
        measure="networks say " + frame["suggested"].astype(str) + " (" + likely + " %); trust",
        threshold=np.nan,
        margin=frame["score"],
        rule=frame["label"],
    )[[*CASE_COLUMNS, "suggested"]]


def nearest_first(cases: "pd.DataFrame") -> "pd.DataFrame":
    """Order cases by how uncertain they are, on either side of the threshold.

    Parameters
    ----------
    cases : DataFrame
        Columns `CASE_COLUMNS`.

    Returns
    -------
    DataFrame
        The same, numbered from 0; equally near ones by their hashes.
    """
    ordered = cases.assign(away=cases["margin"].abs()).sort_values(
        ["away", "sha256", "other"], kind="stable"
    )
    return ordered.drop(columns="away").reset_index(drop=True)
