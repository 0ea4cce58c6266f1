"""Batches hold what has one size, and come in few lengths."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from webemo_curate.ocr.batches import fill_up, map_batches, run_filled


@given(st.integers(1, 40))
def test_a_batch_is_filled_with_its_last_entry_to_a_power_of_two(length):
    batch = np.arange(3 * length).reshape(length, 3)

    filled = fill_up(batch)

    assert length <= len(filled) < 2 * length
    assert len(filled).bit_count() == 1
    assert np.array_equal(filled[:length], batch)
    assert (filled[length:] == batch[-1]).all()
    assert np.array_equal(fill_up(torch.from_numpy(batch)).numpy(), filled)


@given(st.integers(1, 40))
def test_what_comes_of_the_filling_is_cut_off(length):
    batch = torch.arange(length)
    seen = []

    def network(filled):
        seen.append(len(filled))
        return filled * 2

    assert torch.equal(run_filled(network, batch), batch * 2)
    assert seen == [len(fill_up(batch))]


@given(st.lists(st.integers(0, 4), max_size=30), st.integers(1, 7))
def test_every_item_gets_its_own_result_in_batches_of_one_size(sizes, batch_size):
    batches = []

    def work(batch):
        batches.append(batch)
        return [(index, sizes[index]) for index in batch]

    assert map_batches(sizes, batch_size, work) == list(enumerate(sizes))
    assert all(len(batch) <= batch_size for batch in batches)
    assert all(len({sizes[index] for index in batch}) == 1 for batch in batches)


def test_a_batch_without_a_result_for_each_item_is_an_error():
    with pytest.raises(ValueError, match="shorter"):
        map_batches([1, 1], 2, lambda batch: batch[:1])
