"""Whatever bytes a file holds, it is read, refused in one message, or done again."""

import random
import time
from pathlib import Path

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from safetensors import safe_open
from safetensors.torch import load_file, save_file

from tests.security.spoiled import TARGETS
from webemo_curate.training.state import Progress, load_state, save_state

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


def test_a_state_whose_optimizer_is_unsound_leaves_everything_as_it_was(tmp_path: Path) -> None:
    path = tmp_path / "state.safetensors"
    trained, fresh = torch.nn.Linear(3, 2), torch.nn.Linear(3, 2)
    save_state(path, {"m": trained}, torch.optim.SGD(trained.parameters()), {}, Progress(updates=1))
    tensors = load_file(path) | {"optimizer/0/sum": torch.ones(2, 3)}  # and no `step`
    with safe_open(path, "pt") as file:
        save_file(tensors, path, file.metadata())
    weights = fresh.weight.clone()
    optimizer = torch.optim.Adagrad(fresh.parameters())
    _, progress = load_state(path, {"m": fresh}, optimizer)
    assert progress == Progress()
    assert torch.equal(fresh.weight, weights)
    assert all("step" in state for state in optimizer.state.values())
