"""The terminal's summary of a run: the stages, the funnel, the splits and the metrics."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from webemo_curate.accounting import FunnelStep
from webemo_curate.gates import FETCH, SURPLUS
from webemo_curate.verdicts import TextVerdict, is_binary

if TYPE_CHECKING:
    from webemo_curate.pipeline import StageOutcome

STAGE_WIDTH = 12
COUNT_WIDTH = 9

RESULTS = {
    "fetch": ("{} gave no picture", None),
    "images": ("images do not decode", None),
    "quality": ("images are not good enough", None),
    "text": ("images bear text", TextVerdict.TEXT),
    "dedup": ("images are copies of one that stays", None),
    "binarize": ("images have no label to learn from", None),
    "undersample": ("images are more than the shares allow", SURPLUS),
}
"""By stage: what is said of the rows that leave, and the reason that these words say already."""


def stage_line(outcome: "StageOutcome") -> str:
    """Say in a line what became of a stage.

    Parameters
    ----------
    outcome : StageOutcome
        From `Pipeline.run`.

    Returns
    -------
    str
        The stage's name, its manifests' row counts, and why it ran or that it was current.
    """
    rows = ", ".join(f"{name} {count:,}" for name, count in outcome.rows.items())
    what = f"{outcome.seconds:6.1f} s, as {outcome.reason}" if outcome.reason else "current"
    return f"{outcome.stage:<{STAGE_WIDTH}} {rows} rows  ({what.strip()})"


def closing_line(outcomes: Sequence["StageOutcome"]) -> str:
    """Say whether anything ran."""
    ran = sum(outcome.reason is not None for outcome in outcomes)
    if ran:
        return f"{ran} of {len(outcomes)} stages ran."
    return "Nothing to do: every stage is current."


def funnel_lines(
    steps: Sequence[FunnelStep],
) -> Iterator[str]:
    """Draw the funnel as text.

    Parameters
    ----------
    steps : sequence of FunnelStep
        From `accounting.funnel`.

    Yields
    ------
    str
        A header, a line for each stage, what remains.
    """
    yield _row("stage", "entered", "left", "why")
    for step in steps:
        why = ", ".join(f"{reason} {count:,}" for reason, count in step.left.items()) or "-"
        yield _row(step.stage, f"{step.entered:,}", f"{sum(step.left.values()):,}", why)
    if steps:
        yield _row("remaining", f"{steps[-1].remaining:,}", "", steps[-1].unit)


def split_line(split: str, targets: dict[int, int], classes: Sequence[str]) -> str:
    """Say how many images a split has, and in which shares; see `accounting.split_counts`."""
    return _row(f"  {split}", f"{sum(targets.values()):,}", "", _shares(targets, classes))


def result_line(step: FunnelStep) -> str:
    """Say the result of a stage in words.

    Parameters
    ----------
    step : FunnelStep
        From `accounting.funnel`.

    Returns
    -------
    str
        Such as `7 of 92 images bear text; 85 remain`.
    """
    words, plain = RESULTS.get(step.stage, ("leave", None))
    said = {reason.replace("_", " "): n for reason, n in step.left.items() if reason != plain}
    why = ", ".join(f"{count:,} {reason}" for reason, count in said.items())
    left = sum(step.left.values()) if plain is None else step.left.get(plain, 0)
    form = ", {}" if plain else " ({})"
    unit = "images " if step.stage == FETCH.stage else ""
    rest = f"{form.format(why) if why else ''}; {step.remaining:,} {unit}remain"
    return f"{left:,} of {step.entered:,} {words.format(step.unit)}{rest}"


def flag_line(flags: Iterable[str]) -> str:
    """Say how many images each flag of `quality` stands on, the commonest first."""
    counts = Counter(flags).most_common()
    said = ", ".join(f"{count:,} {flag.replace('_', ' ')}" for flag, count in counts)
    return f"Flagged: {said or 'none'}."


def _shares(targets: dict[int, int], classes: Sequence[str]) -> str:
    """Say a split's share of positives, or the least and the greatest share of several classes."""
    total = sum(targets.values())
    if not total:
        return "empty"
    if is_binary(classes):
        return f"{targets[1] / total:.1%} positive"
    ends = (min(targets, key=targets.__getitem__), max(targets, key=targets.__getitem__))
    least, greatest = (f"{targets[end] / total:.1%} {classes[end]}" for end in ends)
    return f"{len(classes)} classes, {least} to {greatest}"


def _row(name: str, entered: str, left: str, rest: str) -> str:
    return f"{name:<{STAGE_WIDTH}} {entered:>{COUNT_WIDTH}} {left:>{COUNT_WIDTH}}   {rest}"
