"""The search finds every pair within the distance, once, whatever the hashes."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from webemo_curate.duplicates import hamming
from webemo_curate.duplicates.hamming import pairs_within


def brute_force(queries, base, radius):
    return {
        (i, j, (int(a) ^ int(b)).bit_count())
        for i, a in enumerate(queries)
        for j, b in enumerate(base)
        if (int(a) ^ int(b)).bit_count() <= radius
    }


def found(queries, base, radius):
    pairs = pairs_within(queries, base, radius)
    triples = list(zip(*(column.tolist() for column in pairs), strict=True))
    assert len(triples) == len(set(triples))
    return set(triples)


def planted(seed, count, flips):
    """Random hashes, and for each a copy with a few bits flipped."""
    random = np.random.default_rng(seed)
    base = random.integers(0, 2**64, count, dtype=np.uint64)
    copies = base.copy()
    for _ in range(flips):
        copies ^= np.uint64(1) << random.integers(0, 64, count, dtype=np.uint64)
    return np.unique(np.concatenate([base, copies]))


@settings(max_examples=150, deadline=None)
@given(
    hashes=st.lists(st.integers(0, 2**64 - 1), max_size=30, unique=True),
    near=st.lists(st.tuples(st.integers(0, 29), st.integers(0, 63)), max_size=30),
    radius=st.integers(0, 64),
)
def test_small_sets_equal_brute_force(hashes, near, radius):
    base = np.array(hashes, dtype=np.uint64)
    queries = [hashes[i % len(hashes)] ^ (1 << bit) for i, bit in near if hashes]
    queries = np.array(queries, dtype=np.uint64)

    assert found(queries, base, radius) == brute_force(queries, base, radius)


@pytest.mark.parametrize("radius", range(13))
def test_the_index_equals_a_scan(radius, monkeypatch):
    hashes = planted(radius, 3000, radius)
    indexed = found(hashes, hashes, radius)
    monkeypatch.setattr(hamming, "SCAN_COST", 1e-12)

    assert indexed == found(hashes, hashes, radius)
    assert len(indexed) > 3 * len(hashes) / 2 or radius == 0


def test_skewed_hashes_are_compared_in_bounded_blocks(monkeypatch):
    monkeypatch.setattr(hamming, "BLOCK", 1000)
    random = np.random.default_rng(0)
    # Only 14 bits vary: every bucket of the other chunks holds everything.
    hashes = np.unique(random.integers(0, 2**14, 1500, dtype=np.uint64))

    assert found(hashes, hashes, 2) == brute_force(hashes, hashes, 2)


def test_nothing_to_search_finds_nothing():
    none = np.empty(0, dtype=np.uint64)
    some = np.array([1], dtype=np.uint64)

    assert found(none, some, 8) == found(some, none, 8) == set()
