"""Plots of labels and of learning, as SVG."""

from collections.abc import Mapping, Sequence
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from webemo_curate.report.svg import FIRST, SECOND, SIZE, plot

BAR = 0.28
"""Height of a label's two bars, inches."""

History = Sequence[Mapping[str, float | None]]
"""Entries of a run's log."""


def label_bars(labels: Sequence[str], before: Sequence[int], after: Sequence[int]) -> str:
    """Draw each label's share before and after curation, from top to bottom as given."""

    def draw(axes: Axes) -> None:
        place = np.arange(len(labels))
        axes.barh(place - 0.2, _shares(before), 0.4, color=FIRST, label="listed lines")
        axes.barh(place + 0.2, _shares(after), 0.4, color=SECOND, label="final images")
        axes.set_yticks(place, labels)
        axes.set_ylim(len(labels) - 0.4, -0.6)
        axes.set_xlabel("share, %")
        axes.legend(frameon=False)

    return plot(draw, (SIZE[0] * 1.3, max(SIZE[1] / 2, BAR * len(labels) + 0.8)))


def learning_curves(history: History) -> str:
    """Draw accuracy on training and validation by epoch."""

    def draw(axes: Axes) -> None:
        epochs: Any = [entry["epoch"] for entry in history]
        training: Any = [entry["accuracy"] for entry in history]
        validation: Any = [entry["val_accuracy"] for entry in history]
        axes.plot(epochs, _shown(training), "o-", color=FIRST, label="training")
        axes.plot(epochs, _shown(validation), "o-", color=SECOND, label="validation")
        _finish_curves(axes)

    return plot(draw)


def overlaid_curves(histories: Mapping[str, History]) -> str:
    """Draw the accuracy of several runs on validation by epoch, in one panel.

    Parameters
    ----------
    histories : mapping of str to sequence of log entries
        By the runs' names.

    Returns
    -------
    str
        SVG; the legend names the runs in their order.
    """
    colors = mpl.colormaps["turbo"](np.linspace(0.05, 0.95, len(histories)))
    tall = max(SIZE[1], 0.2 * len(histories) + 1)

    def draw(axes: Axes) -> None:
        for (name, history), color in zip(histories.items(), colors, strict=True):
            epochs: Any = [entry["epoch"] for entry in history]
            validation: Any = [entry["val_accuracy"] for entry in history]
            axes.plot(epochs, _shown(validation), ".-", color=color, label=name)
        _finish_curves(axes)
        axes.set_ylabel("accuracy on validation, %")
        axes.legend(frameon=False, loc="upper left", bbox_to_anchor=(1, 1))

    return plot(draw, (SIZE[0] * 1.6, tall))


def _finish_curves(axes: Axes) -> None:
    axes.set_xlabel("epoch")
    axes.set_ylabel("accuracy, %")
    axes.set_ylim(0, 102)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.legend(frameon=False)


def _shown(shares: Sequence[float | None]) -> NDArray[np.float64]:
    """Return shares as percent; NaN, which is not drawn, where there is none."""
    return 100 * np.array(shares, np.float64)


def _shares(counts: Sequence[int]) -> NDArray[np.float64]:
    return 100 * np.array(counts) / max(1, sum(counts))
