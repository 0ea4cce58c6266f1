"""The lines and the bar that are shown while a network is trained."""

from webemo_curate.config import TrainConfig
from webemo_curate.progress import ProgressBar
from webemo_curate.runs import LogEntry
from webemo_curate.training.state import Progress


def training_bar(
    config: TrainConfig, seed: int, images: int, progress: Progress, leads: bool
) -> ProgressBar:
    """Make the bar of a whole training, which knows of the seeds that come after it.

    Parameters
    ----------
    config : TrainConfig
        Epochs and seeds.
    seed : int
        The run's.
    images : int
        That are trained on.
    progress : Progress
        What an interrupted run has done.
    leads : bool
        Whether this is the one of several processes that speaks.

    Returns
    -------
    ProgressBar
        Of images, over all epochs.
    """
    total = images * config.epochs
    to_come = config.seed + config.seeds - 1 - seed
    done = images * progress.epochs + progress.seen
    return ProgressBar(total, "train", "image", done, further=total * max(0, to_come), shown=leads)


def epoch_line(history: list[LogEntry], epochs: int) -> str:
    """Say in a line how an epoch went.

    Parameters
    ----------
    history : list of dict of str to float
        An entry an epoch; the last is told of.
    epochs : int
        How many there are to be.

    Returns
    -------
    str
        Loss, accuracy, validation's accuracy, the best of that so far and its epoch.
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
    """Return an epoch's accuracy on validation; 0 without validation images."""
    return entry["val_accuracy"] or 0.0
