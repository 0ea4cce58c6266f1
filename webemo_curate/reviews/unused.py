"""Find decisions without effect: their pictures are not where a decision would count."""

from collections.abc import Iterable

import pyarrow.compute as pc

from webemo_curate.reviews.review import Decision, Review, ReviewKind
from webemo_curate.workspace import Workspace

JUDGED = {
    ReviewKind.TEXT: ("text", "the text filter has not judged it"),
    ReviewKind.DUPLICATE: ("duplicates", "it is not among the pictures compared"),
    ReviewKind.LABEL: ("duplicates", "it is not among the pictures that get a class"),
}
"""By kind: the manifest that must have the picture, and what is said where it has not."""


def unused_reasons(workspace: Workspace, reviews: Iterable[Review]) -> dict[Review, str]:
    """Return the decisions without effect, and why.

    Parameters
    ----------
    workspace : Workspace
        Its manifests are read as far as they are there; a stage that has not run says nothing.
    reviews : iterable of Review
        Such as those that decide.

    Returns
    -------
    dict of Review to str
        Each decision without effect, with its reason.
    """
    images = _hashes(workspace, "images")
    judged = {kind: _hashes(workspace, manifest) for kind, (manifest, _) in JUDGED.items()}
    labels = _labels(workspace)
    reasons = {}
    for review in reviews:
        names = [name for name in (review.sha256, review.other) if name]
        there = judged[review.kind]
        if images is not None and not images.issuperset(names):
            reasons[review] = "no picture here has this hash"
        elif there is not None and not there.issuperset(names):
            reasons[review] = JUDGED[review.kind][1]
        elif review.kind == ReviewKind.LABEL and _unknown(review.decision, labels):
            reasons[review] = "no listed picture has this label"
    return reasons


def _unknown(decision: str, labels: set[str] | None) -> bool:
    """Tell whether a decision names a label that the listing lacks."""
    return labels is not None and decision != Decision.DROP and decision not in labels


def _hashes(workspace: Workspace, manifest: str) -> set[str] | None:
    if not workspace.has(manifest):
        return None
    return set(workspace.read(manifest, ["sha256"])["sha256"].to_pylist())


def _labels(workspace: Workspace) -> set[str] | None:
    if not workspace.has("listing"):
        return None
    return set(pc.unique(workspace.read("listing", ["label"])["label"]).drop_null().to_pylist())
