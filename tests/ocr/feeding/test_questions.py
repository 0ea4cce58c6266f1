"""What is asked and answered crosses the shared memory unchanged, within its bounds."""

import pickle
from multiprocessing.reduction import ForkingPickler

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from webemo_curate.ocr.feeding.questions import Packer, Place, carried, taken
from webemo_curate.runner.arena import ALIGNMENT, Arena

SIZE = 2**20


@pytest.fixture(scope="module")
def arena():
    block = Arena(SIZE)
    yield block
    block.close()


@given(st.lists(st.tuples(st.integers(1, 300), st.integers(1, 300)), min_size=1, max_size=30))
def test_items_lie_apart_each_with_room_for_its_heatmap(arena, sizes):
    random = np.random.default_rng(0)
    items = [random.integers(0, 256, (*size, 3), np.uint8) for size in sizes]

    packed = Packer(arena).pack(items)

    assert all(isinstance(place, Place) for place in packed)
    end = 0
    for item, place in zip(items, packed, strict=False):
        assert place.offset % ALIGNMENT == 0
        assert place.offset >= end
        assert place.room >= item.shape[0] * item.shape[1] * 4
        assert np.array_equal(place.look(arena), item)
        end = place.offset + place.room
    assert end <= SIZE


def test_no_more_is_packed_than_there_is_room_for(arena):
    items = [np.zeros((500, 300, 3), np.uint8)] * 3

    assert len(Packer(arena).pack(items)) == 1


def test_what_is_larger_than_all_the_memory_goes_by_message(arena):
    item = np.zeros((1000, 1000, 3), np.uint8)

    (whole,) = Packer(arena).pack([item])

    assert whole is item
    assert carried(item, whole, arena) is item


def test_an_answer_takes_the_place_of_its_item(arena):
    heatmap = np.random.default_rng(0).random((1, 200, 300), np.float32)
    (place,) = Packer(arena).pack([np.zeros((200, 300, 3), np.uint8)])

    message = pickle.loads(pickle.dumps(carried(heatmap, place, arena)))

    assert isinstance(message, Place)
    (found,) = taken((message,), arena)
    assert np.array_equal(found, heatmap)
    place.look(arena)[...] = 0
    assert np.array_equal(found, heatmap)  # it was copied out


def test_small_answers_go_by_message_and_none_stays_none(arena):
    (place,) = Packer(arena).pack([np.zeros((48, 320, 3), np.uint8)])
    symbols = np.arange(40)

    assert carried(symbols, place, arena) is symbols
    assert taken(None, arena) is None


def test_an_arena_is_handed_over_while_a_process_starts_or_by_its_pipe(arena):
    arena.array(0, (4,), "<i4")[:] = [1, 2, 3, 4]

    other = pickle.loads(bytes(ForkingPickler.dumps(arena)))

    assert other.array(0, (4,), "<i4").tolist() == [1, 2, 3, 4]
    other.array(0, (4,), "<i4")[0] = 9
    assert arena.array(0, (4,), "<i4")[0] == 9
    other.close()
