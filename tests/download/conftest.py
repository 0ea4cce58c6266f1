"""What the tests of downloading share."""

from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from tests.download.site import Site, running
from webemo_curate.download import deal as dealing


@pytest.fixture
def site() -> Iterator[Site]:
    """A host that answers as the test says."""
    with running() as served:
        yield served


@pytest.fixture
def hosts() -> Iterator[list[Site]]:
    """Four hosts on loopback addresses of their own."""
    with ExitStack() as stack:
        yield [stack.enter_context(running(host=f"127.0.0.{2 + n}")) for n in range(4)]


@pytest.fixture
def short_lists_go_to_several(monkeypatch: pytest.MonkeyPatch) -> None:
    """Deal out lists that one process would do as fast."""
    monkeypatch.setattr(dealing, "URLS_A_PROCESS", 1)
