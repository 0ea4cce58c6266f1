"""Plots of the report, as SVG that stands in the page."""

import io
from collections.abc import Callable, Sequence
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray
from sklearn.metrics import auc, roc_curve

FIRST, SECOND = "#3b6ea8", "#c8553d"
SIZE = (5.2, 3.4)
"""Inches; the page scales them."""

STYLE: Any = {
    "svg.hashsalt": "webemo-curate",  # equal data give an equal file
    "axes.spines.top": False,
    "axes.spines.right": False,
    "font.size": 9,
}


def label_bars(labels: Sequence[str], before: Sequence[int], after: Sequence[int]) -> str:
    """Draw each label's share before and after curation."""

    def draw(axes: Axes) -> None:
        place = np.arange(len(labels))
        axes.barh(place - 0.2, _shares(before), 0.4, color=FIRST, label="listed lines")
        axes.barh(place + 0.2, _shares(after), 0.4, color=SECOND, label="final images")
        axes.set_yticks(place, labels)
        axes.invert_yaxis()
        axes.set_xlabel("share, %")
        axes.legend(frameon=False)

    return _svg(draw, (SIZE[0] * 1.3, SIZE[1] * 1.7))


def learning_curves(history: Sequence[dict[str, float]]) -> str:
    """Draw accuracy on training and validation by epoch."""

    def draw(axes: Axes) -> None:
        epochs = [entry["epoch"] for entry in history]
        axes.plot(epochs, [e["accuracy"] for e in history], "o-", color=FIRST, label="training")
        axes.plot(
            epochs, [e["val_accuracy"] for e in history], "o-", color=SECOND, label="validation"
        )
        axes.set_xlabel("epoch")
        axes.set_ylabel("accuracy")
        axes.set_ylim(0, 1.02)
        axes.legend(frameon=False)

    return _svg(draw)


def roc(target: NDArray[np.int64], probability: NDArray[np.float64]) -> str:
    """Draw the ROC curve of the positive class."""

    def draw(axes: Axes) -> None:
        false, true, _ = roc_curve(target, probability)
        axes.plot(false, true, color=FIRST, label=f"AUC {auc(false, true):.3f}")
        axes.plot([0, 1], [0, 1], ":", color="#888888")
        axes.set_xlabel("false positive rate")
        axes.set_ylabel("true positive rate")
        axes.legend(frameon=False, loc="lower right")

    return _svg(draw)


def _shares(counts: Sequence[int]) -> NDArray[np.float64]:
    return 100 * np.array(counts) / max(1, sum(counts))


def _svg(draw: Callable[[Axes], None], size: tuple[float, float] = SIZE) -> str:
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=size, layout="constrained")
        draw(figure.subplots())
        stream = io.StringIO()
        figure.savefig(stream, format="svg", metadata={"Date": None, "Creator": None})
    # What stands before the element (declaration, doctype) has no place inside a page.
    text = stream.getvalue()
    return text[text.index("<svg") :]
