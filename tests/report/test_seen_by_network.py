"""The report shows where a network looked: its surest right answers, and its surest wrong ones."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.report.made_workspace import fill
from tests.stages.tables import manifest
from tests.work import work_on
from webemo_curate.evaluation.evaluate import evaluate
from webemo_curate.evaluation.predictions import predictions_file, read_predictions
from webemo_curate.models import devices
from webemo_curate.parquet import read_parquet
from webemo_curate.report.examples import Example
from webemo_curate.report.pictures import as_data, small_file
from webemo_curate.report.run_sections import run_sections
from webemo_curate.report.seen_by_network import looks
from webemo_curate.verdicts import Split
from webemo_curate.workspace import Workspace


@pytest.fixture
def answered(trained: tuple[Workspace, Path]) -> tuple[Workspace, Path]:
    """A run with right and wrong answers, whatever it learned: a row of each class is the other."""
    workspace, run = trained
    fill(workspace)
    rows, info = workspace.read("test").to_pylist(), workspace.info("test")
    assert info
    one_of = {row["target"]: row for row in rows}
    one_of[0]["target"], one_of[1]["target"] = 1, 0
    workspace.write("test", manifest("test", rows), info.origin, info.classes)
    evaluate(run, "test", work_on(workspace), "cpu")
    return workspace, run


@pytest.mark.parametrize("count", [1, 6])
def test_the_surest_answers_of_each_kind_are_shown_with_where_it_looked(
    answered: tuple[Workspace, Path], count: int
) -> None:
    workspace, run = answered
    shown = looks(work_on(workspace), run_sections(workspace), count)
    assert shown
    file = predictions_file(run, Split.TEST)
    target, probability = read_predictions(file)
    names = read_parquet(file, ["sha256"])["sha256"].to_pylist()
    right = (probability >= 0.5) == target
    surest = np.argsort(-np.abs(probability - 0.5), kind="stable")
    paths = workspace.image_paths(names)
    for kind, examples in ((True, shown.right), (False, shown.wrong)):
        wanted = [names[row] for row in surest if right[row] == kind][:count]
        assert wanted
        assert [one.picture for one in examples] == [small(workspace, paths[n]) for n in wanted]
        assert all((answer(one) == truth(one)) is kind for one in examples)
        assert all(one.beside and one.beside != one.picture for one in examples)


def test_the_device_is_not_said_to_be_asked_for(
    answered: tuple[Workspace, Path], caplog: pytest.LogCaptureFixture
) -> None:
    workspace, _ = answered
    devices._say.cache_clear()
    with caplog.at_level("INFO", "webemo_curate"):
        caplog.clear()
        assert looks(work_on(workspace), run_sections(workspace), 1)
        assert "asked for" not in caplog.text
        devices.choose_device("cpu")
        assert "asked for" in caplog.text


def small(workspace: Workspace, path: str) -> str:
    return as_data(small_file(Image.open(workspace.root / path).convert("RGB")))


def answer(example: Example) -> str:
    return example.caption.removeprefix("answered ").split()[0]


def truth(example: Example) -> str:
    return example.caption.rpartition(", is ")[2]
