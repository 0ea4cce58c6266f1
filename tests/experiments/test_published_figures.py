"""The paper's figures hang together, and stand beside the networks they belong to."""

import pytest

from webemo_curate.config import TrainConfig
from webemo_curate.experiments import published_figures as published

ACCURACIES = {0: 81.28, 2: 81.73, 3: 81.79, 4: 81.94, 5: 81.81}


@pytest.mark.parametrize(("grams", "accuracy"), ACCURACIES.items())
def test_accuracy_follows_from_recalls_and_supports(grams: int, accuracy: float) -> None:
    report = published.report_on_test(TrainConfig(grams=grams))
    assert report
    assert round(report.accuracy * 100, 2) == accuracy
    assert sum(report.supports) == 6107


REPORTS = [
    *published.TEST.values(),
    *(known.report for known in published.EXTERNAL.values()),
]


@pytest.mark.parametrize("report", REPORTS)
def test_f1_follows_from_precision_and_recall(report: published.Report) -> None:
    for figures in report.per_class.values():
        harmonic = 2 / (1 / figures.precision + 1 / figures.recall)
        assert figures.f1 == pytest.approx(harmonic, abs=3e-4)  # a mean of five, rounded


@pytest.mark.parametrize(
    ("name", "table", "accuracy"),
    [
        ("UnbiasedEmo", 5, 81.36),
        ("unbiased_emo", 5, 81.36),
        ("UnbiasedEmo-unshared", 5, 81.36),
        ("Emotion-6", 6, 72.75),
        ("Emotion6", 6, 72.75),
        ("emotion-6-unshared", 6, 72.75),
    ],
)
def test_external_sets_are_known_by_name(name: str, table: int, accuracy: float) -> None:
    known = published.external_set(name)
    assert known
    assert known.table == table
    assert round(known.report.accuracy * 100, 2) == accuracy


def test_other_sets_are_not() -> None:
    assert published.external_set("Cornell-Emotion6") is None


@pytest.mark.parametrize(
    "other",
    [
        {"grams": 1},
        {"preset": "zhang"},
        {"preset": "beyond", "grams": 4},
        {"grams": 4, "augment": "none"},
        {"grams": 4, "image_size": 224},
        {"grams": 4, "backbone": "tf_efficientnetv2_b0"},
        {"grams": 4, "from_scratch": True},
        {"preset": "paper-fast", "grams": 4},
    ],
)
def test_networks_that_the_paper_does_not_report_stand_alone(other: dict[str, object]) -> None:
    config = TrainConfig.model_validate(other)
    assert published.report_on_test(config) is None
    assert published.why_not_published(config)


def test_departures_are_from_the_preset() -> None:
    assert published.departures(TrainConfig(grams=5, seed=3)) == {}
    assert published.departures(TrainConfig.model_validate({"preset": "zhang"})) == {}
    assert published.departures(TrainConfig(epochs=3)) == {"epochs": 3}
