"""The search over a runner's workers finds what the search in one process finds."""

import os
import signal
import threading
import time
from pathlib import Path

import numpy as np
import psutil
import pytest

from webemo_curate.duplicates import hamming, pair_search
from webemo_curate.duplicates.hamming import Pairs, pairs_of_each, pairs_within
from webemo_curate.duplicates.pair_search import PairSearch
from webemo_curate.runner.local_runner import LocalRunner
from webemo_curate.storage.checkpoints import Checkpoints
from webemo_curate.storage.folder import FolderStore

COUNT = 20_000
RADIUS = 10


def hashes() -> hamming.Hashes:
    """Random hashes, a tenth of them near others."""
    random = np.random.default_rng(0)
    values = random.integers(0, 2**64, COUNT, np.uint64)
    for place in range(COUNT // 10):
        values[place] = values[-place - 1] ^ np.uint64(1 << int(random.integers(64)))
    return np.unique(values)


def triples(pairs: Pairs) -> list[tuple[int, int, int]]:
    return sorted(zip(*(column.tolist() for column in pairs), strict=True))


def search(folder: Path, workers: int) -> PairSearch:
    store = FolderStore(folder)
    return PairSearch(store, LocalRunner(workers), Checkpoints(store, "data/checkpoints/pairs"))


def kill_a_worker(folder: Path) -> None:
    """Kill a process of the search once some passes are done."""
    while len([*folder.glob("data/checkpoints/pairs/*")]) < 2:
        time.sleep(0.01)
    os.kill(psutil.Process().children()[-1].pid, signal.SIGKILL)


@pytest.mark.slow
def test_passes_by_two_workers_find_the_same_also_if_one_is_killed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    values = hashes()
    others = values[::2] ^ np.uint64(6)
    searches = [(values, None), (others, values)]
    wanted = [triples(pairs) for pairs in pairs_of_each(searches, RADIUS)]
    monkeypatch.setattr(hamming, "PASS_SECONDS", 1e-3)
    passes = hamming.Search(values, None, RADIUS).passes()
    assert len(passes) > pair_search.FEW
    killing = threading.Thread(target=kill_a_worker, args=(tmp_path,), daemon=True)
    killing.start()
    assert [triples(pairs) for pairs in search(tmp_path, 2)(searches, RADIUS)] == wanted
    killing.join()
    # Finished passes are found again: one worker has nothing left to do.
    assert [triples(pairs) for pairs in search(tmp_path, 1)(searches, RADIUS)] == wanted
    assert not [*tmp_path.glob("data/hashes/*")]


def test_a_small_search_starts_no_process(tmp_path: Path) -> None:
    few = hashes()[:100]
    (found,) = search(tmp_path, 2)([(few, None)], RADIUS)
    assert triples(found) == triples(pairs_within(few, None, RADIUS))
    assert not [*tmp_path.iterdir()]
