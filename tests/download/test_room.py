"""What bodies hold of the memory is bounded over all requests, and costs no URL its own time."""

import asyncio
import http.server
import threading
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from webemo_curate.download.room import Room, Share
from webemo_curate.download.transport import Transport

BODY = bytes(range(256)) * 8192
"""2 MB."""


class Large(http.server.BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", str(len(BODY)))
        self.end_headers()
        self.wfile.write(BODY)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def url() -> Iterator[str]:
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Large) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()


class Watched(Room):
    """Notes the most that was held at once."""

    held = most = 0

    def take(self, share: Share, size: int, wake) -> bool:  # type: ignore[no-untyped-def]
        taken = super().take(share, size, wake)
        self.held += size if taken else 0
        self.most = max(self.most, self.held)
        return taken

    def give_back(self, share: Share, size: int) -> None:
        self.held -= size
        super().give_back(share, size)


def test_bodies_come_whole_within_the_room(url: str) -> None:
    room = Watched(3 * len(BODY))

    async def fetch(transport: Transport) -> None:
        share = room.share()
        response = await transport.get(url, 30, len(BODY), "*/*", [], share)
        await asyncio.sleep(0.01)  # as if it were examined
        assert response.content == BODY
        share.give_back()

    async def fetch_all() -> None:
        async with Transport("test") as transport:
            await asyncio.gather(*(fetch(transport) for _ in range(24)))

    asyncio.run(fetch_all())
    assert 0 < room.most <= 4 * len(BODY)
    assert room.held == 0
    assert room.is_open


def test_standing_still_is_not_a_requests_own_time(url: str) -> None:
    room = Room(1000)

    async def fetch() -> tuple[bytes, float]:
        first, second = room.share(), room.share()
        assert first.take(2000, lambda: None)
        async with Transport("test") as transport:
            asyncio.get_running_loop().call_later(1.5, first.give_back)
            response = await transport.get(url, 1, len(BODY), "*/*", [], second)
        return response.content, second.waited

    content, waited = asyncio.run(fetch())
    assert content == BODY
    assert waited > 1


@given(
    size=st.integers(1, 50),
    wanted=st.lists(st.lists(st.integers(1, 20), min_size=1, max_size=6), min_size=1, max_size=12),
    order=st.randoms(use_true_random=False),
)
def test_all_come_to_their_end_and_no_more_is_held_than_the_room_and_one(
    size: int,
    wanted: list[list[int]],
    order,  # type: ignore[no-untyped-def]
) -> None:
    room, left = Watched(size), {number: list(parts) for number, parts in enumerate(wanted)}
    shares = {number: room.share() for number in left}
    ready = list(left)
    while left:
        assert ready, "nobody can go on"
        number = ready.pop(order.randrange(len(ready)))
        if not left[number]:
            del left[number]
            shares[number].give_back()
        elif shares[number].take(left[number][0], lambda number=number: ready.append(number)):
            left[number].pop(0)
            ready.append(number)
    assert room.held == 0
    assert room.most <= size + max(map(sum, wanted))
