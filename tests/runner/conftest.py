"""What the tests of runners share: each module leaves the cluster of Ray that it has joined."""

from collections.abc import Iterator

import pytest

from tests.runner.cluster import leave_cluster


@pytest.fixture(scope="module", autouse=True)
def _cluster() -> Iterator[None]:
    """Leave it at the end of each module."""
    yield
    leave_cluster()
