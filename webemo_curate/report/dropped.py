"""The report's list of what each stage dropped, reason by reason, with examples."""

from dataclasses import dataclass, field
from typing import Final

from webemo_curate.accounting import Accounts, accounts
from webemo_curate.gates import Gate
from webemo_curate.report.examples import DETAILS, Album, Example

NAMES: Final = """
select {key} from judged where reason = $reason order by score desc nulls last, {key} limit $shown
"""


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
    if not workspace.has("listing"):
        return []
    with accounts(workspace, album.memory) as opened:
        return [
            _dropped(album, opened, gate, *left, shown=count)
            for gate in opened.way()
            for left in opened.left().items()
        ]


def _dropped(
    album: Album, accounts: Accounts, gate: Gate, reason: str, count: int, *, shown: int
) -> Dropped:
    named = accounts.engine.rows(NAMES.format(key=gate.by), reason=reason, shown=shown)
    names = [name for (name,) in named]
    unit = (
        accounts.unit("judged", "reason = $reason", reason=reason) if gate.by == "url" else "images"
    )
    found = Dropped(gate.stage, reason, count, unit)
    examples = DETAILS[gate.stage].examples(album, names) if gate.stage in DETAILS else {}
    found.examples.extend(examples.values())
    found.names.extend(name for name in names if name not in examples)
    return found
