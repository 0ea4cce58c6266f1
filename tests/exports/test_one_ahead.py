"""Items are made one ahead of their use, in order; what goes wrong is told in its place."""

import threading
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from webemo_curate.exports.one_ahead import one_ahead


@given(items=st.lists(st.integers() | st.none(), max_size=20), used=st.integers(0, 20))
def test_items_keep_their_order_and_one_is_made_beside_what_is_used(
    items: list[int | None], used: int
) -> None:
    made: list[int | None] = []

    def make() -> Iterator[int | None]:
        for item in items:
            made.append(item)
            yield item

    ahead, threads = one_ahead(make()), threading.active_count()
    taken = [item for item, _ in zip(ahead, range(used), strict=False)]
    ahead.close()  # type: ignore[attr-defined]  # it is a generator
    assert taken == items[:used]
    assert (
        len(made) <= used + 2
    )  # what zip takes before it sees the end of the range, and one ahead
    assert threading.active_count() == threads


def test_what_making_one_raises_comes_after_those_before_it() -> None:
    def make() -> Iterator[int]:
        yield 1
        raise ValueError("no second one")

    ahead = one_ahead(make())
    assert next(ahead) == 1
    with pytest.raises(ValueError, match="no second one"):
        next(ahead)


def test_the_next_is_made_while_one_is_used() -> None:
    begun = threading.Event()

    def make() -> Iterator[int]:
        yield 1
        begun.set()
        yield 2

    for item in one_ahead(make()):
        assert begun.wait(10), item
