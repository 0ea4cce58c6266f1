"""Find the places where two detection networks both find text."""

from collections.abc import Sequence
from dataclasses import replace

from webemo_curate.ocr.detector import TextBox

SAME_PLACE = 0.5
"""Intersection over union of two boxes' bounding rectangles from which they mark the same place."""

WITHIN = 0.8
"""Share of the shorter of two boxes, along the text, that must lie in the other if they are of one
line: one network marks a whole line, the other its words."""

LINE = 2.0
"""Least width over height of boxes of one line, so that a row of faces does not count as one."""

LINE_DOUBT = 0.15
"""Deduction from the score if the other network found only the same line, not the same place."""

Rectangle = tuple[float, float, float, float]


def mark_agreement(boxes: Sequence[TextBox], others: Sequence[TextBox]) -> list[TextBox]:
    """Record in each box how certain another network is of text in its place.

    The networks err on different things: on photos without text their boxes hardly ever coincide. A
    place that both find is therefore text, in whatever script (docs/text.md).

    Parameters
    ----------
    boxes : Sequence of TextBox
        Boxes of one image.
    others : Sequence of TextBox
        Boxes that another network found in the same image.

    Returns
    -------
    list of TextBox
        `boxes`, with `agreed` set to the largest score of `others` in the same place, less
        `LINE_DOUBT` if they only share a line; 0 if there is none.
    """
    places = [(_rectangle(other), other.score) for other in others]
    return [replace(box, agreed=_best(_rectangle(box), places)) for box in boxes]


def _best(rectangle: Rectangle, places: Sequence[tuple[Rectangle, float]]) -> float:
    found = [score - _doubt(rectangle, place) for place, score in places]
    return max(0.0, *found) if found else 0.0


def _doubt(one: Rectangle, other: Rectangle) -> float:
    """Return how much to deduct for another network's box; 1 if it says nothing of this one."""
    width = min(one[2], other[2]) - max(one[0], other[0])
    height = min(one[3], other[3]) - max(one[1], other[1])
    if width <= 0 or height <= 0:
        return 1.0
    shared = width * height
    if shared >= SAME_PLACE * (_area(one) + _area(other) - shared):
        return 0.0
    of_one_line = (
        min(_shape(one), _shape(other)) >= LINE
        and width >= WITHIN * min(one[2] - one[0], other[2] - other[0])
        and height >= SAME_PLACE * (max(one[3], other[3]) - min(one[1], other[1]))
    )
    return LINE_DOUBT if of_one_line else 1.0


def _rectangle(box: TextBox) -> Rectangle:
    xs, ys = box.polygon[0::2], box.polygon[1::2]
    return min(xs), min(ys), max(xs), max(ys)


def _shape(rectangle: Rectangle) -> float:
    left, top, right, bottom = rectangle
    return (right - left) / (bottom - top)


def _area(rectangle: Rectangle) -> float:
    left, top, right, bottom = rectangle
    return (right - left) * (bottom - top)
