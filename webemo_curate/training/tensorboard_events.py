"""Write the log of a training as TensorBoard events."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from webemo_curate.runs import LogEntry
from webemo_curate.system_faults import raise_system_fault

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

    Raises
    ------
    SystemFaultError
        If the events cannot be written, such as on a full disk.
    """
    from torch.utils.tensorboard import SummaryWriter

    folder = run / EVENTS_FOLDER
    with _told_once(), SummaryWriter(folder, purge_step=epochs_done + 1) as writer:

        def write(entry: LogEntry) -> None:
            for name, value in entry.items():
                if name != "epoch" and value is not None:
                    writer.add_scalar(name, value, entry["epoch"])
            writer.flush()

        yield write


@contextmanager
def _told_once() -> Iterator[None]:
    """Say in one message that the machine lacks what TensorBoard's own thread needs to write.

    The next call raises what ended the thread, which Python would also print as a traceback.
    """
    hook = threading.excepthook

    def tell_others(ended: threading.ExceptHookArgs) -> None:
        if not type(ended.thread).__module__.startswith("tensorboard."):
            hook(ended)

    threading.excepthook = tell_others
    try:
        yield
    except OSError as error:
        raise_system_fault(error)  # closing raises it too, in place of what named a file
        raise
    finally:
        threading.excepthook = hook
