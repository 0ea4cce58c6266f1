"""A training run's folder: its identity, its files, and its finished state."""

import hashlib
import json
import logging
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath
from typing import Any

from webemo_curate.config import TrainConfig
from webemo_curate.errors import InputError
from webemo_curate.remedies import typed
from webemo_curate.rooted import check_tree, regular_digest
from webemo_curate.run_digests import FILES, NETWORK, file_digests, sealed
from webemo_curate.run_names import named_runs, run_name
from webemo_curate.storage.atomic import write_bytes
from webemo_curate.system_faults import raise_system_fault
from webemo_curate.verdicts import DEFAULT_CLASSES, Split, are_classes, is_binary
from webemo_curate.workspace import RUNS, Workspace

logger = logging.getLogger(__name__)

CONFIG_FILE = "config.json"
LOG_FILE = "log.jsonl"
STATE_FILE = "state.safetensors"
LAST_FILE = NETWORK
BEST_FILE = "best.safetensors"
DONE_FILE = "done.json"
SEEN_FILE = "seen.parquet"
"""Lists the images that a run was trained and validated on."""

FINGERPRINT_DIGITS = 8
LOGGED = frozenset({"epoch", "loss", "accuracy", "val_accuracy"})
"""Fields that every log entry has."""

CLASSES = "classes"
"""Key of the class names in the configuration file."""

SPLITS = "splits"
"""Key of the splits' digests in the configuration file."""


LogEntry = dict[str, float | None]
"""The log's figures of one epoch; None for a figure that the images do not define."""


@dataclass(frozen=True)
class RunResult:
    """The result of one training.

    Attributes
    ----------
    folder
        The run's folder.
    seed
        The run's seed.
    skipped
        Whether an equal run existed already.
    history
        One entry for each epoch: `epoch`, `loss`, `accuracy`, `val_loss`, `val_accuracy`,
        `images_per_second`.
    """

    folder: Path
    seed: int
    skipped: bool
    history: list[LogEntry]


def run_folder(config: TrainConfig, seed: int, workspace: Workspace) -> Path:
    """Return the folder of a run, named after everything that determines its result.

    Parameters
    ----------
    config : TrainConfig
        The training's configuration.
    seed : int
        The run's seed.
    workspace : Workspace
        Holds the manifests, whose digests enter the name.

    Returns
    -------
    Path
        Under `workspace.runs`; it may not exist yet.

    Raises
    ------
    InputError
        If a manifest or the weights file is missing.
    """
    document = config.fingerprint() | {"seed": seed, "weights": weights_digest(config)}
    for split in (Split.TRAIN, Split.VALIDATION):
        info = workspace.info(split)
        if info is None:
            raise InputError(
                f"{workspace.where(split)}: no readable manifest; run "
                f"'{workspace.writing(split)}' first"
            )
        document[split] = info.digest
        # Equal targets may mean other classes; but the binary target's names never entered the
        # name.
        if info.classes and not is_binary(info.classes):
            document[CLASSES] = info.classes
    text = json.dumps(document, sort_keys=True)
    fingerprint = hashlib.sha256(text.encode()).hexdigest()[:FINGERPRINT_DIGITS]
    return workspace.runs / f"{config.preset}-k{config.grams}-seed{seed}-{fingerprint}"


def is_finished(folder: Path) -> bool:
    """Return whether a run has been trained to its last epoch."""
    return (folder / DONE_FILE).exists()


def save_config(folder: Path, config: TrainConfig, seed: int, workspace: Workspace) -> None:
    """Write the run's configuration, its class names and the digests of its splits."""
    infos = {split.value: workspace.info(split) for split in Split}
    document = config.model_dump(mode="json") | {
        "seed": seed,
        CLASSES: workspace.classes(Split.TRAIN),
        SPLITS: {split: info.digest for split, info in infos.items() if info},
    }
    write_bytes(folder / CONFIG_FILE, json.dumps(document, indent=2).encode())


def load_config(folder: Path) -> TrainConfig:
    """Read the run's configuration.

    Raises
    ------
    InputError
        If it is missing or invalid.
    """
    document = _read_config(folder)
    document.pop(CLASSES, None)
    document.pop(SPLITS, None)
    try:
        return TrainConfig.model_validate(document)
    except ValueError as error:
        raise _unsound(folder) from error


def load_classes(folder: Path) -> tuple[str, ...]:
    """Read the names of the run's classes, by target.

    Raises
    ------
    InputError
        If the run's configuration is missing or invalid.
    """
    classes = _read_config(folder).get(CLASSES, DEFAULT_CLASSES)
    if not are_classes(classes):
        raise _unsound(folder)
    return tuple(classes)


def load_seed(folder: Path) -> int:
    """Read the run's seed."""
    return load_config(folder).seed


def load_splits(folder: Path) -> dict[str, str]:
    """Read the digests of the splits that a run was trained on; empty for an earlier release's."""
    splits = _read_config(folder).get(SPLITS, {})
    if not isinstance(splits, dict):
        return {}
    return {name: digest for name, digest in splits.items() if isinstance(digest, str)}


def _read_config(folder: Path) -> dict[str, Any]:
    try:
        document = json.loads((folder / CONFIG_FILE).read_bytes())
    except (OSError, ValueError, RecursionError) as error:
        raise_system_fault(error, str(folder / CONFIG_FILE))
        raise _unsound(folder) from error
    if not isinstance(document, dict):
        raise _unsound(folder)
    return document


def _unsound(folder: Path) -> InputError:
    return InputError(f"{folder / CONFIG_FILE}: not a run's configuration; train the run again")


def save_log(folder: Path, history: list[LogEntry]) -> None:
    """Write the log, one JSON object for each epoch."""
    lines = "".join(json.dumps(entry) + "\n" for entry in history)
    write_bytes(folder / LOG_FILE, lines.encode())


def load_log(folder: Path) -> list[LogEntry]:
    """Read the log; empty if there is none yet."""
    path = folder / LOG_FILE
    try:
        lines = path.read_text().splitlines() if path.exists() else []
        history = [json.loads(line) for line in lines]
    except (OSError, ValueError, RecursionError) as error:
        raise_system_fault(error, str(path))
        raise InputError(f"{path}: not a run's log; train the run again") from error
    if not all(map(_is_entry, history)):
        raise InputError(f"{path}: not a run's log; train the run again")
    return history


def _is_entry(entry: Any) -> bool:
    if not isinstance(entry, dict) or not entry.keys() >= LOGGED:
        return False
    return all(value is None or type(value) in (int, float) for value in entry.values())


def finish(folder: Path, summary: dict[str, Any]) -> None:
    """Mark a run as finished. This is written last, so that a killed run never counts as finished.

    The present digests of its files are recorded; see `run_digests`.
    """
    files = file_digests(folder, (CONFIG_FILE, SEEN_FILE, LOG_FILE, LAST_FILE, BEST_FILE))
    document = sealed(summary | {"finished": datetime.now(UTC).isoformat(), FILES: files})
    write_bytes(folder / DONE_FILE, json.dumps(document).encode())


def find_run(name: str | None, workspace: Workspace) -> Path:
    """Find a finished run.

    Parameters
    ----------
    name : str or None
        The name or folder of the run; None for the latest.
    workspace : Workspace
        Holds the runs.

    Returns
    -------
    Path
        The run's folder.

    Raises
    ------
    InputError
        If there is none; the message names the existing runs.
    """
    finished = finished_runs(workspace)
    if name is None and finished:
        return workspace.pull(finished[-1])
    if name and workspace.runs / name in finished:
        return workspace.pull(workspace.runs / name)
    if name and is_finished(Path(name)):
        check_tree(Path(name))
        return Path(name)
    given = named_runs(workspace).get(name or "")
    if given in finished:
        return workspace.pull(given)
    place = name or workspace.store.where(RUNS)
    known = ", ".join(map(run_name, finished))
    remedy = f"there are: {known}" if known else f"run '{workspace.typed('train-model')}'"
    raise InputError(f"{place}: no finished run; {remedy}")


def finished_runs(workspace: Workspace) -> list[Path]:
    """Return the local folders of finished runs, the latest last.

    On an object store they may not be on this machine yet: `Workspace.pull` downloads them.
    """
    keys = [key for key in workspace.store.keys(RUNS) if PurePosixPath(key).name == DONE_FILE]
    marks = [workspace.store.local(key) for key in keys]
    folders = {mark.parent: _finished_at(mark) for mark in marks}
    return sorted(folders, key=lambda folder: (folders[folder], folder.name))


def _finished_at(mark: Path) -> str:
    """Return when a run was finished; a mark without a time sorts before all others."""
    try:
        return str(json.loads(mark.read_bytes())["finished"])
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        raise_system_fault(error, str(mark))
        logger.warning("%s: not a run's mark; '%s' says more", mark, typed("verify"))
        return ""


def check_weights(config: TrainConfig) -> None:
    """Raise if the file of weights is missing, before hours of other work."""
    if config.weights and not config.from_scratch and not config.weights.is_file():
        raise InputError(
            f"--weights {config.weights}: no such file; correct it, or leave it out for the "
            f"backbone's own weights, which '{typed('get-weights timm')}' downloads"
        )


def weights_digest(config: TrainConfig) -> str | None:
    """Return the digest of the file of weights that is named; None where none is."""
    if config.weights is None or config.from_scratch:
        return None
    check_weights(config)
    return regular_digest(config.weights, "--weights")
