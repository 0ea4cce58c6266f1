"""Progress bars: shown on a terminal, silent elsewhere."""

from typing import Any

from tqdm import tqdm

SHOW_AFTER_SECONDS = 2.0


def progress_bar(total: int, label: str, unit: str, done: int = 0) -> "tqdm[Any]":
    """Make a progress bar with rate and time left.

    Parameters
    ----------
    total : int
        Units in all.
    label : str
        What is being done.
    unit : str
        Name of a unit.
    done : int, default 0
        Units finished before (by an earlier, interrupted run).

    Returns
    -------
    tqdm
        A context manager with `update`; it prints nothing if standard error is no terminal, and
        nothing for work of less than two seconds.
    """
    bar: tqdm[Any] = tqdm(
        total=total,
        desc=label,
        unit=unit,
        initial=done,
        disable=None,
        delay=SHOW_AFTER_SECONDS,
        dynamic_ncols=True,
    )
    return bar
