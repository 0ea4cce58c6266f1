"""The progress bar and the lines that are shown during training."""

from webemo_curate.config import TrainConfig
from webemo_curate.progress import ProgressBar
from webemo_curate.runs import LogEntry
from webemo_curate.training.state import Progress


def training_bar(
    config: TrainConfig, seed: int, images: int, progress: Progress, leads: bool
) -> ProgressBar:
    """Make the progress bar of a whole training, which also knows the seeds still to come.

    Parameters
    ----------
    config : TrainConfig
        Epochs and seeds.
    seed : int
        This run's seed.
    images : int
        Number of training images.
    progress : Progress
        What an interrupted run has done.
    leads : bool
        Whether this process, of several, shows progress.

    Returns
    -------
    ProgressBar
        Counts images over all epochs.
    """
    total = images * config.epochs
    to_come = config.seed + config.seeds - 1 - seed
    done = images * progress.epochs + progress.seen
    return ProgressBar(total, "train", "image", done, further=total * max(0, to_come), shown=leads)


def epoch_line(history: list[LogEntry], epochs: int) -> str:
    """Describe an epoch's result in one line.

    Parameters
    ----------
    history : list of dict of str to float
        One entry for each epoch; the last is described.
    epochs : int
        Total number of epochs.

    Returns
    -------
    str
        Loss, accuracy, validation accuracy, the best validation accuracy so far and its epoch.
    """
    entry = history[-1]
    line = f"epoch {len(history)} of {epochs}: loss {entry['loss']:.4f}, accuracy " + _share(
        entry["accuracy"]
    )
    if entry["val_accuracy"] is None:
        return line
    best = max(range(len(history)), key=lambda n: (accuracy_of(history[n]), n))
    return (
        f"{line}, validation {_share(entry['val_accuracy'])}, best so far "
        f"{_share(accuracy_of(history[best]))} (epoch {best + 1})"
    )


def _share(value: float | None) -> str:
    return "-" if value is None else f"{value:.1%}"


def accuracy_of(entry: LogEntry) -> float:
    """Return an epoch's validation accuracy; 0 without validation images."""
    return entry["val_accuracy"] or 0.0
