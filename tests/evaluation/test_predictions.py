"""Stored answers that are no numbers are one error, which names the run and the image."""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.evaluation.test_seeds import evaluations
from webemo_curate.errors import InputError
from webemo_curate.evaluation.metrics import best_threshold, measure
from webemo_curate.evaluation.predictions import check_numbers, read_predictions
from webemo_curate.evaluation.seeds import figures_of


@pytest.mark.parametrize("several", [False, True])
@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_answers_that_are_no_numbers_name_run_and_image(
    several: bool, value: float, tmp_path: Path
) -> None:
    sound = np.array([0.1, 0.2, 0.7])
    probability = np.stack([sound, sound, sound], axis=1) if several else sound
    check_numbers(probability, ["a", "b", "c"], "k4-seed0")
    probability[1:] = value
    column = pa.array(probability.tolist(), pa.list_(pa.float64(), 3) if several else pa.float64())
    run = tmp_path / "k4-seed0"
    run.mkdir()
    file = run / "predictions-test.parquet"
    table = {"sha256": ["a", "b", "c"], "target": [0, 1, 1], "probability": column}
    pq.write_table(pa.table(table), file)
    with pytest.raises(InputError, match=r"run k4-seed0: its answer for image b .* 1 others"):
        read_predictions(file)


def test_all_others_may_be_the_best_answer() -> None:
    target, probability = np.array([0, 0, 0]), np.array([0.6, 0.9, 1.0])
    chosen = best_threshold(target, probability)
    assert measure(target, probability, chosen).accuracy == 1


def test_no_tuned_accuracy_where_no_threshold_was_chosen() -> None:
    assert figures_of(evaluations()[0])["accuracy_tuned"] is None
