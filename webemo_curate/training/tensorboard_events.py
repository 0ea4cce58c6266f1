"""Write the log of a training as TensorBoard events."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from webemo_curate.runs import LogEntry

EVENTS_FOLDER = "tensorboard"


@contextmanager
def epoch_events(run: Path, epochs_done: int) -> Iterator[Callable[[LogEntry], None]]:
    """Open the event log of a run.

    Parameters
    ----------
    run : Path
        The run's folder; the events go into its subfolder `tensorboard`.
    epochs_done : int
        Epochs that the run continues from. TensorBoard drops the events of later epochs, which an
        interrupted run wrote.

    Yields
    ------
    Callable
        Writes one epoch's log entry: its figures against the epoch's number.
    """
    from torch.utils.tensorboard import SummaryWriter

    with SummaryWriter(run / EVENTS_FOLDER, purge_step=epochs_done + 1) as writer:

        def write(entry: LogEntry) -> None:
            for name, value in entry.items():
                if name != "epoch" and value is not None:
                    writer.add_scalar(name, value, entry["epoch"])
            writer.flush()

        yield write
