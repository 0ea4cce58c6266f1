"""The paper's sweep with answers drawn instead of trained for, and the page made of them."""

import re
from pathlib import Path

import numpy as np
import pandas as pd

from webemo_curate.config import TrainConfig
from webemo_curate.evaluation.evaluate import Evaluation
from webemo_curate.evaluation.evaluation_set import set_name
from webemo_curate.evaluation.metrics import measure
from webemo_curate.experiments.result import ExperimentResult
from webemo_curate.runner.work_context import WorkContext
from webemo_curate.runs import RunResult

SUPPORTS = {"UnbiasedEmo": (467, 353), "Emotion6": (330, 70)}
"""Images of the stand-in sets; others have 60 and 40. The second is Cornell's by its size."""
PIPELINES = Path(__file__).parents[2] / "pipelines"


def pretend_to_train(config: TrainConfig, work: WorkContext) -> list[RunResult]:
    """Name a run for each seed, as training does, and train nothing."""
    kind = f"{config.preset}-{config.grams}-{config.augment}"
    folders = [work.workspace.runs / f"{kind}-seed{seed}" for seed in range(config.seeds)]
    return [RunResult(folder, seed, False, []) for seed, folder in enumerate(folders)]


def pretend_to_evaluate(
    run: Path, on: str, work: WorkContext, _device: str, *, exclude_shared: bool
) -> Evaluation:
    """Draw answers of some skill for every image of a set; equal arguments draw equal ones."""
    assert not exclude_shared  # the workspace is not deduplicated
    name = set_name(on, work)
    target = np.repeat([0, 1], SUPPORTS.get(name, (60, 40)))
    generator = np.random.default_rng(list(f"{run.name}{name}".encode()))
    probability = 1 / (1 + np.exp(-generator.normal(2 * target - 1, 1.2)))
    path = run / f"predictions-{name}.parquet"
    path.parent.mkdir(parents=True, exist_ok=True)
    pd.DataFrame({"target": target, "probability": probability}).to_parquet(path)
    metrics, tuned = measure(target, probability), measure(target, probability, 0.45)
    return Evaluation(run, name, metrics, tuned, metrics, path)


def page(outcome: ExperimentResult) -> str:
    """Return the page of results."""
    return (outcome.folder / "results.md").read_text()


def section(outcome: ExperimentResult, title: str) -> list[list[str]]:
    """Return the cells of the table under a heading, its header first."""
    (text,) = re.findall(
        rf"^## {re.escape(title)}.*?$\n\n(.*?)(?:\n\n|\Z)", page(outcome), re.M | re.S
    )
    lines = [line for line in text.splitlines() if line.startswith("|")]
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    return [cells[0], *cells[2:]]
