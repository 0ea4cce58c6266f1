"""Exact search and clusters around keepers."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from webemo_curate.duplicates.clusters import cluster_by_keeper, near_pairs

HASHES = st.lists(st.integers(0, 255), max_size=40)
RADIUS = 2


@given(HASHES, HASHES)
def test_all_near_pairs_are_found_equal_hashes_included(
    values: list[int], mirrored: list[int]
) -> None:
    size = min(len(values), len(mirrored))
    values, mirrored = values[:size], mirrored[:size]
    pairs = near_pairs(np.array(values, np.uint64), np.array(mirrored, np.uint64), RADIUS)
    found = [
        (*sorted(pair), bits)
        for *pair, bits in zip(*(column.tolist() for column in pairs), strict=True)
        if pair[0] != pair[1]
    ]
    expected = {
        (*sorted((a, b)), (x ^ y).bit_count())
        for side in (values, mirrored)
        for a, x in enumerate(side)
        for b, y in enumerate(values)
        if a != b and (x ^ y).bit_count() <= RADIUS
    }
    assert set(found) == expected


@given(HASHES)
def test_members_are_near_their_keeper_and_keepers_are_not_near_each_other(
    values: list[int],
) -> None:
    hashes = np.array(values, np.uint64)
    keeper, distance = cluster_by_keeper(len(values), near_pairs(hashes, hashes, RADIUS))
    for row, (home, gap) in enumerate(zip(keeper.tolist(), distance.tolist(), strict=True)):
        assert keeper[home] == home
        assert (values[row] ^ values[home]).bit_count() == gap <= RADIUS
    keepers = [values[home] for home in sorted(set(keeper.tolist()))]
    for index, one in enumerate(keepers):
        assert all((one ^ other).bit_count() > RADIUS for other in keepers[:index])


def test_a_chain_does_not_merge_strangers() -> None:
    chain = np.array([0b0000, 0b0011, 0b1111], np.uint64)
    keeper, _ = cluster_by_keeper(3, near_pairs(chain, chain, RADIUS))
    assert keeper.tolist() == [0, 0, 2]
