"""The time, about, that stages still to come will take: for what is said of the time left."""

from collections.abc import Iterable

from webemo_curate.config import StageConfig
from webemo_curate.stages.stage import RowLocalStage, Stage


def expected_seconds(stages: Iterable[Stage[StageConfig]], rows: int, workers: int) -> float:
    """Say how long stages will take.

    Parameters
    ----------
    stages : iterable of Stage
        Those to come; whole-table stages take a small part of the time and count as none.
    rows : int
        What goes in, as far as is known: some may leave on the way.
    workers : int
        Processes that share the work.

    Returns
    -------
    float
        Seconds.
    """
    each = [stage.seconds_a_row for stage in stages if isinstance(stage, RowLocalStage)]
    return rows * sum(each) / max(1, workers)
