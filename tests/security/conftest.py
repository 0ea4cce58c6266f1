"""What the tests of hostile input share."""

from collections.abc import Iterator

import pytest

from tests.download.site import Site, running


@pytest.fixture
def site() -> Iterator[Site]:
    """A host that answers as the test says."""
    with running() as served:
        yield served
