"""The doubts of a workspace in figures: how many labels, and the estimated noise of each class."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow.compute as pc
from numpy.typing import NDArray

from webemo_curate.workspace import Workspace


@dataclass(frozen=True)
class ClassNoise:
    """The doubts about one class or label.

    Attributes
    ----------
    name
        As given.
    images
        Images under it.
    issues
        Those of them that confident learning takes for wrong.
    noise
        Estimated share of them that belong to another class; 0 where there are none.
    """

    name: str
    images: int
    issues: int
    noise: float


@dataclass(frozen=True)
class Findings:
    """The doubts as a whole.

    Attributes
    ----------
    classes
        One each, in the order of their numbers.
    noise
        Estimated share of all labels that are wrong.
    joint
        Estimated share of images of each given (row) and likely (column) class; sums to 1.
    """

    classes: list[ClassNoise]
    noise: float
    joint: NDArray[np.float64]

    @property
    def images(self) -> int:
        """Images whose labels were doubted."""
        return sum(each.images for each in self.classes)

    @property
    def issues(self) -> int:
        """Images whose label confident learning takes for wrong."""
        return sum(each.issues for each in self.classes)

    def lines(self) -> list[str]:
        """Return the findings in words, the noisiest classes first."""
        first = (
            f"{self.issues:,} of {self.images:,} labels are in doubt; an estimated "
            f"{self.noise:.1%} are wrong:"
        )
        ordered = sorted(self.classes, key=lambda each: -each.noise)[:MAX_SAID]
        return [
            first,
            *(
                f"  {each.name}: {each.issues:,} of {each.images:,} in doubt, an estimated "
                f"{each.noise:.1%} wrong"
                for each in ordered
            ),
        ]


MAX_SAID = 10
"""Classes named at the end of the command; the manifest has all."""


def findings(workspace: Workspace) -> Findings:
    """Read what was found; both manifests must be there.

    Parameters
    ----------
    workspace : Workspace
        Has the manifests `label_issues` and `label_noise`.

    Returns
    -------
    Findings
        In the order of the classes' numbers.
    """
    info = workspace.info("label_issues")
    names = (info.classes if info else None) or ()
    noise = workspace.read("label_noise", ["given", "likely", "share"])
    joint = np.zeros((len(names), len(names)))
    places = {name: place for place, name in enumerate(names)}
    for row in noise.to_pylist():
        joint[places[row["given"]], places[row["likely"]]] = row["share"]
    rows = workspace.read("label_issues", ["given", "issue"])
    given = rows["given"].cast("string")
    wrong = given.filter(rows["issue"])
    images, issues = _counts(given), _counts(wrong)
    shares = joint.sum(axis=1)
    classes = [
        ClassNoise(
            name,
            images.get(name, 0),
            issues.get(name, 0),
            float(1 - joint[place, place] / shares[place]) if shares[place] else 0.0,
        )
        for name, place in places.items()
    ]
    return Findings(classes, float(1 - np.trace(joint)), joint)


def _counts(values: Any) -> dict[str, int]:
    return {pair["values"]: pair["counts"] for pair in pc.value_counts(values).to_pylist()}
