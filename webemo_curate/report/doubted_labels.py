"""The report's section on labels that networks doubt: the noise, the joint, the worst pictures."""

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from matplotlib.axes import Axes

from webemo_curate.label_issues.findings import Findings, findings
from webemo_curate.report.examples import Album, Details, Example
from webemo_curate.report.svg import SIZE, plot

MAX_NUMBERED: Final = 12
"""Classes up to which the cells of the figure have room for numbers."""

MAX_NAMED: Final = 40
"""Classes up to which its axes have room for names."""

PALE: Final = 0.5
"""Share of the darkest cell up to which dark words can be read on a cell."""


@dataclass(frozen=True)
class Doubted:
    """The doubts as the page shows them.

    Attributes
    ----------
    found
        Their figures.
    joint
        SVG of the joint of given and likely labels.
    examples
        The pictures with the lowest scores, of those in doubt.
    """

    found: Findings
    joint: str
    examples: list[Example]


def doubted(album: Album, count: int) -> Doubted | None:
    """Return what was found of labels; None where they were not doubted.

    Parameters
    ----------
    album : Album
        Shows pictures of the workspace.
    count : int
        Examples.

    Returns
    -------
    Doubted or None
        See `Doubted`.
    """
    workspace = album.workspace
    if not all(map(workspace.has, ("label_issues", "label_noise"))):
        return None
    rows = workspace.read("label_issues", ["rank", "sha256", "issue"])
    worst = rows.filter(rows["issue"])["sha256"].slice(0, count).to_pylist()
    found = findings(workspace)
    return Doubted(found, _joint(found), list(WORST.examples(album, worst).values()))


def _joint(found: Findings) -> str:
    """Draw each given class's share of likely classes, in percent of the class."""
    names = [each.name for each in found.classes]
    of_class = 100 * found.joint / np.maximum(found.joint.sum(axis=1, keepdims=True), 1e-12)

    def draw(axes: Axes) -> None:
        axes.imshow(of_class, cmap="Blues", vmin=0, vmax=100)
        axes.set_xlabel("likely class")
        axes.set_ylabel("given class")
        if len(names) <= MAX_NAMED:
            axes.set_xticks(range(len(names)), names, rotation=90 if len(names) > 3 else 0)
            axes.set_yticks(range(len(names)), names)
        if len(names) <= MAX_NUMBERED:
            for (row, column), share in np.ndenumerate(of_class):
                color = "black" if share <= 100 * PALE else "white"
                axes.text(column, row, f"{share:.1f}", ha="center", va="center", color=color)

    side = min(9.0, max(SIZE[1], 0.3 * len(names) + 1.5))
    return plot(draw, (side, side))


def _caption(row: dict[str, Any]) -> str:
    given, suggested = (100 * row[f"{name}_probability"] for name in ("given", "suggested"))
    disputed = f"; {row['other_lines']} of {row['lines']} listed lines say otherwise"
    return (
        f"{row['label']}: networks say {row['suggested']} ({suggested:.0f} %), not {row['given']} "
        f"({given:.0f} %){disputed if row['other_lines'] else ''}"
    )


WORST = Details("label_issues", "sha256", _caption)
