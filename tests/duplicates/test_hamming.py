"""The search finds every pair within the distance, once, whatever the hashes."""

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from webemo_curate.duplicates import hamming, hash_buckets, hash_keys
from webemo_curate.duplicates.hamming import pairs_within
from webemo_curate.duplicates.hash_keys import Chunks, Hashes

Triples = set[tuple[int, int, int]]


def brute_force(queries: Sequence[int], base: Sequence[int] | None, radius: int) -> Triples:
    return {
        (i, j, (int(a) ^ int(b)).bit_count())
        for i, a in enumerate(queries)
        for j, b in enumerate(queries if base is None else base)
        if (int(a) ^ int(b)).bit_count() <= radius and (base is not None or i < j)
    }


def found(queries: Hashes, base: Hashes | None, radius: int) -> Triples:
    pairs = pairs_within(queries, base, radius)
    triples = list(zip(*(column.tolist() for column in pairs), strict=True))
    assert len(triples) == len(set(triples))
    return set(triples)


def planted(seed: int, count: int, flips: int) -> Hashes:
    """Random hashes, and for each a copy with a few bits flipped."""
    random = np.random.default_rng(seed)
    base = random.integers(0, 2**64, count, dtype=np.uint64)
    copies = base.copy()
    for _ in range(flips):
        copies ^= np.uint64(1) << random.integers(0, 64, count, dtype=np.uint64)
    return np.unique(np.concatenate([base, copies]))


def use_only(monkeypatch: pytest.MonkeyPatch, chunks: Chunks) -> None:
    monkeypatch.setattr(hamming, "_cuts", lambda _: [chunks])


@settings(max_examples=150, deadline=None)
@given(
    hashes=st.lists(st.integers(0, 2**64 - 1), max_size=30, unique=True),
    near=st.lists(st.tuples(st.integers(0, 29), st.integers(0, 63)), max_size=30),
    radius=st.integers(0, 64),
)
def test_small_sets_equal_brute_force(
    hashes: list[int], near: list[tuple[int, int]], radius: int
) -> None:
    base = np.array(hashes, dtype=np.uint64)
    close = [hashes[i % len(hashes)] ^ (1 << bit) for i, bit in near if hashes]
    queries = np.array(close, dtype=np.uint64)

    assert found(queries, base, radius) == brute_force(close, hashes, radius)
    assert found(queries, None, radius) == brute_force(close, None, radius)


@settings(max_examples=80, deadline=None)
@given(
    seed=st.integers(0, 2**32),
    bits=st.integers(1, 64),
    radius=st.integers(0, 6),
    agreeing=st.integers(1, 3),
    side=st.integers(1, 9),
    widest=st.integers(3, 12),
)
def test_every_cut_finds_every_pair_once(
    seed: int, bits: int, radius: int, agreeing: int, side: int, widest: int
) -> None:
    # Few bits that vary: buckets are of all sizes, and larger than the side of a rectangle.
    random = np.random.default_rng(seed)
    hashes = random.integers(0, 2**bits, 60, dtype=np.uint64, endpoint=False)
    hashes = np.unique(
        np.r_[hashes, hashes[:30] ^ np.uint64(1) << random.integers(0, 64, 30, np.uint64)]
    )
    others = random.permutation(hashes)[:40]
    with pytest.MonkeyPatch.context() as patch:
        use_only(patch, Chunks(radius + agreeing, agreeing))
        patch.setattr(hash_keys, "WIDEST", widest)
        patch.setattr(hash_buckets, "SIDE", side)
        patch.setattr(hash_buckets, "CELLS", side * side)
        patch.setattr(hash_buckets, "RECTANGLES", 5)
        patch.setattr(hamming, "PASS_SECONDS", 1e-5)

        assert found(others, hashes, radius) == brute_force(others, hashes, radius)
        assert found(others, None, radius) == brute_force(others, None, radius)


@pytest.mark.parametrize("radius", range(13))
def test_keys_find_what_a_scan_finds(radius: int, monkeypatch: pytest.MonkeyPatch) -> None:
    hashes = planted(radius, 3000, radius)
    use_only(monkeypatch, Chunks(radius + 2, 2))
    by_keys = found(hashes, None, radius)
    use_only(monkeypatch, Chunks(1, 0))

    assert by_keys == found(hashes, None, radius)
    assert len(by_keys) > len(hashes) / 4 or radius == 0


def test_skewed_hashes_are_compared_in_bounded_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    use_only(monkeypatch, Chunks(4, 2))
    random = np.random.default_rng(0)
    # Only 14 bits vary: all stand in one bucket of the last key.
    hashes = np.unique(random.integers(0, 2**14, 1500, dtype=np.uint64))

    assert found(hashes, hashes, 2) == brute_force(hashes, hashes, 2)
    assert found(hashes, None, 2) == brute_force(hashes, None, 2)


def test_nothing_to_search_finds_nothing() -> None:
    none = np.empty(0, dtype=np.uint64)
    some = np.array([1], dtype=np.uint64)

    assert found(none, some, 8) == found(some, none, 8) == found(some, None, 8) == set()
