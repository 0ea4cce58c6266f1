"""Comparing what two detectors found."""

from itertools import chain

import pytest


def assert_same_boxes(found, expected):
    """Allow for rounding in the scores, for nothing else."""
    assert list(map(len, found)) == list(map(len, expected))
    for box, other in zip(chain(*found), chain(*expected), strict=True):
        assert box.text == other.text
        assert box.polygon == other.polygon
        assert (box.support is None) == (other.support is None)
        assert box.support is None or box.support == pytest.approx(other.support, abs=1e-4)
        assert box.periodic == pytest.approx(other.periodic, abs=1e-4)
        assert box.score == pytest.approx(other.score, abs=1e-4)
        assert box.confidence == pytest.approx(other.confidence, abs=1e-4)
