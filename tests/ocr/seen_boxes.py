"""Boxes as a detector would have seen them, and whether the rule believes them."""

import pyarrow as pa

from webemo_curate.fields import TEXT_BOX
from webemo_curate.ocr.requirement import Rule
from webemo_curate.ocr.rule import decide

RULE = Rule(((2, 0.8), (3, 0.7), (4, 0.5)), cjk=0.85, large_area=0.2, large=0.95)


def box(
    text="word",
    confidence=0.9,
    area=0.05,
    score=0.8,
    agreed=0.0,
    drawn=False,
    frame=0,
    support=None,
    periodic=0.0,
    size=(40.0, 10.0),
):
    width, height = size
    return {
        "polygon": [0.0, 0.0, width, 0.0, width, height, 0.0, height],
        "score": score,
        "text": text,
        "confidence": confidence,
        "agreed": agreed,
        "drawn": drawn,
        "frame": frame,
        "support": support,
        "periodic": periodic,
        "area": area,
    }


def images(*boxes_of_each):
    """Return the boxes of each image as a column."""
    return pa.array([list(boxes) for boxes in boxes_of_each], pa.list_(TEXT_BOX))


def bears_text(*boxes, rule=RULE):
    """Tell whether an image of these boxes bears text."""
    return bool(decide(images(boxes), rule).bears_text[0])
