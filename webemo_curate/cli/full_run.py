"""`curate run`: a pipeline file from its lists to the report, and what the terminal says of it."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from webemo_curate.config import Overrides, PipelineConfig, override
from webemo_curate.pipeline import Pipeline, StageOutcome
from webemo_curate.runner.work_context import WorkContext
from webemo_curate.verdicts import Split
from webemo_curate.workspace import Workspace

if TYPE_CHECKING:
    from webemo_curate.evaluation.evaluate import Evaluation
    from webemo_curate.runs import RunResult


@dataclass(frozen=True)
class FullRun:
    """The results of a pipeline file.

    Attributes
    ----------
    runs
        One training run for each seed.
    evaluations
        Of each run on the test split.
    report
        Where the HTML file lies.
    """

    runs: "list[RunResult]"
    evaluations: "list[Evaluation]"
    report: str


@contextmanager
def prepared(config: PipelineConfig, workspace: Workspace) -> Iterator[PipelineConfig]:
    """Serve the demo's world while the block runs, if the pipeline file asks for it.

    Parameters
    ----------
    config : PipelineConfig
        The pipeline file.
    workspace : Workspace
        Where the demo's pictures and lists are drawn.

    Yields
    ------
    PipelineConfig
        The configuration, pointed at the demo's lists and server; as given if there is no demo.
    """
    if config.demo is None:
        yield config
        return
    from webemo_curate.demo import demo_world

    with demo_world(config.demo, workspace.place("data/demo")) as world:
        listing = {"source": [world.own]} if world.own else {"lists": [world.lists]}
        places: Overrides = {"listing": listing, "fetch": {"mirror": world.mirror}}
        yield override(config, places)


def curate(config: PipelineConfig, workspace: Workspace) -> Iterator[StageOutcome]:
    """Run all stages of a pipeline file, once its training can begin; see `Pipeline.run`."""
    from webemo_curate.training.fit import check_training

    check_training(config.train)
    with prepared(config, workspace) as complete:
        yield from Pipeline(workspace, complete).run()


def train_and_report(work: WorkContext) -> FullRun:
    """Train, evaluate and write the report on the workspace's manifests.

    Parameters
    ----------
    work : WorkContext
        Its workspace holds the splits; the sections `train` and `report` of its configuration are
        used.

    Returns
    -------
    FullRun
        Runs, evaluations and the report's place.
    """
    from webemo_curate.evaluation.evaluate import evaluate
    from webemo_curate.report.build import build_report
    from webemo_curate.training.fit import train

    config = work.config.train
    runs = train(config, work)
    with work.workspace.lock():
        work.workspace.remember(work.config, ["train"])
    evaluations = [evaluate(run.folder, Split.TEST, work, config.device) for run in runs]
    return FullRun(runs, evaluations, build_report(work))
