"""Train on a workspace's manifests: pack the images, then make one run for each seed."""

import shlex
from collections.abc import Mapping
from contextlib import nullcontext
from pathlib import Path

import torch

from webemo_curate.config import TrainConfig
from webemo_curate.config.settings import comma_list
from webemo_curate.dataset.labeled_images import COLUMNS, LabeledImages, open_images
from webemo_curate.errors import InputError
from webemo_curate.evaluation.evaluate import evaluate
from webemo_curate.evaluation.seen_images import record_seen
from webemo_curate.models.devices import choose_device, make_reproducible, require_device
from webemo_curate.optional_packages import require_package
from webemo_curate.remedies import typed
from webemo_curate.run_names import check_name, name_run, names_by_seed
from webemo_curate.runner.work_context import WorkContext
from webemo_curate.runs import (
    CONFIG_FILE,
    DONE_FILE,
    STATE_FILE,
    RunResult,
    check_weights,
    finish,
    is_finished,
    load_log,
    run_folder,
    save_config,
)
from webemo_curate.training.distributed import ProcessGroup, join_processes
from webemo_curate.training.trainer import Trainer
from webemo_curate.verdicts import BINARY, Split
from webemo_curate.workspace import Workspace

MIN_IMAGES = 2
"""Fewest training images of each class: batch norm and a decision boundary need as many."""


def train(config: TrainConfig, work: WorkContext, name: str | None = None) -> list[RunResult]:
    """Train a network on the workspace's manifests, once for each seed.

    Parameters
    ----------
    config : TrainConfig
        The training's settings; the `seeds` seeds count up from `seed`.
    work : WorkContext
        Its workspace holds the train and validation manifests, and receives the run folders.
    name : str, optional
        Name of the run; with several seeds, the seed is appended to it.

    Returns
    -------
    list of RunResult
        One result for each seed; a finished run with equal settings is not trained again.

    Raises
    ------
    CurateError
        If manifests, weights or the device do not permit it, or training fails.
    """
    names = check_training(config, name)
    device = choose_device(config.device)
    with (
        join_processes(device) as processes,
        work.workspace.lock() if processes.leads else nullcontext(),
    ):
        make_reproducible(device, deterministic=config.deterministic)
        if processes.leads:
            _check_names(config, names, work.workspace)
        return [
            _train_named(config, seed, named, work, device, processes)
            for seed, named in names.items()
        ]


def check_training(config: TrainConfig, name: str | None = None) -> dict[int, str | None]:
    """Raise if a training cannot begin, before hours of the work above it.

    Parameters
    ----------
    config : TrainConfig
        The training's settings.
    name : str, optional
        Name of the run, as for `train`.

    Returns
    -------
    dict of int to (str or None)
        The name of each seed's run.

    Raises
    ------
    InputError
        If a name, the device, the file of weights or a package does not permit it.
    """
    check_weights(config)
    if config.tensorboard:
        require_package("tensorboard", ", or leave the option out: log.jsonl says the same")
    require_device(config.device)
    return names_by_seed(name, range(config.seed, config.seed + config.seeds))


def pack_splits(config: TrainConfig, work: WorkContext) -> dict[str, int]:
    """Decode the images of all splits into packed files, as training does at its start.

    Parameters
    ----------
    config : TrainConfig
        Size and resizing.
    work : WorkContext
        Its workspace holds the manifests and images, and receives the packed files.

    Returns
    -------
    dict of str to int
        Number of images, by split.

    Raises
    ------
    InputError
        If a manifest or an image cannot be read.
    """
    packed = config.model_copy(update={"feed": "mapped"})
    with work.workspace.lock():
        return {split.value: len(_split_images(split, work, packed).targets) for split in Split}


def _check_names(
    config: TrainConfig, names: Mapping[int, str | None], workspace: Workspace
) -> None:
    """Check the names before hours of work."""
    for seed, name in names.items():
        if name:
            check_name(name, run_folder(config, seed, workspace), workspace)


def _train_named(
    config: TrainConfig,
    seed: int,
    name: str | None,
    work: WorkContext,
    device: torch.device,
    processes: ProcessGroup,
) -> RunResult:
    run = _train_one(config, seed, work, device, processes)
    if name and processes.leads:
        name_run(run.folder, name, work.workspace)
    return run


def _train_one(
    config: TrainConfig,
    seed: int,
    work: WorkContext,
    device: torch.device,
    processes: ProcessGroup,
) -> RunResult:
    workspace = work.workspace
    folder = run_folder(config, seed, workspace)
    _pull_in_turn(folder, workspace, processes)
    if is_finished(folder):
        if processes.leads:
            _drop_state(folder, workspace)
        return RunResult(folder, seed, True, load_log(folder))
    # One process packs; the others find the files.
    if processes.leads:
        save_config(folder, config, seed, workspace)
        workspace.publish(folder / CONFIG_FILE, record_seen(folder, workspace))
        _training_sets(work, config)
    processes.wait()
    sets = _training_sets(work, config)
    classes = len(workspace.classes(Split.TRAIN))
    trainer = Trainer(config, seed, device, folder, processes, workspace.publish, classes)
    history = trainer.fit(*sets)
    if processes.leads:
        if len(sets[1].targets):
            evaluate(folder, Split.VALIDATION, work, config.device)
        finish(folder, {"epochs": len(history)})
        workspace.publish(folder / DONE_FILE)
        _drop_state(folder, workspace)
    return RunResult(folder, seed, False, history)


def _drop_state(folder: Path, workspace: Workspace) -> None:
    """Remove the state of a run that is finished, also what a run killed just then has left."""
    state = folder / STATE_FILE
    if state.exists():
        workspace.store.remove(state.relative_to(workspace.root).as_posix())


def _pull_in_turn(folder: Path, workspace: Workspace, processes: ProcessGroup) -> None:
    """Download a run's files before any process writes: processes on one machine share them."""
    if processes.leads:
        workspace.pull(folder)
    processes.wait()
    if not processes.leads:
        workspace.pull(folder)
    processes.wait()


def _training_sets(work: WorkContext, config: TrainConfig) -> tuple[LabeledImages, LabeledImages]:
    train = _split_images(Split.TRAIN, work, config)
    _check_trainable(train, work.workspace)
    return train, _split_images(Split.VALIDATION, work, config)


def _check_trainable(images: LabeledImages, workspace: Workspace) -> None:
    classes = workspace.classes(Split.TRAIN)
    for value, name in enumerate(classes):
        count = int((images.targets == value).sum())
        if count < MIN_IMAGES:
            given = shlex.quote(comma_list([name]))
            leave_out = f", or leave it out with '{typed(f'binarize --exclude {given}')}'"
            raise InputError(
                f"{workspace.where(Split.TRAIN)}: {count} images of '{name}', at least "
                f"{MIN_IMAGES} are needed; fetch more, or keep more with "
                f"'{typed('undersample --size none')}'{leave_out if len(classes) > BINARY else ''}"
            )


def _split_images(split: str, work: WorkContext, config: TrainConfig) -> LabeledImages:
    table = work.workspace.read(split, COLUMNS)
    return open_images(table, config, work)
