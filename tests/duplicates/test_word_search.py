"""The search for local features over a runner's workers finds what one process finds."""

import threading
from pathlib import Path

import numpy as np
import pytest

from tests.duplicates.test_pair_search import kill_a_worker
from webemo_curate.duplicates import meetings, neighbors, word_search
from webemo_curate.duplicates.candidates import candidate_pairs
from webemo_curate.duplicates.local_words import TABLES, WORD_BITS, Words
from webemo_curate.duplicates.word_search import WordSearch
from webemo_curate.runner.local_runner import LocalRunner
from webemo_curate.storage.checkpoints import Checkpoints
from webemo_curate.storage.folder import FolderStore

PICTURES, KEYPOINTS = 400, 20
BLOCK = 1_000
"""Keypoints: the lists of these pictures have several blocks each."""


def cropped_pictures() -> list[Words]:
    """Random pictures, each second with half the keypoints of the one before it."""
    random = np.random.default_rng(0)
    shape = PICTURES, KEYPOINTS, TABLES
    pictures = [*random.integers(0, 2**WORD_BITS, shape, dtype=np.uint32)]
    for place in range(1, PICTURES, 2):
        pictures[place] = pictures[place - 1][::2]
    return pictures


def search(folder: Path, workers: int) -> WordSearch:
    store = FolderStore(folder)
    return WordSearch(store, LocalRunner(workers), Checkpoints(store, "data/checkpoints/pairs"))


@pytest.mark.slow
@pytest.mark.parametrize("held", [5, meetings.MEETINGS])
def test_blocks_by_two_workers_find_the_same_also_if_one_is_killed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, held: int
) -> None:
    pictures = cropped_pictures()
    wanted = candidate_pairs(pictures)
    monkeypatch.setattr(neighbors, "BLOCK", BLOCK)
    monkeypatch.setattr(meetings, "MEETINGS", held)
    monkeypatch.setattr(word_search, "FEW", 1)
    killing = threading.Thread(target=kill_a_worker, args=(tmp_path,), daemon=True)
    killing.start()
    found = candidate_pairs(pictures, meeting=search(tmp_path, 2))
    killing.join()
    np.testing.assert_array_equal(found, wanted)
    assert len(found[0]) >= PICTURES // 2
    # Finished blocks are found again: one worker has nothing left to do.
    again = candidate_pairs(pictures, meeting=search(tmp_path, 1))
    np.testing.assert_array_equal(again, wanted)
    assert not [*tmp_path.glob("data/words/*")]


def test_few_pictures_start_no_process(tmp_path: Path) -> None:
    few = cropped_pictures()[:40]
    found = candidate_pairs(few, meeting=search(tmp_path, 2))
    np.testing.assert_array_equal(found, candidate_pairs(few))
    assert not [*tmp_path.iterdir()]
