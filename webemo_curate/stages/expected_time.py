"""The time, about, that stages still to come will take: for what is said of the time left."""

from collections.abc import Iterable

from webemo_curate.config import StageConfig
from webemo_curate.stages.stage import RowLocalStage, Stage


class ExpectedTime:
    """Says how long stages will take, at the pace at which those before them ran here.

    `RowLocalStage.seconds_a_row` gives the stages' proportions; whole-table stages take a small
    part of the time and count as none.

    Parameters
    ----------
    workers : int
        Processes that share the work.
    """

    def __init__(self, workers: int) -> None:
        self._workers = max(1, workers)
        self._taken = self._expected = 0.0

    def saw(self, stage: Stage[StageConfig], rows: int, seconds: float) -> None:
        """Take note of how long a stage took; call it for whole runs, not for resumed ones.

        Parameters
        ----------
        stage : Stage
            Which has ended.
        rows : int
            It wrote.
        seconds : float
            Wall time.
        """
        if isinstance(stage, RowLocalStage) and rows:
            self._taken += seconds
            self._expected += self._usual([stage], rows)

    def of(self, stages: Iterable[Stage[StageConfig]], rows: int) -> float:
        """Return the seconds that stages to come will take.

        Parameters
        ----------
        stages : iterable of Stage
            Those.
        rows : int
            What goes in, as far as is known: some may leave on the way.
        """
        pace = self._taken / self._expected if self._expected else 1.0
        return pace * self._usual(stages, rows)

    def _usual(self, stages: Iterable[Stage[StageConfig]], rows: int) -> float:
        each = [stage.seconds_a_row for stage in stages if isinstance(stage, RowLocalStage)]
        return rows * sum(each) / self._workers
