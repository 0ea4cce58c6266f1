"""Crops stay candidates among any number of strangers, at a bounded cost."""

from functools import partial

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from webemo_curate.duplicates import meetings, neighbors
from webemo_curate.duplicates.candidates import (
    BEST,
    MIN_SHARED,
    MOST,
    TELLING,
    candidate_pairs,
)
from webemo_curate.duplicates.local_words import TABLES, WORD_BITS
from webemo_curate.duplicates.meetings import by_threads
from webemo_curate.duplicates.neighbors import CLASS_BITS, NEAR_BITS, WINDOW

KEYPOINTS = 20
NONE = np.empty((0, TABLES), np.uint32)

seeds = st.integers(0, 2**32 - 1)


def picture(random, keypoints=KEYPOINTS):
    """Return the words of a picture that nothing else looks like."""
    return random.integers(0, 2**WORD_BITS, (keypoints, TABLES), dtype=np.uint32)


def seen_again(words, random, flips=1):
    """Return the same places with some bits of each word read otherwise."""
    bits = random.integers(0, WORD_BITS, (flips, *words.shape), dtype=np.uint32)
    return words ^ np.bitwise_or.reduce(np.uint32(1) << bits, axis=0)


def crop(words, random, keep=8):
    """Return some of a picture's keypoints, seen again, among others."""
    kept = words[random.permutation(len(words))[:keep]]
    return np.concatenate([seen_again(kept, random), picture(random, KEYPOINTS - keep)])


def as_set(found):
    return set(zip(found[0].tolist(), found[1].tolist(), strict=True))


@settings(max_examples=25, deadline=None)
@given(seeds, st.sampled_from([0, 30, 1000]))
def test_strangers_do_not_part_crops_from_their_originals(seed, strangers):
    random = np.random.default_rng(seed)
    originals = [picture(random) for _ in range(5)]
    crops = [crop(words, random) for words in originals]
    others = [picture(random) for _ in range(strangers)]
    found = as_set(candidate_pairs([*originals, *others, *crops]))
    assert found >= {(place, 5 + strangers + place) for place in range(5)}


def test_crops_whose_words_are_all_common_are_found_by_what_follows_a_word():
    """Each first word is borne by 3,000 pictures: a rule that ignores such words finds nothing."""
    random = np.random.default_rng(0)
    common = picture(random)
    pictures = [picture(random) for _ in range(3000)]
    for words in pictures:  # 12 first bits of every word, as lettering or grids have them
        words &= np.uint32(2**16 - 1)
        words |= common & ~np.uint32(2**16 - 1)
    crops = [words[:10].copy() for words in pictures[::100]]
    found = as_set(candidate_pairs([*pictures, *crops]))
    assert found >= {(100 * place, 3000 + place) for place in range(len(crops))}


@pytest.mark.parametrize("copies", [100, 5000])
def test_copies_of_one_keypoint_cost_a_bounded_number_of_meetings(copies):
    word = np.arange(TABLES, dtype=np.uint32)[None]
    keypoints = neighbors.Keypoints(
        np.repeat(word, copies, axis=0), np.arange(copies, dtype=np.int32)
    )
    with by_threads(keypoints) as meet:
        met = sum(len(part) for part in meetings.meetings(keypoints, 0, meet))
    assert met <= copies * (WINDOW + 1)
    assert not len(candidate_pairs([word] * copies)[0])  # one keypoint makes no candidate


@pytest.mark.parametrize("sort", ["equal", "near", "repeated"])
def test_candidates_of_a_picture_are_bounded_whatever_it_shows(sort):
    random = np.random.default_rng(1)
    words = picture(random)
    if sort == "repeated":  # a grid: all corners look alike
        words[:] = words[0]
    flips = {"equal": 0, "near": 1, "repeated": 0}[sort]
    pictures = [seen_again(words, random, flips) if flips else words for _ in range(500)]
    first, second = candidate_pairs(pictures)
    assert np.bincount(second).max() <= BEST + MOST
    assert len(set(as_set((first, second)))) == len(first)


def test_a_place_counts_once_however_often_it_is_met():
    random = np.random.default_rng(2)
    corner = picture(random, 1)
    grid = np.concatenate([np.repeat(corner, 50, axis=0), picture(random)])
    plain = np.concatenate([corner, picture(random)])
    assert MIN_SHARED > 1
    assert not len(candidate_pairs([grid, plain])[0])
    assert not len(candidate_pairs([plain, grid])[0])


def test_every_crop_of_a_large_family_meets_the_keeper_or_many_others():
    random = np.random.default_rng(3)
    whole = picture(random)
    strangers = [picture(random) for _ in range(300)]
    family = [seen_again(whole, random) for _ in range(50)]
    last = crop(whole, random, keep=12)
    _, second = candidate_pairs([whole, *strangers, *family, last])
    members = np.flatnonzero(np.bincount(second, minlength=352))
    assert set(members) >= set(range(302, 352)) - {302}
    assert (second == 351).sum() >= 3


def test_of_many_equal_pictures_each_meets_the_first():
    random = np.random.default_rng(4)
    words = picture(random)
    found = as_set(candidate_pairs([words] * 100))
    assert found >= {(0, later) for later in range(1, 100)}
    assert len(words) >= TELLING


@settings(max_examples=10, deadline=None)
@given(
    seeds,
    st.sampled_from([100, neighbors.BLOCK]),
    st.sampled_from([1, 3]),
    st.sampled_from([5, meetings.MEETINGS]),
    st.sampled_from([1, 20, meetings.SLICE]),
)
def test_equal_whatever_the_blocks_threads_and_passes(seed, block, threads, held, cut):
    random = np.random.default_rng(seed)
    whole = picture(random)
    pictures = [crop(whole, random) if place % 3 else picture(random) for place in range(40)]
    expected = candidate_pairs(pictures)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(neighbors, "BLOCK", block)
        patch.setattr(meetings, "MEETINGS", held)
        patch.setattr(meetings, "SLICE", cut)
        found = candidate_pairs(pictures, meeting=partial(by_threads, threads=threads))
    assert len(expected[0])
    np.testing.assert_array_equal(found, expected)


def test_what_does_not_fit_into_one_pass_is_found_in_several(monkeypatch):
    random = np.random.default_rng(7)
    whole = picture(random)
    words = np.concatenate([crop(whole, random, keep=KEYPOINTS) for _ in range(100)])
    keypoints = neighbors.Keypoints(words, np.repeat(np.arange(100, dtype=np.int32), KEYPOINTS))
    monkeypatch.setattr(meetings, "MEETINGS", 10_000)
    with by_threads(keypoints) as meet:
        (at_once,) = meetings.meetings(keypoints, 0, meet)
        monkeypatch.setattr(meetings, "MEETINGS", 5)
        passes = list(meetings.meetings(keypoints, 0, meet))
    assert len(passes) > 3
    assert (np.concatenate(passes) == at_once).all()


@settings(max_examples=25, deadline=None)
@given(seeds, st.lists(st.integers(0, 20), max_size=5))
def test_pictures_without_keypoints_change_nothing(seed, holes):
    random = np.random.default_rng(seed)
    whole = picture(random)
    pictures = [crop(whole, random) for _ in range(20)]
    expected = as_set(candidate_pairs(pictures))
    moved = list(range(20))
    for hole in sorted(holes, reverse=True):
        pictures.insert(hole, NONE)
        moved.insert(hole, None)
    found = {(moved[a], moved[b]) for a, b in as_set(candidate_pairs(pictures))}
    assert found == expected


def test_meetings_are_exactly_those_within_the_bits_where_windows_hold_everything():
    """Compared with looking at every pair of keypoints."""
    random = np.random.default_rng(5)
    base = picture(random, 4)
    words = np.concatenate([seen_again(base, random, flips) for flips in (1, 2, 4)])
    owners = np.arange(len(words), dtype=np.int32) // 2
    keypoints = neighbors.Keypoints(words, owners)
    with by_threads(keypoints) as meet:
        met = np.concatenate(list(meetings.meetings(keypoints, 0, meet)))
    found = {(int(pair & neighbors.LOW), int(pair >> neighbors.HALF)) for pair in met}
    expected = set()
    for later in range(len(words)):
        for earlier in range(later):
            differing = words[later] ^ words[earlier]
            begins_alike = (differing >> (WORD_BITS - CLASS_BITS) == 0).any()
            near = np.bitwise_count(differing).sum() <= NEAR_BITS
            if owners[later] != owners[earlier] and near and begins_alike:
                expected.add((earlier, later))
    assert expected
    assert found == expected


def test_known_pictures_are_compared_with_others_alone():
    """Copies of one another among the others take no place from the known ones."""
    random = np.random.default_rng(6)
    known = [picture(random) for _ in range(30)]
    others = [crop(known[place % 3], random) for place in range(30)]
    first, second = candidate_pairs([*known, *others], known=30)
    assert as_set((first, second)) == {(place % 3, 30 + place) for place in range(30)}


def test_no_pictures_no_pairs():
    assert not len(candidate_pairs([])[0])
    assert not len(candidate_pairs([NONE, NONE])[1])
