"""Terminal output that several commands share."""

import logging
from collections.abc import Iterable
from dataclasses import asdict
from typing import Any

import pyarrow.compute as pc

from webemo_curate.accounting import split_counts
from webemo_curate.cli.summary import flag_line, funnel_lines, result_line, split_line, stage_line
from webemo_curate.pipeline import LAST_STAGE, Pipeline, StageOutcome
from webemo_curate.stages.quality import QualityStage
from webemo_curate.stages.split import SplitStage
from webemo_curate.verdicts import Split
from webemo_curate.workspace import Workspace

logger = logging.getLogger(__name__)


def show_stages(outcomes: Iterable[StageOutcome]) -> list[StageOutcome]:
    """Say on standard error what became of each stage that runs, as it is done; return all."""
    shown: list[StageOutcome] = []
    for outcome in outcomes:
        if outcome.reason is not None:
            logger.info("%s", stage_line(outcome))
        shown.append(outcome)
    return shown


def show_result(pipeline: Pipeline, target: str) -> None:
    """Print the result of the stage that a command is about."""
    for step in pipeline.funnel():
        if step.stage == target:
            print(result_line(step))
    if target == QualityStage.name:
        flags = pipeline.workspace.read(target, ["flags"])["flags"]
        print(flag_line(pc.list_flatten(flags).to_pylist()))
    if target in (SplitStage.name, LAST_STAGE):
        for line in split_lines(pipeline.workspace):
            print(line)


def show_plan(pipeline: Pipeline, target: str) -> dict[str, str | None]:
    """Print which stages up to a target would run, and why; return the reasons by stage."""
    plan = {}
    for name, reason in pipeline.status():
        plan[name] = reason
        print(f"{name:<12} {'is current' if reason is None else f'would run: {reason}'}")
        if name == target:
            break
    return plan


def show_funnel(pipeline: Pipeline) -> list[dict[str, Any]]:
    """Print how many rows left where; return the steps."""
    steps = pipeline.funnel()
    for line in funnel_lines(steps):
        print(line)
    for line in split_lines(pipeline.workspace):
        print(line)
    return as_dicts(steps)


def split_lines(workspace: Workspace) -> list[str]:
    """Return a line a split: its images and the shares of its classes; none without splits."""
    if not all(map(workspace.has, Split)):
        return []
    classes = workspace.classes(Split.TRAIN)
    counts = split_counts(workspace.read, len(classes))
    return [split_line(split, targets, classes) for split, targets in counts.items()]


def as_dicts(items: Iterable[Any]) -> list[dict[str, Any]]:
    """Return dataclass instances as dictionaries."""
    return [asdict(item) for item in items]
