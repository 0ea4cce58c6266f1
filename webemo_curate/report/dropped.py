"""The report's list of what each stage dropped, reason by reason, with examples."""

from dataclasses import dataclass, field

from webemo_curate.accounting import Passage, passages
from webemo_curate.listing_keys import unit_of
from webemo_curate.report.examples import DETAILS, Album, Example
from webemo_curate.schemas import MANIFESTS


@dataclass(frozen=True)
class Dropped:
    """Rows that left at one stage for one reason.

    Attributes
    ----------
    stage
        The stage's name.
    reason
        The verdict.
    count
        URLs, files or images that left.
    unit
        What they are, in words.
    examples
        Some of them, as pictures.
    names
        Some of them by URL or hash, where there is no picture to show.
    """

    stage: str
    reason: str
    count: int
    unit: str
    examples: list[Example] = field(default_factory=list)
    names: list[str] = field(default_factory=list)


def dropped(album: Album, count: int) -> list[Dropped]:
    """Return what left at each stage that has run.

    Parameters
    ----------
    album : Album
        Shows pictures of the workspace.
    count : int
        Examples of each reason.

    Returns
    -------
    list of Dropped
        In the stages' order, the commonest reason first.
    """
    workspace = album.workspace
    present = {name for name in MANIFESTS if workspace.has(name)}
    if "listing" not in present:
        return []
    return [
        _dropped(album, passage, reason, count)
        for passage in passages(workspace.read, present)
        for reason in passage.left["reason"].astype(str).value_counts().index
    ]


def _dropped(album: Album, passage: Passage, reason: str, count: int) -> Dropped:
    key, stage = passage.gate.by, passage.gate.stage
    rows = passage.left[passage.left["reason"].astype(str) == reason].drop_duplicates(key)
    if passage.gate.score:
        rows = rows.sort_values(["score", key], ascending=[False, True])
    shown = list(rows[key].head(count))
    unit = unit_of(rows["url"]) if key == "url" else "images"
    found = Dropped(stage, reason, len(rows), unit)
    examples = DETAILS[stage].examples(album, shown) if stage in DETAILS else {}
    found.examples.extend(examples.values())
    found.names.extend(name for name in shown if name not in examples)
    return found
