"""Print the paper's tables 3 to 6 and its RandAugment claim beside the measured figures."""

from collections.abc import Sequence

from webemo_curate.evaluation import markdown
from webemo_curate.evaluation.metrics import ClassMetrics
from webemo_curate.experiments import published_figures as published
from webemo_curate.experiments.comparison import Comparison
from webemo_curate.experiments.result import ExperimentResult
from webemo_curate.models.registry import NETWORKS
from webemo_curate.verdicts import Split

DIGITS = 4
"""Digits with which the paper prints precision, recall and F1."""

SCORES = ("precision", "recall", "f1")


def accuracy_table(result: ExperimentResult) -> str:
    """Make table 3: accuracy of every network on the test split."""
    header = ["network", "k", "seeds", "accuracy %", "paper %", "at validation's threshold %"]
    header += ["best epoch %", "AUC"]
    lines = []
    for name, config in result.config.networks.items():
        rows = result.rows(name, Split.TEST)
        report = result.published(config)
        lines.append(
            [
                name,
                str(config.grams) if NETWORKS[config.network].takes_grams else markdown.NOTHING,
                str(len(rows)),
                markdown.percent(rows["accuracy"]),
                _percent(report.accuracy) if report else markdown.NOTHING,
                markdown.percent(rows["accuracy_tuned"]),
                markdown.percent(rows["accuracy_best_epoch"]),
                markdown.spread(rows["auc"], 3),
            ]
        )
    return (
        "## Table 3: accuracy on the test split\n\n"
        f"{markdown.table(header, lines)}\n"
        f"{_unpublished_note(result)}"
        "The paper's accuracies follow from the recalls and supports of its table 4. Its standard "
        f"deviations and Zhang et al.'s accuracy cannot be read from the copy at hand; its text "
        f"says of the deviations: {published.DEVIATIONS}.\n"
    )


def class_table(result: ExperimentResult) -> str:
    """Make table 4: precision, recall and F1 by class on the test split."""
    header = ["network", "class"]
    for score in SCORES:
        header += [score, "paper"]
    lines = []
    for name, config in result.config.networks.items():
        rows = result.rows(name, Split.TEST)
        report = result.published(config)
        for label in result.classes:
            cells = [name, label]
            for score in SCORES:
                cells += [
                    markdown.spread(rows[f"{label}_{score}"], DIGITS),
                    _score(report.per_class[label], score) if report else markdown.NOTHING,
                ]
            lines.append(cells)
    title = "## Table 4: precision, recall and F1 on the test split\n\n"
    note = ""
    if any(map(result.published, result.config.networks.values())):
        note = _supports_note("test split", published.TEST_SUPPORTS, result, Split.TEST)
    return title + markdown.table(header, lines) + note


def external_tables(result: ExperimentResult) -> str:
    """Make tables 5 and 6, and one of the same form for every other external set."""
    if not result.external:
        return (
            "## Tables 5 and 6, figures 5 to 7\n\n"
            "No external set was named: give UnbiasedEmo and Emotion-6 with `--test-set FOLDER`. "
            "Networks are not trained again for it.\n"
        )
    return "\n".join(_external_table(result, on) for on in result.external)


def augmentation_table(result: ExperimentResult) -> str:
    """Return the effect of RandAugment: networks compared with the same ones trained without it."""
    pairs = set(result.families.augmentation)
    tests = [c for c in result.comparisons if (c.network, c.against) in pairs]
    if not tests:
        return ""
    header = ["set", "network", "with %", "without %", "gain, points", "95 % interval"]
    header += ["p (Holm)", "verdict", "detectable, points"]
    lines = [_augmentation_row(result, test) for test in tests]
    return f"## With and without augmentation\n\n{markdown.table(header, lines)}"


def _augmentation_row(result: ExperimentResult, test: Comparison) -> list[str]:
    accuracies = [
        markdown.percent(result.rows(name, test.on)["accuracy"])
        for name in (test.network, test.against)
    ]
    p = test.adjusted.accuracy
    return [
        test.on,
        test.network,
        *accuracies,
        *markdown.points(test.accuracy),
        markdown.p_value(p),
        markdown.verdict(p),
        markdown.detectable(test.accuracy),
    ]


def _external_table(result: ExperimentResult, on: str) -> str:
    known = published.external_set(on) if result.is_of_paper else None
    header = ["network", "class", *SCORES, "support", "accuracy %", "AUC"]
    lines = []
    for name in _shown_on_external(result):
        lines += _measured_report(name, result, on)
    papers = _papers_proposal(result)
    if known and papers:
        lines += _published_report(known.report)
    title = f"Table {known.table}: {known.name}" if known else f"{on} by class"
    if known and known.name != on:
        title += f" (`{on}`)"
    note = ""
    if known:
        note = _supports_note(known.name, known.report.supports, result, on)
    if known and not papers:
        note += (
            f"\nThe paper's figures do not stand here: no network has its settings and k = "
            f"{published.PROPOSED_GRAMS}.\n"
        )
    return f"## {title}\n\n{markdown.table(header, lines)}{note}"


def _shown_on_external(result: ExperimentResult) -> list[str]:
    """Return the baseline, the network chosen on validation, and the one in the paper's tables."""
    return list(dict.fromkeys([result.baseline, result.chosen, *_papers_proposal(result)]))


def _papers_proposal(result: ExperimentResult) -> list[str]:
    """Return the networks with the settings that the paper proposes."""
    return [
        name
        for name, config in result.config.networks.items()
        if config.grams == published.PROPOSED_GRAMS and result.published(config)
    ]


def _measured_report(name: str, result: ExperimentResult, on: str) -> list[list[str]]:
    rows, lines = result.rows(name, on), []
    for label in result.classes:
        scores = [markdown.spread(rows[f"{label}_{score}"], DIGITS) for score in SCORES]
        support = str(int(rows[f"{label}_support"].iloc[0]))
        lines.append([name, label, *scores, support])
    whole = [markdown.percent(rows["accuracy"]), markdown.spread(rows["auc"], 3)]
    return _with_whole(lines, whole)


def _published_report(report: published.Report) -> list[list[str]]:
    name = f"paper, k = {published.PROPOSED_GRAMS}"
    lines = [
        [name, label, *(_score(figures, score) for score in SCORES), str(figures.support)]
        for label, figures in report.per_class.items()
    ]
    return _with_whole(lines, [_percent(report.accuracy), markdown.NOTHING])


def _with_whole(lines: Sequence[list[str]], whole: Sequence[str]) -> list[list[str]]:
    """Append the figures of both classes together to the first class's line."""
    first, *rest = lines
    return [[*first, *whole], *([*line, *([""] * len(whole))] for line in rest)]


def _unpublished_note(result: ExperimentResult) -> str:
    """Say which networks have no published figure to compare with, and why."""
    if not result.is_of_paper:
        return "The classes are not the paper's: none of its figures stand here.\n\n"
    reasons = {
        name: published.why_not_published(config) for name, config in result.config.networks.items()
    }
    lines = [f"- `{name}`: {reason}.\n" for name, reason in reasons.items() if reason]
    return f"No figure of the paper stands beside:\n\n{''.join(lines)}\n" if lines else ""


def _supports_note(name: str, papers: tuple[int, ...], result: ExperimentResult, on: str) -> str:
    """Warn about another set with the same name as the paper's, such as Cornell's Emotion6."""
    first = result.rows(result.chosen, on).iloc[0]
    supports = tuple(int(first[f"{label}_support"]) for label in result.classes)
    if supports == papers:
        return ""
    ours, theirs = (" + ".join(map(str, counts)) for counts in (supports, papers))
    return (
        f"\nThe paper's {name} has {theirs} images, this set {ours}: the figures are of "
        "different images.\n"
    )


def _score(figures: ClassMetrics, score: str) -> str:
    value: float = getattr(figures, score)
    return f"{value:.{DIGITS}f}"


def _percent(share: float) -> str:
    return f"{share * markdown.PERCENT:.2f}"
