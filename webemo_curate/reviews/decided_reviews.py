"""The decisions that count, as stages read them: a table by kind, its digest, what it changed."""

import logging
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from webemo_curate.remedies import typed
from webemo_curate.reviews.review import ReviewKind
from webemo_curate.reviews.review_journal import ReviewJournal
from webemo_curate.table_digest import content_digest
from webemo_curate.workspace import Workspace

logger = logging.getLogger(__name__)

REVIEWS = "reviews"
"""The name under which a stage gets its table and records its digest."""

BY_RULE, BY_REVIEW = "rule", "review"

DECIDED = pa.schema([(name, pa.string()) for name in ("sha256", "other", "decision")])


def decided(workspace: Workspace, kind: ReviewKind) -> pa.Table:
    """Return the decision that counts of each case of a kind.

    Parameters
    ----------
    workspace : Workspace
        Whose reviews.
    kind : ReviewKind
        What was asked.

    Returns
    -------
    pa.Table
        Schema `DECIDED`, ordered by case. Who decided and when is no part of it: a stage does the
        same whoever it was.
    """
    rows = [each for each in ReviewJournal(workspace).deciding() if each.kind == kind]
    columns = {name: [getattr(each, name) for each in rows] for name in DECIDED.names}
    return pa.table(columns, schema=DECIDED)


def reviews_digest(reviews: pa.Table) -> dict[str, str]:
    """Return the input that reviews are of a stage; none if there are no reviews."""
    return {REVIEWS: content_digest(reviews)} if reviews.num_rows else {}


def decided_by(reviewed: Any) -> pa.Array:
    """Return the column `by` of rows, from a mask of those that a person decided.

    Where no person decided any it has no values: the manifest is then as it is without reviews.
    """
    if not pc.any(reviewed).as_py():
        return pa.nulls(len(reviewed), pa.string())
    return pc.if_else(reviewed, pa.scalar(BY_REVIEW), pa.scalar(BY_RULE))


def ruled(judged: pa.Table) -> pa.ChunkedArray:
    """Return what the rule itself says, whatever people said.

    Parameters
    ----------
    judged : pa.Table
        Columns `verdict` and `ruled` of the text or the labels manifest.

    Returns
    -------
    pa.ChunkedArray
        A `TextVerdict` or `LabelVerdict` a row, as plain text.
    """
    own, stands = (judged[name].cast(pa.string()) for name in ("ruled", "verdict"))
    return pc.coalesce(own, stands)


def tell_unused(stage: str, unused: int, total: int) -> None:
    """Say how many decisions found nothing to decide: their pictures are elsewhere, or nowhere."""
    if unused:
        logger.warning(
            "%s: %d of %d reviews changed nothing, as what they are of is not here; they are kept, "
            "and '%s' names them",
            *(stage, unused, total, typed("review --list")),
        )
