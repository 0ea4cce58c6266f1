"""Candidate pairs are exactly those that share enough telling words."""

from collections import Counter
from itertools import combinations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from webemo_curate.duplicates import candidates
from webemo_curate.duplicates.candidates import COMMON, MIN_SHARED, candidate_pairs
from webemo_curate.duplicates.features import TABLES

keypoints = st.lists(st.integers(0, 6), min_size=TABLES, max_size=TABLES)
pictures = st.lists(st.lists(keypoints, max_size=4), max_size=12)


def as_words(rows):
    return [np.array(words, np.uint32).reshape(-1, TABLES) for words in rows]


def brute_force(rows):
    """Count common words table by table, leaving out words of too many pictures."""
    bags = [
        {(table, word) for words in picture for table, word in enumerate(words)} for picture in rows
    ]
    seen = Counter(entry for bag in bags for entry in bag)
    telling = [{entry for entry in bag if seen[entry] <= COMMON} for bag in bags]
    return {
        (first, second)
        for first, second in combinations(range(len(rows)), 2)
        if len(telling[first] & telling[second]) >= MIN_SHARED
    }


@settings(max_examples=150, deadline=None)
@given(pictures, st.sampled_from([1, 7, 2**22]))
def test_equal_to_brute_force_whatever_the_block(rows, block):
    whole, candidates.BLOCK = candidates.BLOCK, block
    try:
        first, second = candidate_pairs(as_words(rows))
    finally:
        candidates.BLOCK = whole
    assert set(zip(first.tolist(), second.tolist(), strict=True)) == brute_force(rows)
    assert len(first) == len(brute_force(rows))


def test_words_of_very_many_pictures_tell_nothing():
    shared = np.arange(TABLES, dtype=np.uint32)[None]
    first, _ = candidate_pairs([shared] * (COMMON + 1))
    assert not len(first)
    first, _ = candidate_pairs([shared] * COMMON)
    assert len(first) == COMMON * (COMMON - 1) // 2
