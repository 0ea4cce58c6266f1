"""Write an experiment's results as a Markdown page."""

import json
from collections.abc import Mapping, Sequence

import pandas as pd

from webemo_curate.config import TrainConfig
from webemo_curate.evaluation import markdown
from webemo_curate.evaluation.metrics import THRESHOLD
from webemo_curate.evaluation.significance import LEVEL, MIN_SEEDS, POWER
from webemo_curate.experiments import claims, paper_tables
from webemo_curate.experiments import published_figures as published
from webemo_curate.experiments.comparison import Comparison
from webemo_curate.experiments.result import ExperimentResult, best_on_validation


def results_page(result: ExperimentResult, figures: Mapping[str, str]) -> str:
    """Write the results as Markdown: verdicts first, the paper's tables, then every set's figures.

    Parameters
    ----------
    result : ExperimentResult
        The experiment.
    figures : mapping of str to str
        Captions of the figures, by file name.

    Returns
    -------
    str
        The page.
    """
    parts = [
        _opening(result),
        _networks_table(result.config.networks),
        _verdicts(result),
        claims.claims_section(result),
        paper_tables.accuracy_table(result),
        paper_tables.class_table(result),
        paper_tables.external_tables(result),
        paper_tables.augmentation_table(result),
        *(f"![{caption}]({file})\n\n{caption}\n" for file, caption in figures.items()),
        *(_set_section(result, on) for on in result.sets),
    ]
    return "\n".join(part for part in parts if part)


def _opening(result: ExperimentResult) -> str:
    best = best_on_validation(result.metrics, [*result.config.networks])
    further = "" if best == result.chosen else f" (`{best}` is higher still, and not a candidate)"
    return (
        f"# {result.name}\n\n"
        f"Baseline: **{result.baseline}**. Proposed: **{result.chosen}**, of the highest mean "
        f"accuracy on validation among {', '.join(result.candidates)}{further}.\n\n"
        f"Figures are means and standard deviations over seeds, of the last epoch at {THRESHOLD} "
        "unless said; *tuned* is at the threshold that is best on validation. The paper's figures "
        f"are those of {published.SOURCE}. Intervals and verdicts take images and seeds as drawn "
        "by chance, both at once; *detectable* is the least difference that such a comparison "
        f"alone would find with a power of {POWER:.0%}. p-values are adjusted by Holm over the "
        "networks of a family: those that differ from the baseline in their Gram modules alone, "
        "other networks, and networks against their equals without augmentation. Significant means "
        f"below {LEVEL}.\n"
    )


def _networks_table(networks: Mapping[str, TrainConfig]) -> str:
    lines = []
    for name, config in networks.items():
        departures = published.departures(config)
        settings = ", ".join(f"{field} {json.dumps(value)}" for field, value in departures.items())
        lines.append([name, config.preset, str(config.grams), settings or "none"])
    header = ["network", "preset", "k", "settings that differ from the preset's"]
    return "## Networks\n\n" + markdown.table(header, lines)


def _verdicts(result: ExperimentResult) -> str:
    """Say for every comparison, of accuracies and of areas, whether it shows a difference."""
    lines = []
    for c in result.comparisons:
        value, interval = markdown.points(c.accuracy)
        lines.append(
            f"- {c.on}, `{c.network}` against `{c.against}`: {value} points of accuracy "
            f"({interval}), **{markdown.verdict(c.adjusted.accuracy)}**, detectable "
            f"{markdown.detectable(c.accuracy)}; over images alone, seed by seed, McNemar is "
            f"significant in {_significant(c.adjusted.mcnemar)}, DeLong in "
            f"{_significant(c.adjusted.areas)}.\n"
        )
    if not lines:
        return ""
    return "## What is significant\n\n" + _why_no_verdict(result) + "".join(lines)


def _why_no_verdict(result: ExperimentResult) -> str:
    runs = len(result.rows(result.baseline, result.comparisons[0].on))
    if runs >= MIN_SEEDS:
        return ""
    alone = "; of one run it is over images alone, and too narrow" if runs == 1 else ""
    return (
        f"No verdicts: each network has {runs} run{'s' if runs > 1 else ''}, and from fewer than "
        f"{MIN_SEEDS} it is not known how far runs spread. Only intervals are given{alone}. "
        f"Train with `seeds: {MIN_SEEDS}` or more.\n\n"
    )


def _significant(p_values: Sequence[float | None]) -> str:
    known = [p for p in p_values if p is not None]
    undefined = len(p_values) - len(known)
    said = f"{sum(p < LEVEL for p in known)} of {len(known)}"
    return f"{said} ({undefined} undefined)" if undefined else said


def _set_section(result: ExperimentResult, on: str) -> str:
    rows = result.metrics[result.metrics["on"] == on]
    images, left_out = int(rows["images"].iloc[0]), rows["left_out_as_shared"].iloc[0]
    title = f"## {on}: {images:,} images"
    if on in result.external:
        title += ", " + _leak_note(left_out)
    comparisons = [c for c in result.comparisons if c.on == on]
    return f"{title}\n\n{_figures_table(rows)}\n{_differences_table(comparisons)}"


def _leak_note(left_out: int | None) -> str:
    if pd.isna(left_out):
        return "not compared with the pictures of training"
    return f"{left_out} left out that training has seen"


def _figures_table(rows: pd.DataFrame) -> str:
    lines = []
    for network, runs in rows.groupby("network", sort=False):
        cells = [str(network), markdown.percent(runs["accuracy"])]
        cells.append(markdown.percent(runs["accuracy_tuned"]))
        cells += [markdown.spread(runs[column], 3) for column in ("auc", "ece", "brier")]
        lines.append(cells)
    return markdown.table(["network", "accuracy %", "tuned %", "AUC", "ECE", "Brier"], lines)


def _differences_table(comparisons: Sequence[Comparison]) -> str:
    if not comparisons:
        return ""
    header = ["network", "against", "accuracy, points", "95 % interval", "p", "verdict"]
    header += ["detectable, points", "tuned, points", "95 % interval", "p"]
    header += ["McNemar p by seed", "AUC by seed (DeLong p)"]
    return markdown.table(header, [_difference_row(c) for c in comparisons])


def _difference_row(c: Comparison) -> list[str]:
    p = c.adjusted
    areas = zip(c.areas, p.areas, strict=True)
    return [
        c.network,
        c.against,
        *markdown.points(c.accuracy),
        markdown.p_value(p.accuracy),
        markdown.verdict(p.accuracy),
        markdown.detectable(c.accuracy),
        *markdown.points(c.tuned),
        markdown.p_value(p.tuned),
        ", ".join(map(markdown.p_value, p.mcnemar)),
        ", ".join(
            f"{area.value:+.3f} ({markdown.p_value(own)})" if area else "undefined"
            for area, own in areas
        ),
    ]
