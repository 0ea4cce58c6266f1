"""Where two detection networks see text in the same place."""

from collections.abc import Sequence
from dataclasses import replace

from webemo_curate.ocr.detector import TextBox

SAME_PLACE = 0.5
"""Intersection over union of upright rectangles around two boxes from which they are one place."""

Rectangle = tuple[float, float, float, float]


def mark_agreement(boxes: Sequence[TextBox], others: Sequence[TextBox]) -> list[TextBox]:
    """Note on each box how certain another network is of text in its place.

    Networks err on different things: on text-free photos their boxes hardly ever coincide, so a
    place that both find is text in whatever script (docs/text.md).

    Parameters
    ----------
    boxes : Sequence of TextBox
        Of one image.
    others : Sequence of TextBox
        What another network found in it.

    Returns
    -------
    list of TextBox
        `boxes`, each with the largest score of `others` in its place as `agreed`; 0 without any.
    """
    places = [(_rectangle(other), other.score) for other in others]
    return [replace(box, agreed=_best(_rectangle(box), places)) for box in boxes]


def _best(rectangle: Rectangle, places: Sequence[tuple[Rectangle, float]]) -> float:
    scores = (score for place, score in places if _overlap(rectangle, place) >= SAME_PLACE)
    return max(scores, default=0.0)


def _rectangle(box: TextBox) -> Rectangle:
    xs, ys = box.polygon[0::2], box.polygon[1::2]
    return min(xs), min(ys), max(xs), max(ys)


def _overlap(one: Rectangle, other: Rectangle) -> float:
    """Return intersection over union; 0 for rectangles without area."""
    width = min(one[2], other[2]) - max(one[0], other[0])
    height = min(one[3], other[3]) - max(one[1], other[1])
    if width <= 0 or height <= 0:
        return 0.0
    shared = width * height
    return shared / (_area(one) + _area(other) - shared)


def _area(rectangle: Rectangle) -> float:
    left, top, right, bottom = rectangle
    return (right - left) * (bottom - top)
