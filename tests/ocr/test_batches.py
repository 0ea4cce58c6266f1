"""Batches hold what has one size, and come in few lengths."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from webemo_curate.ocr.batches import canvas_entries, crop_entries, map_batches
from webemo_curate.ocr.device_network import NetworkRunner


@given(st.lists(st.integers(0, 4), max_size=30), st.integers(1, 7))
def test_every_item_gets_its_own_result_in_batches_of_one_size(sizes, batch_size):
    batches = []

    def work(batch):
        batches.append(batch)
        return [(index, sizes[index]) for index in batch]

    assert map_batches(sizes, lambda _: batch_size, work) == list(enumerate(sizes))
    assert all(len(batch) <= batch_size for batch in batches)
    assert all(len({sizes[index] for index in batch}) == 1 for batch in batches)


def test_a_batch_without_a_result_for_each_item_is_an_error():
    with pytest.raises(ValueError, match="shorter"):
        map_batches([1, 1], lambda _: 2, lambda batch: batch[:1])


class Doubling:
    """A network that notes how much it is given."""

    def __init__(self):
        self.seen = []

    def run(self, batch):
        self.seen.append(len(batch))
        return (batch * 2,)

    def answers(self, outputs):
        return [(each,) for each in outputs[0]]


@given(st.integers(1, 8))
def test_a_batch_is_filled_up_and_what_comes_of_the_filling_is_cut_off(length):
    network = Doubling()
    items = [np.full((2, 3), number, np.uint8) for number in range(length)]

    found = NetworkRunner(network, "cpu", "doubling")(items, 8)

    assert network.seen == [8]
    assert [answer.tolist() for (answer,) in found] == [(2 * item).tolist() for item in items]


@given(st.integers(1, 4000), st.integers(1, 4000), st.integers(1, 64))
def test_common_shapes_come_in_the_fullest_batches(height, width, batch_size):
    entries = canvas_entries((height, width, 3), batch_size)

    assert 1 <= entries <= batch_size
    assert canvas_entries((416, 640, 3), batch_size) == batch_size
    assert 1 <= crop_entries(width, batch_size) <= batch_size
