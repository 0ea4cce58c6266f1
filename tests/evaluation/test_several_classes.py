"""Three classes, from the splits through the network to every figure made of its answers."""

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from sklearn.metrics import confusion_matrix, roc_auc_score

import webemo_curate
from tests.trainable import TINY, draw, make_workspace, write_experiment
from tests.work import work_on
from webemo_curate.config import PipelineConfig, load_experiment
from webemo_curate.errors import InputError
from webemo_curate.evaluation.evaluate import Evaluation, evaluate
from webemo_curate.evaluation.export_network import CARD_FILE, export_run
from webemo_curate.evaluation.inference import probabilities
from webemo_curate.evaluation.metrics import SeveralClassMetrics, answers, measure
from webemo_curate.evaluation.predict import predict
from webemo_curate.evaluation.predictions import read_predictions
from webemo_curate.evaluation.seeds import figures_of, mean_and_deviation, seeds_summary
from webemo_curate.experiments.run_experiment import run_experiment
from webemo_curate.report.build import build_report
from webemo_curate.runs import load_log
from webemo_curate.training.fit import train
from webemo_curate.workspace import Workspace

CLASSES = ("fear", "joy", "surprise")


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> tuple[Workspace, Path]:
    """A workspace whose splits hold three classes, and a run on them."""
    workspace = make_workspace(tmp_path_factory.mktemp("three") / "ws", CLASSES)
    config = TINY.model_copy(update={"epochs": 1, "center_loss": 0.01})
    (run,) = train(config, work_on(workspace))
    return workspace, run.folder


@pytest.fixture(scope="module")
def measured(trained: tuple[Workspace, Path]) -> Evaluation:
    """The run, measured on the test split."""
    workspace, run = trained
    return evaluate(run, "test", work_on(workspace), "cpu")


def test_figures_are_those_of_scikit_learn(measured: Evaluation) -> None:
    target, probability = read_predictions(measured.predictions)
    assert probability.shape == (6, 3)
    assert np.allclose(probability.sum(axis=1), 1)
    metrics = measured.metrics
    assert isinstance(metrics, SeveralClassMetrics)
    answer = probability.argmax(axis=1)
    assert metrics.accuracy == pytest.approx(np.mean(answer == target))
    assert metrics.confusion == confusion_matrix(target, answer, labels=[0, 1, 2]).tolist()
    assert metrics.auc == pytest.approx(roc_auc_score(target, probability, multi_class="ovr"))
    assert metrics.threshold is None
    assert measured.tuned is None
    assert [*metrics.per_class] == [*CLASSES]
    assert "fear: precision" in measured.summary()
    assert "AUC against the rest" in measured.summary()


def test_the_log_and_the_figures_of_seeds_follow(
    trained: tuple[Workspace, Path], measured: Evaluation
) -> None:
    (entry,) = load_log(trained[1])
    assert entry["val_auc"] is not None
    assert {"joy_auc", "surprise_recall"} <= figures_of(measured).keys()
    assert "threshold" not in seeds_summary([measured, measured])
    assert mean_and_deviation([measured, measured])["deviation"]["accuracy"] == 0


def test_metrics_name_every_class(trained: tuple[Workspace, Path], measured: Evaluation) -> None:
    document = json.loads((trained[1] / "metrics-test.json").read_bytes())
    assert document["accuracy"] == measured.metrics.accuracy
    assert {own["support"] for own in document["per_class"].values()} == {2}
    assert sum(map(sum, document["confusion"])) == 6


def test_answers_name_the_class_and_the_chance_of_each(trained: tuple[Workspace, Path]) -> None:
    workspace, run = trained
    picture = workspace.root / workspace.read("test", ["path"])["path"][0].as_py()
    (answer,) = predict(run, [picture], "cpu", look=True)
    assert [*answer.probabilities] == [*CLASSES]
    assert answer.label == max(answer.probabilities, key=answer.probabilities.__getitem__)
    assert answer.confidence == answer.probabilities[answer.label] == answer.probability
    assert answer.activation is not None
    network = webemo_curate.load_network(run, "cpu")
    assert network.classes == CLASSES
    assert network.predict([picture])[0].probabilities == answer.probabilities


@pytest.mark.slow
def test_exported_files_have_an_output_a_class(
    trained: tuple[Workspace, Path], measured: Evaluation, tmp_path: Path
) -> None:
    export_run(trained[1], tmp_path)
    card = (tmp_path / CARD_FILE).read_text(encoding="utf-8")
    assert "(batch, 3): fear, joy, surprise" in card
    assert str(measured.metrics.images) in card


def test_the_report_shows_every_class(
    trained: tuple[Workspace, Path], measured: Evaluation
) -> None:
    workspace, _ = trained
    page = Path(build_report(work_on(workspace))).read_text(encoding="utf-8")
    assert all(f"answered {name}" in page for name in CLASSES)
    assert f"{measured.metrics.accuracy:.1%}".removesuffix("%") in page
    assert "always the largest class" in page
    assert ">Positive<" not in page


def test_a_folder_counts_by_the_classes_and_the_labels_below_them(
    trained: tuple[Workspace, Path], tmp_path: Path
) -> None:
    workspace, run = trained
    generator = np.random.default_rng(1)
    for name, target in {"Fear": 0, "joy": 1, "surprise": 2, "anger": 1, "zest": 1}.items():
        draw(tmp_path / name / "0.png", target, generator)
    by_level = PipelineConfig.model_validate({"binarize": {"target": "level2"}})
    found = evaluate(run, str(tmp_path), work_on(workspace, by_level), "cpu")
    support = {name: own.support for name, own in found.metrics.per_class.items()}
    # Zest is a label below joy; anger is none of the classes.
    assert support == {"fear": 1, "joy": 2, "surprise": 1}


def test_splits_of_other_classes_are_refused(
    trained: tuple[Workspace, Path], tmp_path: Path
) -> None:
    binary = make_workspace(tmp_path / "binary")
    with pytest.raises(InputError, match="targets are others and sadness, the run's are fear, joy"):
        evaluate(trained[1], "test", work_on(binary), "cpu")


def test_an_experiment_says_that_it_is_binary(
    trained: tuple[Workspace, Path], tmp_path: Path
) -> None:
    config = load_experiment(write_experiment(tmp_path), ())
    with pytest.raises(InputError, match=r"fear, joy, surprise.*'curate split --target binary'"):
        run_experiment(config, "small", work_on(trained[0]))


def test_two_classes_have_one_probability_and_more_have_each() -> None:
    assert probabilities(np.array([[0.3, -0.2], [-1, 4]], np.float32)).shape == (2,)
    assert probabilities(np.zeros((2, 4), np.float32)).tolist() == [[0.25] * 4] * 2


def scored(classes: int) -> st.SearchStrategy[tuple[NDArray[np.int64], NDArray[np.float64]]]:
    """Draw targets and probabilities of some images."""

    def draw_them(seed: int, images: int) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        random = np.random.default_rng(seed)
        return random.integers(0, classes, images), random.dirichlet(np.ones(classes), images)

    return st.builds(draw_them, st.integers(0, 10**6), st.integers(2, 60))


@given(scored(2))
def test_two_classes_have_the_same_figures_either_way(
    drawn: tuple[NDArray[np.int64], NDArray[np.float64]],
) -> None:
    target, each = drawn
    one, both = measure(target, each[:, 1]), measure(target, each, classes=("others", "sadness"))
    assert answers(each[:, 1]).tolist() == answers(each).tolist()
    assert one.accuracy == both.accuracy
    assert one.majority == pytest.approx(both.majority)
    assert one.ece == pytest.approx(both.ece, abs=1e-9)
    assert one.auc == (None if both.auc is None else pytest.approx(both.auc))
    # Brier's sum over both classes counts the error of either.
    assert 2 * one.brier == pytest.approx(both.brier)
    for name, own in one.per_class.items():
        assert own.f1 == both.per_class[name].f1
