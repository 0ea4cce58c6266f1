"""Terminal output that several commands share."""

import logging
from collections.abc import Iterable
from dataclasses import asdict
from typing import Any

from webemo_curate.accounting import split_counts
from webemo_curate.cli.summary import funnel_lines, stage_line
from webemo_curate.pipeline import Pipeline, StageOutcome
from webemo_curate.verdicts import Split

logger = logging.getLogger(__name__)


def show_stages(outcomes: Iterable[StageOutcome]) -> list[StageOutcome]:
    """Say on standard error what became of each stage as it is done; return them all."""
    shown = []
    for outcome in outcomes:
        logger.info("%s", stage_line(outcome))
        shown.append(outcome)
    return shown


def show_result(pipeline: Pipeline, target: str) -> None:
    """Print what came of the stage that a command is about, and where it lies."""
    for step in pipeline.funnel():
        if step.stage == target:
            left = ", ".join(f"{count:,} {reason}" for reason, count in step.left.items())
            print(
                f"{target}: {sum(step.left.values()):,} of {step.entered:,} {step.unit} dropped"
                f"{f' ({left})' if left else ''}; {step.remaining:,} remain"
            )
    print(f"Manifests: {pipeline.workspace.store.where('manifests')}")


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
    read = pipeline.workspace.read
    classes = pipeline.workspace.classes(Split.TRAIN)
    there = all(map(pipeline.workspace.has, Split))
    splits = split_counts(read, len(classes)) if there else {}
    steps = pipeline.funnel()
    for line in funnel_lines(steps, splits, classes):
        print(line)
    return as_dicts(steps)


def as_dicts(items: Iterable[Any]) -> list[dict[str, Any]]:
    """Return dataclass instances as dictionaries."""
    return [asdict(item) for item in items]
