"""The gates at which rows pass or leave: the deciding manifest and column, and the reasons."""

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
LABEL_ISSUE = "label_issue"

Reader = Callable[[str, list[str]], pa.Table]
"""Returns the named columns of a manifest."""


@dataclass(frozen=True)
class Gate:
    """The rule by which one manifest lets rows pass or leave.

    Attributes
    ----------
    stage
        Stage that decides.
    manifest
        Manifest that holds its verdicts.
    key
        The manifest's column that identifies a row.
    verdict
        The manifest's column of verdicts.
    passes
        The verdicts of rows that go on.
    reason
        Reason for all other rows; None if the verdict is itself the reason.
    score, threshold
        Columns with the measured value and the threshold it was compared with.
    optional
        Whether rows pass if the manifest is missing, because older workspaces lack it.
    decided_by
        Column that says whether the rule or a person decided; None if people cannot decide.
    own_reason
        Column with the reason of rows that leave for another one than `reason`; None without.
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
    own_reason: str | None = None

    @property
    def by(self) -> str:
        """Whether rows come here as URLs (`url`) or as images (`sha256`)."""
        return "url" if self.key == "url" else "sha256"

    @property
    def columns(self) -> tuple[str, ...]:
        """The manifest's columns that decide, with those of score and threshold."""
        extra = ["sha256"] if self.by == "url" else []
        further = [name for name in (self.score, self.threshold, self.own_reason) if name]
        return (self.key, self.verdict, *extra, *further)


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
UNDERSAMPLE = Gate(
    *("undersample", "sample", "sha256", "kept", (True,), SURPLUS),
    score="score",
    threshold="threshold",
    own_reason="reason",
)

GATES = (FETCH, IMAGES, QUALITY, TEXT, DEDUP, BINARIZE, UNDERSAMPLE)
"""All gates, in the order in which a row comes to them; each stage names its own."""


def gates_of(present: Collection[str]) -> tuple[Gate, ...]:
    """Return the gates that rows come to; optional ones only if their manifest exists.

    Parameters
    ----------
    present : collection of str
        Names of the existing manifests.

    Returns
    -------
    tuple of Gate
        In the order of `GATES`.
    """
    return tuple(gate for gate in GATES if not gate.optional or gate.manifest in present)
