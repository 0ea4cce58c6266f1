"""The three answers follow from what a placing showed."""

import pytest

from webemo_curate.config import DedupConfig
from webemo_curate.duplicates.geometry import NO_MATCH, Match
from webemo_curate.duplicates.relation import Relation, RelationLimits

SAME = Match(inliers=40, placed=0.9, correlation=0.99, overlap=1, agreeing=0.98, changed=0)


@pytest.mark.parametrize(
    ("found", "answer"),
    [
        (SAME, Relation.SAME),
        ({"changed": 0.05}, Relation.SIBLINGS),
        # A body lies on itself, and most other keypoints say that the head has moved.
        ({"placed": 0.36}, Relation.SIBLINGS),
        ({"placed": 0.36, "correlation": 0.85}, Relation.STRANGERS),
        ({"inliers": 12}, Relation.STRANGERS),
        ({"changed": 0.05, "agreeing": 0.6}, Relation.STRANGERS),
        (NO_MATCH, Relation.STRANGERS),
    ],
)
def test_what_a_placing_shows_gives_the_answer(found, answer):
    placing = found if isinstance(found, Match) else Match(**vars(SAME) | found)
    assert RelationLimits.of(DedupConfig()).answer(placing, whole=False) == answer


def test_whole_frames_need_no_keypoints_but_must_agree_more():
    rule = RelationLimits.of(DedupConfig())
    whole = Match(inliers=0, placed=1, correlation=0.96, overlap=1, agreeing=0.98, changed=0)
    assert rule.answer(whole, whole=True) == Relation.SAME
    less = Match(**vars(whole) | {"correlation": 0.85})
    assert rule.answer(less, whole=True) == Relation.STRANGERS
