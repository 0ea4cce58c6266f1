"""What `describe-model` prints is read from the network built, and is the paper's."""

import json

import pytest
import torch

from tests.e2e.conftest import curate
from webemo_curate.config import TrainConfig
from webemo_curate.models.network_description import count_flops, describe
from webemo_curate.training.step_cost import step_seconds

TABLE_2 = [
    ("Conv3x3", 2, 32, 1),
    ("Fused-MBConv1, k3x3", 1, 16, 2),
    ("Fused-MBConv4, k3x3", 2, 32, 3),
    ("Fused-MBConv4, k3x3", 2, 56, 3),
    ("MBConv4, k3x3, SE0.25", 2, 104, 4),
    ("MBConv6, k3x3, SE0.25", 1, 120, 6),
    ("MBConv6, k3x3, SE0.25", 2, 208, 10),
    ("Conv1x1, pooling, FC", None, 1408, 1),
]
TABLE_1_CHANNELS = [24, 24, 48, 64, 128, 160, 256, 1280]
TABLE_1_LAYERS = [1, 2, 4, 4, 6, 9, 15, 1]


def test_stages_of_b2_are_those_of_table_2() -> None:
    found = describe(TrainConfig(grams=3))
    assert [(r.operation, r.stride, r.channels, r.layers) for r in found.rows] == TABLE_2
    assert found.parameters == 9_461_064
    (module,) = [layers for name, layers in found.blocks.items() if name.startswith("Gram")]
    assert "dense 3136 to 56" in module
    assert "Conv1x1 56 to 56, stride 1" in module
    assert found.blocks["Fused-MBConv4, k3x3 (block2a)"][0] == "Conv3x3 16 to 64, stride 2"


def test_stages_of_s_are_those_of_table_1() -> None:
    found = describe(TrainConfig(grams=0, backbone="tf_efficientnetv2_s", image_size=64))
    assert [row.channels for row in found.rows] == TABLE_1_CHANNELS
    assert [row.layers for row in found.rows] == TABLE_1_LAYERS


def test_zhangs_network_is_described_too() -> None:
    found = describe(TrainConfig.model_validate({"preset": "zhang"}))
    assert [row.channels for row in found.rows] == [64, 256, 512, 1024, 2048, 2048]
    assert [row.stride for row in found.rows][:5] == [2, 1, 2, 2, 2]


def test_flops_count_a_multiplication_and_an_addition_as_two() -> None:
    layer = torch.nn.Conv2d(3, 8, 3, padding=1, bias=False)
    assert count_flops(layer, 16) == 2 * 16 * 16 * 3 * 8 * 3 * 3


def test_steps_are_timed_of_every_network() -> None:
    config = TrainConfig(backbone="tf_efficientnetv2_b0", image_size=32)
    networks = {"a": config, "b": config.model_copy(update={"grams": 0})}
    seconds = step_seconds(networks, 2, 1, torch.device("cpu"))
    assert seconds.keys() == networks.keys()
    assert min(seconds.values()) > 0


@pytest.mark.slow
def test_the_command_prints_costs_beside_each_other() -> None:
    output = curate("describe-model", "--steps", "0", "--image-size", "64", "--json")
    document = json.loads(output.splitlines()[-1])
    costs = {row["network"]: row for row in document["costs"]}
    assert [costs[f"k = {k}"]["parameters"] for k in range(6)][3] == 9_461_064
    assert costs["k = 0"]["flops_of_baseline"] == 1
    assert costs["k = 5"]["flops_of_baseline"] < 1.05  # 'computational costs are almost the same'
    assert costs["S, k = 0"]["parameters"] > 20_000_000
    assert costs["k = 3"]["step_seconds"] is None
