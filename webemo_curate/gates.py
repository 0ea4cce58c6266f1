"""The gates that rows pass or leave by: the manifest and column that decide, and the reasons."""

from collections.abc import Callable, Collection
from dataclasses import dataclass

import pyarrow as pa

from webemo_curate.verdicts import (
    GOOD_ENOUGH,
    STORED,
    DecodeStatus,
    DuplicateVerdict,
    LabelVerdict,
    TextVerdict,
)

SURPLUS = "surplus"

Reader = Callable[[str, list[str]], pa.Table]
"""Gives the named columns of a manifest."""


@dataclass(frozen=True)
class Gate:
    """How one manifest lets rows pass or leave.

    Attributes
    ----------
    stage
        Stage that decides.
    manifest
        Where its verdicts stand.
    key
        The manifest's column that names a row.
    verdict
        The column with the verdict.
    passes
        The verdicts of rows that go on.
    reason
        Reason given for every other row; None if the verdict is itself the reason.
    score, threshold
        Columns with what was measured and what it was held against.
    optional
        Whether rows pass where its manifest is not there: it came to workspaces that had run.
    decided_by
        The column that says whether the rule or a person decided; None where no person may.
    """

    stage: str
    manifest: str
    key: str
    verdict: str
    passes: tuple[object, ...]
    reason: str | None = None
    score: str | None = None
    threshold: str | None = None
    optional: bool = False
    decided_by: str | None = None

    @property
    def by(self) -> str:
        """Whether rows come here as URLs (`url`) or as images (`sha256`)."""
        return "url" if self.key == "url" else "sha256"

    @property
    def columns(self) -> tuple[str, ...]:
        """Columns of the manifest that say who passes, and by what measure."""
        extra = ["sha256"] if self.by == "url" else []
        scores = [name for name in (self.score, self.threshold) if name]
        return (self.key, self.verdict, *extra, *scores)


FETCH = Gate("fetch", "fetch", "url", "status", STORED)
IMAGES = Gate("images", "images", "sha256", "decode_status", (DecodeStatus.OK,))
QUALITY = Gate(
    *("quality", "quality", "sha256", "verdict", (GOOD_ENOUGH,)),
    score="score",
    threshold="threshold",
    optional=True,
)
TEXT = Gate(
    *("text", "text", "sha256", "verdict", (TextVerdict.CLEAN,)),
    score="score",
    threshold="threshold",
    decided_by="by",
)
DEDUP = Gate(
    *("dedup", "duplicates", "sha256", "verdict", (DuplicateVerdict.KEEPER,)),
    score="distance",
    threshold="threshold",
    decided_by="by",
)
BINARIZE = Gate(
    *("binarize", "labels", "cluster", "verdict", (LabelVerdict.KEPT,)), decided_by="by"
)
UNDERSAMPLE = Gate("undersample", "sample", "sha256", "kept", (True,), SURPLUS)

GATES = (FETCH, IMAGES, QUALITY, TEXT, DEDUP, BINARIZE, UNDERSAMPLE)
"""The gates in the order in which a row comes to them; each stage names its own."""


def gates_of(present: Collection[str]) -> tuple[Gate, ...]:
    """Return the gates that rows come to where some manifests are there: optional ones only so.

    Parameters
    ----------
    present : collection of str
        Names of manifests.

    Returns
    -------
    tuple of Gate
        In the order of `GATES`.
    """
    return tuple(gate for gate in GATES if not gate.optional or gate.manifest in present)
