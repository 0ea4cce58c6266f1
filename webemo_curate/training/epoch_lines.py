"""The lines that are said of an epoch when it has ended."""

from webemo_curate.runs import LogEntry


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
