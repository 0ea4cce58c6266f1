"""Train several networks with several seeds, evaluate them on the same images and compare them."""

import logging
from collections.abc import Iterable, Sequence
from contextlib import AbstractContextManager
from pathlib import Path

import pandas as pd

from webemo_curate.config import ExperimentConfig
from webemo_curate.duplicates.leakage import NEEDED
from webemo_curate.errors import InputError
from webemo_curate.evaluation.evaluate import Evaluation, evaluate
from webemo_curate.evaluation.evaluation_set import set_name
from webemo_curate.evaluation.seeds import figures_of
from webemo_curate.experiments.comparison import Evaluations, Families, compare, read_answers
from webemo_curate.experiments.result import ExperimentResult, best_on_validation
from webemo_curate.experiments.results_page import results_page
from webemo_curate.models.devices import choose_device
from webemo_curate.remedies import typed
from webemo_curate.report import roc_charts
from webemo_curate.runner.work_context import WorkContext
from webemo_curate.storage.atomic import atomic_path, write_bytes
from webemo_curate.training.distributed import ProcessGroup, join_processes
from webemo_curate.training.fit import train
from webemo_curate.verdicts import Split, is_binary
from webemo_curate.workspace import Workspace

logger = logging.getLogger(__name__)

PAGE_FILE = "results.md"
METRICS_FILE = "metrics.parquet"


def run_experiment(config: ExperimentConfig, name: str, work: WorkContext) -> ExperimentResult:
    """Train what is not yet trained, evaluate everything, and write tables and curves.

    Parameters
    ----------
    config : ExperimentConfig
        Networks, baseline, seeds and test sets.
    name : str
        Name of the experiment's folder under `experiments/` in the workspace.
    work : WorkContext
        Its workspace holds the splits and receives the runs.

    Returns
    -------
    ExperimentResult
        The figures, and where they were written.

    Raises
    ------
    CurateError
        If a test set cannot be read (checked before training), or a network cannot be trained.
    """
    workspace = work.workspace
    _check_binary(workspace)
    external = _external_sets(config.test_sets, work)
    folder = workspace.place(f"experiments/{name}")
    with _joined(config):
        evaluations = _measure(config, external, work)
    metrics = pd.DataFrame(_metric_rows(evaluations)).astype({"left_out_as_shared": "Int64"})
    families = Families.of(config)
    result = ExperimentResult(
        name=name,
        folder=folder,
        config=config,
        classes=workspace.classes(Split.TRAIN),
        metrics=metrics,
        comparisons=compare(evaluations, families),
        chosen=best_on_validation(metrics, families.candidates or [config.baseline]),
        families=families,
    )
    with atomic_path(folder / METRICS_FILE) as partial:
        metrics.to_parquet(partial, index=False, write_page_checksum=True)
    figures = _draw_figures(evaluations, result)
    write_bytes(result.folder / PAGE_FILE, results_page(result, figures).encode())
    workspace.publish(result.folder)
    return result


def follow_experiment(config: ExperimentConfig, work: WorkContext) -> None:
    """Take part in the trainings of an experiment that another process runs, and do nothing else.

    Parameters
    ----------
    config : ExperimentConfig
        Equal to the other process's, because networks are trained in its order.
    work : WorkContext
        For the same workspace.

    Raises
    ------
    CurateError
        If a network cannot be trained.
    """
    _check_binary(work.workspace)
    with _joined(config):
        for settings in config.networks.values():
            train(settings, work)


def _check_binary(workspace: Workspace) -> None:
    """Raise if the splits have several classes: the tests and tables are for two."""
    classes = workspace.classes(Split.TRAIN)
    if not is_binary(classes):
        raise InputError(
            f"experiment: the splits tell {', '.join(classes)} apart, and experiments compare "
            f"networks on a binary target; run '{typed('split --target binary')}' first"
        )


def _joined(config: ExperimentConfig) -> AbstractContextManager[ProcessGroup]:
    """Join the processes that torchrun started, for all trainings."""
    return join_processes(choose_device(next(iter(config.networks.values())).device))


def _external_sets(places: Sequence[Path], work: WorkContext) -> list[str]:
    """Raise if a set cannot be evaluated on, before days of training; return the other sets."""
    names = {split.value: split.value for split in Split}
    for place in places:
        if not place.exists():
            raise InputError(
                f"{place}: no such test set; name a folder of emotion-named folders or a manifest, "
                "under test_sets or with --test-set"
            )
        name = set_name(str(place), work)
        if name in names:
            raise InputError(
                f"{place}: another test set is called '{name}' too ({names[name]}); results go by "
                "name: rename the folder or file"
            )
        names[name] = str(place)
    if places and not _can_compare(work.workspace):
        logger.warning(
            "experiment: %s is not deduplicated: whether training has seen pictures of the test "
            "sets is not looked for",
            work.workspace.root,
        )
    return [str(place) for place in places]


def _can_compare(workspace: Workspace) -> bool:
    """Return whether the workspace can find pictures that training has seen."""
    return all(map(workspace.has, NEEDED))


def _measure(config: ExperimentConfig, external: Sequence[str], work: WorkContext) -> Evaluations:
    evaluations: dict[tuple[str, str], list[Evaluation]] = {}
    exclude = _can_compare(work.workspace)
    for network, settings in config.networks.items():
        logger.info("experiment: %s, %d seeds", network, settings.seeds)
        for run in train(settings, work):
            for on in (Split.VALIDATION, Split.TEST, *external):
                found = evaluate(
                    run.folder,
                    on,
                    work,
                    settings.device,
                    exclude_shared=exclude and on in external,
                )
                evaluations.setdefault((network, found.on), []).append(found)
    return evaluations


def _metric_rows(evaluations: Evaluations) -> Iterable[dict[str, object]]:
    for (network, on), runs in evaluations.items():
        for place, run in enumerate(runs):
            supports = {
                f"{label}_support": own.support for label, own in run.metrics.per_class.items()
            }
            yield {
                "network": network,
                "on": on,
                "run": run.run.name,
                "seed_number": place,
                "images": run.metrics.images,
                "left_out_as_shared": run.shared,
                **figures_of(run),
                **supports,
            }


def _draw_figures(evaluations: Evaluations, result: ExperimentResult) -> dict[str, str]:
    """Draw figures 5 to 7 for the external sets, and the test split's; return their captions."""
    answers = {key: [read_answers(run) for run in runs] for key, runs in evaluations.items()}
    drawn = {}
    for figure in result.figures:
        panels = {
            on: {
                name: [(run.target, run.probability) for run in answers[name, on]]
                for name in figure.networks
            }
            for on in figure.sets
            if answers[result.baseline, on][0].both_classes
        }
        if panels:
            write_bytes(result.folder / figure.file, roc_charts.mean_roc(panels).encode())
            drawn[figure.file] = figure.caption
    return drawn
