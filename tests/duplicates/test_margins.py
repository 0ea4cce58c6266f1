"""The margin of a measured pair: its sign is the answer, its size how narrow it was."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from webemo_curate.config import DedupConfig
from webemo_curate.duplicates.margins import MEASURES, pair_margins
from webemo_curate.duplicates.measured import NO_BITS, PLACINGS, MeasuredPairs, answers
from webemo_curate.duplicates.placings import Placings
from webemo_curate.duplicates.relation import Relation, RelationLimits

shares = st.floats(0, 1, width=32) | st.sampled_from([0.45, 0.5, 0.8, 0.85, 0.9, 0.008, 0.0, 1.0])
rows = st.lists(
    st.tuples(
        *(st.integers(NO_BITS, 64), st.integers(0, len(PLACINGS) - 1), st.booleans()),
        *(st.integers(0, 60), shares, shares, shares, shares),
    ),
    min_size=1,
    max_size=20,
)
configs = st.builds(
    DedupConfig,
    distance=st.integers(0, 64),
    min_inliers=st.integers(4, 40),
    min_correlation=st.floats(-1, 1).filter(lambda value: value == 0 or abs(value) > 1e-6),
    max_changed=st.floats(0, 1).filter(lambda value: value == 0 or value > 1e-6),
)


def measured(rows: list[tuple[float, ...]]) -> MeasuredPairs:
    bits, placing, clear, inliers, placed, correlation, agreeing, changed = map(
        np.array, zip(*rows, strict=True)
    )
    size = len(rows)
    floats = [x.astype(np.float32) for x in (placed, correlation, np.ones(size), agreeing, changed)]
    showed = Placings(placing > 0, inliers.astype(np.int32), *floats)
    first, second = np.arange(size), np.arange(size) + size
    unmirrored = np.zeros(size, bool)
    return MeasuredPairs(
        *(first, second, unmirrored, bits.astype(np.int16), placing.astype(np.int8)),
        *(clear.astype(bool), showed),
    )


@given(rows, configs)
def test_its_sign_is_the_answer(rows: list[tuple[float, ...]], config: DedupConfig) -> None:
    pairs = measured(rows)
    within = (pairs.distance == NO_BITS) | (pairs.distance <= config.distance)
    same = (answers(pairs, RelationLimits.of(config)) == Relation.SAME) & within
    assert ((pair_margins(pairs, config).margin >= 0) == same).all()


def test_it_is_of_the_measure_that_is_nearest_to_failing_or_fails_most() -> None:
    #        bits, placing, clear, inliers, placed, correlation, agreeing, changed
    sure = (NO_BITS, 2, False, 64, 0.9, 0.84, 0.9, 0.001)
    fewer = (NO_BITS, 2, False, 8, 0.9, 0.72, 0.9, 0.004)
    reduced = (NO_BITS, 0, False, 0, 0.0, 0.99, 0.0, 0.0)
    pairs = measured([sure, (*sure[:5], 0.72, *sure[6:]), (12, *sure[1:]), fewer, reduced])
    found = pair_margins(pairs, DedupConfig(distance=10, min_inliers=16, min_correlation=0.8))
    assert np.allclose(found.margin, [0.04, -0.08, -1.5 / 64, -0.1, -1])
    assert [MEASURES[place] for place in found.measure] == [
        *("correlation", "correlation", "distance of hashes"),
        *("keypoints that agree", "reduced pictures"),
    ]
    assert np.allclose(found.score[:4], [0.84, 0.72, 12, 8])
    assert np.allclose(found.threshold[:4], [0.8, 0.8, 10, 16])
