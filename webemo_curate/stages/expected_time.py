"""Estimate the time that later stages will take, for the time left in progress bars."""

from collections.abc import Iterable

from webemo_curate.config import StageConfig
from webemo_curate.stages.stage import RowLocalStage, Stage


class ExpectedTime:
    """Estimates the time of later stages from the pace of earlier ones on this machine.

    `RowLocalStage.seconds_a_row` gives the proportions between stages. Whole-table stages take a
    small part of the time and are ignored.

    Parameters
    ----------
    workers : int
        Processes that share the work.
    """

    def __init__(self, workers: int) -> None:
        self._workers = max(1, workers)
        self._taken = self._expected = 0.0

    def saw(self, stage: Stage[StageConfig], rows: int, seconds: float) -> None:
        """Record the time a stage took; call it for complete runs, not for resumed ones.

        Parameters
        ----------
        stage : Stage
            The finished stage.
        rows : int
            Number of rows that it wrote.
        seconds : float
            Wall time in seconds.
        """
        if isinstance(stage, RowLocalStage) and rows:
            self._taken += seconds
            self._expected += self._usual([stage], rows)

    def of(self, stages: Iterable[Stage[StageConfig]], rows: int) -> float:
        """Return the seconds that later stages will take.

        Parameters
        ----------
        stages : iterable of Stage
            The later stages.
        rows : int
            Number of rows that enter, as far as known; some may leave on the way.
        """
        pace = self._taken / self._expected if self._expected else 1.0
        return pace * self._usual(stages, rows)

    def _usual(self, stages: Iterable[Stage[StageConfig]], rows: int) -> float:
        each = [stage.seconds_a_row for stage in stages if isinstance(stage, RowLocalStage)]
        return rows * sum(each) / self._workers
