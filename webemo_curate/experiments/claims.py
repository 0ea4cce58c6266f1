"""State the paper's claims about its results beside what was measured, with intervals."""

from collections.abc import Sequence

from webemo_curate.evaluation import markdown
from webemo_curate.evaluation.significance import MeasuredDifference
from webemo_curate.experiments import published_figures as published
from webemo_curate.experiments.comparison import Comparison
from webemo_curate.experiments.result import ExperimentResult
from webemo_curate.verdicts import Split

Range = tuple[float, float]
"""Points of accuracy, from and to."""


def claims_section(result: ExperimentResult) -> str:
    """List the paper's claims about accuracy beside what was measured on the test split.

    Parameters
    ----------
    result : ExperimentResult
        The experiment.

    Returns
    -------
    str
        Markdown; empty if the networks are not the paper's.
    """
    gain = published.ACCURACY_GAIN
    low, high = published.AUGMENTATION_GAIN
    parts = [
        _claim(
            f"Gram modules make the network about {gain} points better",
            (gain, gain),
            [c for c in _on_test(result) if (c.network, c.against) in result.families.grams],
        ),
        _claim(
            f"RandAugment is worth about {low} to {high} points",
            (low, high),
            [c for c in _on_test(result) if (c.network, c.against) in result.families.augmentation],
        ),
        _deviations(result),
    ]
    said = "".join(part for part in parts if part)
    return f"## What the paper says\n\n{said}" if said and result.is_of_paper else ""


def _on_test(result: ExperimentResult) -> list[Comparison]:
    return [c for c in result.comparisons if c.on == Split.TEST]


def _claim(sentence: str, claimed: Range, comparisons: Sequence[Comparison]) -> str:
    """Report what each comparison measured, and whether its interval holds the claim."""
    lines = []
    for c in comparisons:
        value, interval = markdown.points(c.accuracy)
        lines.append(
            f"  - `{c.network}` against `{c.against}`: {value} points ({interval}), "
            f"{markdown.verdict(c.adjusted.accuracy)}; the paper's figure lies "
            f"{_place(claimed, c.accuracy)} the interval\n"
        )
    return f'- "{sentence}":\n{"".join(lines)}' if lines else ""


def _place(claimed: Range, measured: MeasuredDifference) -> str:
    """Return where a claimed range lies: inside the interval, partly inside, or outside."""
    low, high = (bound * markdown.PERCENT for bound in (measured.low, measured.high))
    if low <= claimed[0] and claimed[1] <= high:
        return "inside"
    return "outside" if claimed[1] < low or high < claimed[0] else "partly inside"


def _deviations(result: ExperimentResult) -> str:
    """Report the standard deviation over each network's runs, beside the paper's statement."""
    spreads = {
        name: result.rows(name, Split.TEST)["accuracy"].std() * markdown.PERCENT
        for name in (result.baseline, *(network for network, _ in result.families.grams))
    }
    runs = len(result.rows(result.baseline, Split.TEST))
    if runs == 1:
        return ""
    known = [f"`{name}` {value:.2f}" for name, value in spreads.items()]
    doubt = 1 / (2 * (runs - 1)) ** 0.5  # of a normal sample's deviation
    return (
        f'- "Standard deviations are {published.DEVIATIONS}": {", ".join(known)} points, each '
        f"uncertain by about {doubt:.0%} of itself, as deviations of {runs} runs are\n"
    )
