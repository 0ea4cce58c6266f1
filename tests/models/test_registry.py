"""The registry is the one place that knows which networks there are."""

import re
from pathlib import Path
from typing import get_args

import pytest
import torch

import webemo_curate
from webemo_curate.config import TrainConfig
from webemo_curate.models.registry import NETWORKS, backbone_name, build_network, network_title

PACKAGE = Path(webemo_curate.__file__).parent


def test_every_choice_of_the_configuration_is_registered() -> None:
    choices = get_args(TrainConfig.model_fields["network"].annotation)
    assert set(NETWORKS) == set(choices)


@pytest.mark.parametrize("name", NETWORKS)
def test_the_last_feature_layer_gives_the_maps_that_are_pooled(name: str) -> None:
    config = TrainConfig(network=name, grams=0, from_scratch=True)
    network = build_network(config).eval()
    layer = network.backbone.get_submodule(network.last_feature_layer)
    kept: list[torch.Tensor] = []
    layer.register_forward_hook(lambda *call: kept.append(call[2]))
    images = torch.rand(1, 3, 64, 64)
    with torch.inference_mode():
        network(images)
        pooled = network.backbone(network.normalise(images))
    assert torch.allclose(kept[0].mean(dim=(2, 3)), pooled, atol=1e-5)
    assert backbone_name(config)
    assert network_title(config)


def test_no_other_module_asks_which_network_it_is() -> None:
    asking = re.compile(r"""(==|!=|\bin\b)\s*\(?["'](zhang|gram)["']|isinstance\(.*(Zhang|Gram)""")
    found = [
        str(path.relative_to(PACKAGE))
        for path in PACKAGE.rglob("*.py")
        if asking.search(path.read_text())
    ]
    assert found == []
