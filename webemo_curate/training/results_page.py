"""An experiment's results as a page of Markdown."""

from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd

from webemo_curate.schemas import Split
from webemo_curate.training.inference import THRESHOLD
from webemo_curate.training.published import PAPER_TEST
from webemo_curate.training.significance import LEVEL, Difference

PERCENT = 100


@dataclass(frozen=True)
class Comparison:
    """A network against the baseline on one set.

    Attributes
    ----------
    accuracy
        Paired bootstrap over images and seeds.
    adjusted_p
        Its p-value, adjusted by Holm over the networks compared on this set.
    mcnemar
        p-value of each seed.
    areas
        DeLong's difference of the areas under the ROC curve, each seed; empty if the set has one
        class alone.
    """

    network: str
    on: str
    accuracy: Difference
    adjusted_p: float
    mcnemar: list[float]
    areas: list[Difference]


def results_page(
    name: str,
    metrics: pd.DataFrame,
    comparisons: Sequence[Comparison],
    baseline: str,
    chosen: str,
) -> str:
    """Write the results as Markdown: a table of figures and one of differences for each set.

    Parameters
    ----------
    name : str
        The experiment's.
    metrics : pandas.DataFrame
        As `Outcome.metrics`.
    comparisons : sequence of Comparison
        As `Outcome.comparisons`.
    baseline, chosen : str
        Networks.

    Returns
    -------
    str
        The page.
    """
    parts = [
        f"# {name}\n\nMeans and standard deviations over seeds, of the last epoch at {THRESHOLD} "
        f"unless said. Highest accuracy on validation: **{chosen}**. Differences are to "
        f"`{baseline}`; the interval is a paired bootstrap's over images and seeds, its p-value "
        "adjusted by Holm over the networks of a set.\n"
    ]
    for on in metrics["on"].unique():
        parts.append(_figures_table(str(on), metrics[metrics["on"] == on]))
        rows = [c for c in comparisons if c.on == on]
        parts.append(_differences_table(rows))
    return "\n".join(part for part in parts if part)


def _figures_table(on: str, rows: pd.DataFrame) -> str:
    header = ["network", "seeds", "accuracy %", "paper %", "tuned %", "AUC", "ECE", "Brier"]
    classes = [column for column in rows if str(column).endswith("_f1")]
    header += [str(column).replace("_f1", " F1") for column in classes]
    lines = []
    for network, runs in rows.groupby("network", sort=False):
        published = PAPER_TEST.get(str(network)) if on == Split.TEST else None
        cells = [str(network), str(len(runs)), _spread(runs["accuracy"] * PERCENT, 2)]
        cells.append("-" if published is None else f"{published:.2f}")
        cells.append(_spread(runs["accuracy_tuned"] * PERCENT, 2))
        cells += [_spread(runs[column], 3) for column in ("auc", "ece", "brier", *classes)]
        lines.append(cells)
    images = int(rows["images"].iloc[0])
    left_out = int(rows["left_out_as_shared"].iloc[0])
    note = f", {left_out} left out that training has seen" if left_out else ""
    return f"## {on}: {images:,} images{note}\n\n" + _markdown(header, lines)


def _differences_table(comparisons: Sequence[Comparison]) -> str:
    if not comparisons:
        return ""
    header = ["network", "accuracy, points", "95 % interval", "p (Holm)", "verdict"]
    header += ["McNemar p by seed", "AUC by seed (DeLong p)"]
    lines = []
    for c in comparisons:
        d = c.accuracy
        lines.append(
            [
                c.network,
                f"{d.value * PERCENT:+.2f}",
                f"{d.low * PERCENT:+.2f} to {d.high * PERCENT:+.2f}",
                f"{c.adjusted_p:.3f}",
                "significant" if c.adjusted_p < LEVEL else "not significant",
                ", ".join(f"{p:.3f}" for p in c.mcnemar),
                ", ".join(f"{a.value:+.3f} ({a.p:.3f})" for a in c.areas) or "-",
            ]
        )
    return _markdown(header, lines)


def _spread(values: "pd.Series[float]", digits: int) -> str:
    known = values.dropna()
    if known.empty:
        return "-"
    if len(known) == 1:
        return f"{known.iloc[0]:.{digits}f}"
    return f"{known.mean():.{digits}f} ± {known.std():.{digits}f}"


def _markdown(header: Sequence[str], lines: Sequence[Sequence[str]]) -> str:
    rows = [header, ["---"] * len(header), *lines]
    return "".join("| " + " | ".join(cells) + " |\n" for cells in rows)
