"""The local runner starts as many processes as the machine has room for."""

from types import SimpleNamespace

import pytest
import torch

from webemo_curate.config import FilterTextConfig
from webemo_curate.runner import local_runner as local
from webemo_curate.runner.job import Resources
from webemo_curate.runner.local_runner import usable_cores, workers_for
from webemo_curate.stages.ocr import OcrStage

GIGABYTE = 2**30


def sixteen_cores_and_a_gpu(monkeypatch, gigabytes):
    card = SimpleNamespace(total_memory=gigabytes * GIGABYTE)
    monkeypatch.setattr(torch.cuda, "get_device_properties", [card].__getitem__)
    monkeypatch.setattr(local, "usable_cores", lambda: 16)


def test_without_a_gpu_each_core_has_a_worker():
    assert workers_for(Resources()) == usable_cores()


@pytest.mark.parametrize(("gigabytes", "workers"), [(141, 14), (80, 8), (24, 2), (8, 1), (4, 1)])
def test_as_many_workers_share_a_gpu_as_its_memory_holds(monkeypatch, gigabytes, workers):
    sixteen_cores_and_a_gpu(monkeypatch, gigabytes)
    needs = OcrStage(FilterTextConfig(device="gpu"), elsewhere=True).resources

    assert workers_for(needs) == workers


def test_smaller_batches_make_room_for_more_workers(monkeypatch):
    sixteen_cores_and_a_gpu(monkeypatch, 24)
    few, many = (
        OcrStage(FilterTextConfig(device="gpu", batch_size=size), elsewhere=True).resources
        for size in (64, 16)
    )

    assert workers_for(many) > workers_for(few)
