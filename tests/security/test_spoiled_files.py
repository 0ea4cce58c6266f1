"""Whatever bytes a file holds, it is read, refused in one message, or done again."""

import random
import time
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.security.spoiled import TARGETS

SECONDS = 1.5


@pytest.mark.parametrize("name", TARGETS)
def test_spoiled_files_break_nothing(tmp_path: Path, name: str) -> None:
    target = TARGETS[name](tmp_path)
    target.take(target.sound)
    chance, deadline = random.Random(0), time.monotonic() + SECONDS
    for _ in range(400):
        target.take(target.spoil(chance))
        if time.monotonic() > deadline:
            break


@pytest.mark.parametrize("name", TARGETS)
def test_any_bytes_break_nothing(tmp_path: Path, name: str) -> None:
    target = TARGETS[name](tmp_path)

    @settings(
        max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
    )
    @given(st.binary(max_size=300), st.integers(0, len(target.sound)))
    def read(content: bytes, kept: int) -> None:
        target.take(target.sound[:kept] + content)

    read()
