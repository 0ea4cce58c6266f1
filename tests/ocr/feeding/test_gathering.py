"""Items wait until they fill a batch of their shape, but never for ever."""

from hypothesis import given
from hypothesis import strategies as st

from webemo_curate.ocr.feeding import gathering
from webemo_curate.ocr.feeding.gathering import Gathering, Group

ENTRIES = {"wide": 4, "tall": 2, "long": 1}


def group(shape):
    return Group("network", (len(shape), 3), "|u1" + shape)


@given(st.lists(st.sampled_from(sorted(ENTRIES)), max_size=60))
def test_every_item_comes_out_once_in_batches_of_its_shape(shapes):
    gathering = Gathering()
    for number, shape in enumerate(shapes):
        gathering.add(group(shape), ENTRIES[shape], (number, shape))

    seen = []
    while batch := gathering.take(hurry=True):
        found, entries, items = batch
        assert 1 <= len(items) <= entries
        assert {group(shape) for _, shape in items} == {found}
        seen += items

    assert sorted(seen) == list(enumerate(shapes))
    assert len(gathering) == 0


@given(st.lists(st.sampled_from(sorted(ENTRIES)), max_size=60))
def test_without_hurry_only_full_batches_come_out(shapes):
    gathering = Gathering()
    for shape in shapes:
        gathering.add(group(shape), ENTRIES[shape], shape)

    while batch := gathering.take(hurry=False):
        _, entries, items = batch
        assert len(items) == entries

    assert len(gathering) == sum(shapes.count(shape) % ENTRIES[shape] for shape in ENTRIES)


def test_those_who_waited_long_come_first(monkeypatch):
    clock = iter(range(100))
    monkeypatch.setattr(gathering.time, "monotonic", lambda: float(next(clock)))
    waiting = Gathering()
    waiting.add(group("wide"), 4, "early")
    for _ in range(2):
        waiting.add(group("tall"), 2, "late")

    _, _, items = waiting.take(hurry=False)

    assert items == ["early"]
