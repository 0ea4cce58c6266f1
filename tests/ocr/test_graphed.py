"""Graphs are kept within bounds, and what cannot be captured runs step by step."""

from dataclasses import dataclass

import pytest
import torch

from webemo_curate.ocr.graphed import Captured, Graphed, GraphShelf


def network(batch):
    return batch * 2, batch.sum(1)


def test_on_a_cpu_the_network_itself_runs():
    shelf = GraphShelf()
    batch = torch.arange(6.0).reshape(2, 3)

    for _ in range(4):
        doubled, sums = Graphed(network, "twice", shelf)(batch)

    assert torch.equal(doubled, batch * 2)
    assert torch.equal(sums, batch.sum(1))
    assert len(shelf) == 0


def captured(length):
    return Captured(None, torch.zeros(length, dtype=torch.uint8), ())


def test_those_longest_unused_are_given_up():
    shelf = GraphShelf(max_graphs=2)
    shelf.keep("a", captured(1))
    shelf.keep("b", captured(1))
    shelf.find("a")
    shelf.keep("c", captured(1))

    assert [shelf.find(key) is not None for key in "abc"] == [True, False, True]


def test_their_memory_is_bounded_but_the_last_one_stays():
    shelf = GraphShelf(max_bytes=100)
    for key in "abc":
        shelf.keep(key, captured(60))

    assert len(shelf) == 1
    assert shelf.find("c") is not None
    shelf.keep("d", captured(600))
    assert [shelf.find(key) is not None for key in "cd"] == [False, True]


@dataclass(frozen=True)
class OnCuda:
    """A batch that says it is on a GPU."""

    values: torch.Tensor
    shape = (2, 3)
    dtype = torch.float32
    device = torch.device("cuda")


def test_where_capture_fails_the_network_runs_step_by_step_and_that_is_said_once(
    monkeypatch, caplog
):
    tried = []

    def fail(*_):
        tried.append(1)
        raise RuntimeError("operation not permitted when stream is capturing\nmore")

    monkeypatch.setattr(GraphShelf, "capture", fail)
    for name in ("current_stream", "set_stream", "empty_cache"):
        monkeypatch.setattr(torch.cuda, name, lambda *_: None)
    runs = Graphed(lambda batch: network(batch.values), "the detector", GraphShelf())
    batch = OnCuda(torch.ones(2, 3))

    found = [runs(batch) for _ in range(5)]

    assert all(torch.equal(doubled, batch.values * 2) for doubled, _ in found)
    assert len(tried) == 1
    assert caplog.messages == [
        "the detector runs without a CUDA graph: operation not permitted when stream is capturing"
    ]


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
def test_a_graph_gives_what_the_network_does():
    shelf = GraphShelf()
    runs = Graphed(network, "twice", shelf)
    for seed in range(5):
        batch = torch.rand(4, 5, generator=torch.Generator().manual_seed(seed)).cuda()
        for found, expected in zip(runs(batch), network(batch), strict=True):
            assert torch.equal(found, expected)
    assert len(shelf) == 1
