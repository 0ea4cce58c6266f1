"""The command for each next step, as far as a workspace has come."""

from dataclasses import dataclass
from typing import Final

from webemo_curate.runs import finished_runs
from webemo_curate.verdicts import Split
from webemo_curate.workspace import Workspace

FETCH: Final = "fetch --lists webemo"
"""What fills an empty workspace."""

ORDER: Final = (
    ("listing", FETCH, "fetch what WEBEmo's lists name; a list, table or folder of yours as well"),
    ("fetch", "fetch", "fetch what the lists name"),
    ("text", "filter-text", "drop images that bear text"),
    ("duplicates", "dedup", "keep one of each picture"),
    ("labels", "binarize", "turn labels into classes"),
    ("sample", "undersample", "balance the classes"),
    (Split.TEST, "split", "divide the set into train, validation and test"),
)
"""Manifest, the command that makes it, what it is for."""

SPLIT: Final = (
    ("verify", "check that every row is accounted for and no file was changed"),
    ("export imagefolder --to folders", "write the splits for other programs"),
)


@dataclass(frozen=True)
class NextStep:
    """A command, as it follows `curate`, and what it is for."""

    command: str
    purpose: str


def next_steps(workspace: Workspace) -> list[NextStep]:
    """Return what can be done next with a workspace, the next stage alone while there is one."""
    split = all(map(workspace.has, Split))  # of a rebuilt set there is nothing before
    for manifest, command, purpose in () if split else ORDER:
        if not workspace.has(manifest):
            return [NextStep(command, purpose)]
    steps = [NextStep(command, purpose) for command, purpose in SPLIT]
    if not finished_runs(workspace):
        return [NextStep("train-model", "train the network"), *steps]
    return [
        NextStep("evaluate", "measure the latest run on the test split"),
        NextStep("runs", "list the runs"),
        NextStep("train-model --seeds 5", "train more seeds, for the spread between runs"),
        *steps,
    ]
