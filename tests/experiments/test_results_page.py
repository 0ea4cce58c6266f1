"""The page of an experiment: its tables, figures and verdicts hold what the predictions come to."""

import re
import statistics
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow.parquet as pq
import pytest
from sklearn.metrics import precision_recall_fscore_support, roc_auc_score

from tests.experiments.drawn_answers import (
    PIPELINES,
    SUPPORTS,
    page,
    pretend_to_evaluate,
    pretend_to_train,
    section,
)
from tests.trainable import TINY, draw_set, make_workspace, write_experiment
from tests.work import work_on
from webemo_curate.config import TrainConfig, load_experiment
from webemo_curate.duplicates.leakage import NEEDED
from webemo_curate.evaluation.evaluate import Evaluation
from webemo_curate.evaluation.significance import holm
from webemo_curate.experiments import run_experiment as experiment
from webemo_curate.experiments.result import ExperimentResult
from webemo_curate.experiments.run_experiment import run_experiment
from webemo_curate.verdicts import is_split
from webemo_curate.workspace import Workspace

OTHERWISE = TrainConfig(
    backbone="tf_efficientnetv2_b0", image_size=32, from_scratch=True, accumulate=1
)
"""Departs from the paper's settings."""


@pytest.fixture(scope="module")
def swept(tmp_path_factory: pytest.TempPathFactory) -> ExperimentResult:
    """Run the paper's whole sweep, but with answers that are drawn instead of trained for."""
    folder = tmp_path_factory.mktemp("sweep")
    sets = [draw_set(folder / name) for name in (*SUPPORTS, "Holidays")]
    config = load_experiment(PIPELINES / "paper.yaml", sets)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(experiment, "train", pretend_to_train)
        patch.setattr(experiment, "evaluate", pretend_to_evaluate)
        return run_experiment(config, "sweep", work_on(make_workspace(folder / "ws")))


def mean_and_deviation(values: list[float], digits: int) -> str:
    return f"{statistics.mean(values):.{digits}f} ± {statistics.stdev(values):.{digits}f}"


def predictions(outcome: ExperimentResult, network: str, on: str) -> list[pd.DataFrame]:
    place = Workspace(outcome.folder.parents[1]).runs
    return [
        pq.read_table(place / run / f"predictions-{on}.parquet").to_pandas()
        for run in outcome.rows(network, on)["run"]
    ]


def test_table_3_gives_accuracies_beside_the_papers(swept: ExperimentResult) -> None:
    header, *rows = section(swept, "Table 3")
    papers = {row[0]: row[header.index("paper %")] for row in rows}
    assert papers == {
        "k0": "81.28",
        "k2": "81.73",
        "k3": "81.79",
        "k4": "81.94",
        "k5": "81.81",
        "k0-plain": "-",
        "k4-plain": "-",
        "zhang": "-",
    }
    for name, *cells in rows:
        shares = [
            ((run["probability"] >= 0.5) == run["target"]).mean() * 100
            for run in predictions(swept, name, "test")
        ]
        assert cells[header.index("accuracy %") - 1] == mean_and_deviation(shares, 2)


@pytest.mark.parametrize(
    ("title", "on", "names", "paper"),
    [
        ("Table 4", "test", ("k0", "k4", "zhang"), None),
        ("Table 5: UnbiasedEmo", "UnbiasedEmo", ("k0", "k4"), ["0.8607", "0.8025", "0.8307"]),
        ("Table 6: Emotion-6 (`Emotion6`)", "Emotion6", ("k0", "k4"), ["0.8365"]),
        ("Holidays by class", "Holidays", ("k0", "k4"), None),
    ],
)
def test_tables_by_class_hold_what_the_predictions_come_to(
    swept: ExperimentResult, title: str, on: str, names: list[str], paper: list[str] | None
) -> None:
    header, *rows = section(swept, title)
    for name in names:
        runs = predictions(swept, name, on)
        scores = [
            precision_recall_fscore_support(
                run["target"], run["probability"] >= 0.5, labels=[0, 1], zero_division=0
            )
            for run in runs
        ]
        for place, label in enumerate(("others", "sadness")):
            (row,) = [row for row in rows if row[:2] == [name, label]]
            for position, score in enumerate(("precision", "recall", "f1")):
                values = [seed[position][place] for seed in scores]
                assert row[header.index(score)] == mean_and_deviation(values, 4)
            if on != "test":
                assert row[header.index("support")] == str(scores[0][3][place])
    if paper:
        (row,) = [row for row in rows if row[:2] == ["paper, k = 4", "others"]]
        assert row[2 : 2 + len(paper)] == paper


def test_table_4_stands_beside_the_papers(swept: ExperimentResult) -> None:
    _, *rows = section(swept, "Table 4")
    (row,) = [row for row in rows if row[:2] == ["k4", "sadness"]]
    assert row[3::2] == ["0.8125", "0.7924", "0.8022"]


def test_a_set_of_other_images_than_the_papers_is_said_to_be_one(swept: ExperimentResult) -> None:
    assert "The paper's UnbiasedEmo has" not in page(swept)
    assert "The paper's Emotion-6 has 888 + 484 images, this set 330 + 70" in page(swept)


def test_what_augmentation_is_worth_is_tested_in_pairs(swept: ExperimentResult) -> None:
    _, *rows = section(swept, "With and without augmentation")
    assert {row[1] for row in rows} == {"k0", "k4"}
    assert [row[0] for row in rows[::2]] == ["test", "UnbiasedEmo", "Emotion6", "Holidays"]
    gained = swept.rows("k4", "test")["accuracy"] - (
        swept.rows("k4-plain", "test")["accuracy"].to_numpy()
    )
    assert rows[1][4] == f"{gained.mean() * 100:+.2f}"


def test_figures_show_mean_curves_of_external_sets(swept: ExperimentResult) -> None:
    areas = [
        roc_auc_score(run["target"], run["probability"])
        for run in predictions(swept, "k0", "UnbiasedEmo")
    ]
    networks = {"figure-5.svg": 1, "figure-6.svg": 1, "figure-7.svg": 2}
    for file, count in networks.items():
        assert f"]({file})" in page(swept)
        drawing = (swept.folder / file).read_text()
        legends = re.findall(r"<!-- (\S+: AUC .*?) -->", drawing)
        assert len(legends) == 3 * count  # a panel a set
        if file != "figure-5.svg":
            assert f"k0: AUC {mean_and_deviation(areas, 3)}" in legends


def test_the_proposed_network_is_chosen_on_validation_among_those_with_modules(
    swept: ExperimentResult,
) -> None:
    means = swept.metrics[swept.metrics["on"] == "validation"].groupby("network")["accuracy"].mean()
    assert swept.candidates == ["k2", "k3", "k4", "k5"]
    assert means[swept.chosen] == means[swept.candidates].max()


def test_a_pair_is_tested_at_validations_threshold_too(swept: ExperimentResult) -> None:
    (found,) = [c for c in swept.comparisons if (c.network, c.on) == ("k2", "test")]
    tuned = {name: swept.rows(name, "test")["accuracy_tuned"].mean() for name in ("k0", "k2")}
    assert found.tuned.value == pytest.approx(tuned["k2"] - tuned["k0"])


def test_departures_from_the_papers_settings_are_listed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(experiment, "train", pretend_to_train)
    monkeypatch.setattr(experiment, "evaluate", pretend_to_evaluate)
    outcome = run_experiment(
        load_experiment(write_experiment(tmp_path, OTHERWISE)),
        "s",
        work_on(make_workspace(tmp_path / "w")),
    )
    _, *rows = section(outcome, "Networks")
    assert {"from_scratch true", "epochs 1", "accumulate 1"} <= set(rows[0][3].split(", "))
    assert "give UnbiasedEmo and Emotion-6 with `--test-set FOLDER`" in page(outcome)
    assert {row[4] for row in section(outcome, "Table 3")[1:]} == {"-"}
    assert "- `k2`: its backbone, image_size," in page(outcome)


def test_pictures_that_training_has_seen_are_left_out_and_counted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def leave_out(run: Path, on: str, *place: Any, exclude_shared: bool) -> Evaluation:
        assert exclude_shared != is_split(on)
        found = pretend_to_evaluate(run, on, *place, exclude_shared=False)
        return replace(found, on=f"{found.on}-unshared", shared=7) if exclude_shared else found

    monkeypatch.setattr(experiment, "train", pretend_to_train)
    monkeypatch.setattr(experiment, "evaluate", leave_out)
    workspace = make_workspace(tmp_path / "w")
    for name in NEEDED:
        workspace.manifest_path(name).touch()
    config = load_experiment(write_experiment(tmp_path), [draw_set(tmp_path / "UnbiasedEmo")])
    outcome = run_experiment(config, "s", work_on(workspace))
    assert "## Table 5: UnbiasedEmo (`UnbiasedEmo-unshared`)" in page(outcome)
    assert "UnbiasedEmo-unshared: 820 images, 7 left out that training has seen" in page(outcome)


def test_a_test_set_is_drawn_under_its_name_whatever_that_holds(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(experiment, "train", pretend_to_train)
    monkeypatch.setattr(experiment, "evaluate", pretend_to_evaluate)
    config = load_experiment(write_experiment(tmp_path), [draw_set(tmp_path / "emo_$5_$10")])
    outcome = run_experiment(config, "s", work_on(make_workspace(tmp_path / "w")))
    assert "emo_$5_$10" in page(outcome)
    assert "emo_$5_$10" in (outcome.folder / "figure-6.svg").read_text()


def test_the_papers_sentences_stand_beside_what_is_measured(swept: ExperimentResult) -> None:
    said = page(swept).split("## What the paper says")[1].split("\n## ")[0]
    for network, against in (("k4", "k0"), ("k4", "k4-plain")):
        (found,) = [
            c
            for c in swept.comparisons
            if (c.network, c.against, c.on) == (network, against, "test")
        ]
        low, high = found.accuracy.low * 100, found.accuracy.high * 100
        claimed = (0.4, 0.4) if against == "k0" else (3, 4)
        inside = low <= claimed[0] and claimed[1] <= high
        outside = claimed[1] < low or high < claimed[0]
        where = "inside" if inside else "outside" if outside else "partly inside"
        (line,) = [x for x in said.splitlines() if f"`{network}` against `{against}`" in x]
        assert f"({low:+.2f} to {high:+.2f})" in line
        assert line.endswith(f"the paper's figure lies {where} the interval")


@pytest.mark.parametrize("seeds", [1, 2])
def test_fewer_than_three_seeds_give_intervals_and_say_why_no_verdict(
    seeds: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(experiment, "train", pretend_to_train)
    monkeypatch.setattr(experiment, "evaluate", pretend_to_evaluate)
    file = write_experiment(tmp_path, TINY, common={"seeds": seeds})
    outcome = run_experiment(load_experiment(file), "s", work_on(make_workspace(tmp_path / "w")))
    assert [c.adjusted.accuracy for c in outcome.comparisons] == [None]
    assert "**no verdict**" in page(outcome)
    assert f"No verdicts: each network has {seeds} run" in page(outcome)


def test_networks_are_drawn_that_the_file_names(swept: ExperimentResult) -> None:
    for name in {"k3", "k4"} - {swept.chosen}:
        for figure, curves in ((f"figure-5-{name}.svg", 1), (f"figure-7-{name}.svg", 2)):
            assert f"]({figure})" in page(swept)
            drawing = (swept.folder / figure).read_text()
            legends = re.findall(r"<!-- (\S+): AUC .*? -->", drawing)
            assert legends.count(name) == 3  # the sets side by side
            assert len(legends) == 3 * curves


def test_what_is_and_is_not_significant_is_said(swept: ExperimentResult) -> None:
    for comparison in swept.comparisons:
        verdict = "significant" if comparison.adjusted.accuracy < 0.05 else "not significant"
        (line,) = [
            line
            for line in page(swept).splitlines()
            if line.startswith(f"- {comparison.on}, `{comparison.network}` against")
            and f"`{comparison.against}`" in line
        ]
        assert f"**{verdict}**" in line


def test_p_values_are_adjusted_over_the_networks_of_a_family(swept: ExperimentResult) -> None:
    family = [c for c in swept.comparisons if (c.on, c.against) == ("test", "k0")]
    family = [c for c in family if c.network != "zhang"]
    assert [c.adjusted.accuracy for c in family] == holm([c.accuracy.p for c in family])
    for seed in range(5):
        own = [c.areas[seed].p for c in family]
        assert [c.adjusted.areas[seed] for c in family] == holm(own)
        assert [c.adjusted.mcnemar[seed] for c in family] == holm([c.mcnemar[seed] for c in family])
