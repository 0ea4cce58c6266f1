"""The networks are the papers', to the digit."""

import pytest
import timm
import torch

from tests.trainable import TINY
from webemo_curate.config import TrainConfig
from webemo_curate.errors import InputError
from webemo_curate.models.gram_efficientnet import FUSIONS, GramEfficientNet
from webemo_curate.models.layers import gram_matrix
from webemo_curate.models.registry import build_network, set_training
from webemo_curate.models.tap import run_tapped

TAPS = {"b0": 48, "b1": 48, "b2": 56, "b3": 56, "s": 64}


@pytest.mark.parametrize(
    ("grams", "parameters"),
    [
        (0, 8_924_136),
        (1, 8_945_080),
        (2, 9_203_072),
        (3, 9_461_064),
        (4, 9_719_056),
        (5, 9_977_048),
    ],
)
def test_parameter_counts(grams: int, parameters: int) -> None:
    network = GramEfficientNet(TrainConfig(grams=grams))
    assert sum(p.numel() for p in network.parameters()) == parameters


def test_a_gram_module_has_the_papers_parameters() -> None:
    module = GramEfficientNet(TrainConfig(grams=1)).gram_modules[0]
    assert sum(p.numel() for p in module.parameters()) == 178_976


def test_tap_is_block3b_before_its_norm() -> None:
    network = GramEfficientNet(TrainConfig(grams=3)).eval()
    seen, taps = [], []
    tap = network.backbone.blocks[2][1].conv_pwl
    tap.register_forward_hook(lambda _module, _inputs, output: taps.append(output))
    network.gram_modules[0].register_forward_hook(lambda _m, inputs, _o: seen.append(inputs))
    with torch.inference_mode():
        assert network(torch.rand(1, 3, 256, 256)).shape == (1, 2)
    features, gram = seen[0]
    assert features is taps[0]
    assert features.shape == (1, 56, 32, 32)
    torch.testing.assert_close(gram.view(1, 56, 56), gram_matrix(features))


@pytest.mark.parametrize(
    ("tap", "channels"), [("block1a", 16), ("block2c", 32), ("block4d", 104), ("block6j", 208)]
)
def test_any_block_can_be_tapped_and_answers_as_before(tap: str, channels: int) -> None:
    network = GramEfficientNet(TrainConfig(grams=1, tap=tap)).eval()
    stage, position = int(tap[5]) - 1, ord(tap[6]) - ord("a")
    block = network.backbone.blocks[stage][position]
    x = torch.rand(2, 32 if tap == "block1a" else channels, 16, 16)
    with torch.inference_mode():
        out, features = run_tapped(block, x)
        torch.testing.assert_close(out, block(x))
        assert network(torch.rand(2, 3, 64, 64)).shape == (2, 2)
    assert features.shape[1] == channels
    assert network.gram_modules[0].compress.in_features == channels**2


def test_a_block_that_the_backbone_has_not_is_refused_with_those_it_has() -> None:
    with pytest.raises(InputError, match=r"--tap block3d: .* block1b, block2c, block3c, block4d"):
        GramEfficientNet(TrainConfig(tap="block3d"))


@pytest.mark.parametrize(
    ("fusion", "fused"),
    [
        ("gate", [3.0, 8.0]),
        ("sum", [4.0, 6.0]),
        ("average", [2.0, 3.0]),
        ("concatenate", [1.0, 2.0, 3.0, 4.0]),
    ],
)
def test_branches_are_joined_as_named(fusion: str, fused: list[float]) -> None:
    one, other = torch.tensor([[1.0, 2.0]]), torch.tensor([[3.0, 4.0]])
    assert FUSIONS[fusion](one, other).tolist() == [fused]


@pytest.mark.parametrize("gram_fusion", FUSIONS)
@pytest.mark.parametrize("head_fusion", ["sum", "concatenate"])
def test_every_fusion_trains(gram_fusion: str, head_fusion: str) -> None:
    fusions = {"gram_fusion": gram_fusion, "head_fusion": head_fusion}
    config = TINY.model_copy(update=fusions | {"grams": 2})
    network = build_network(config)
    images = torch.rand(2, 3, 32, 32)
    assert network.features(images).shape == (2, network.width)
    network(images).square().sum().backward()
    assert network.gram_modules[1].compress.weight.grad.abs().sum() > 0


@pytest.mark.parametrize("backbone", TAPS)
def test_backbone_is_timms_and_the_tap_follows_its_width(backbone: str) -> None:
    config = TrainConfig(backbone=f"tf_efficientnetv2_{backbone}", grams=2)
    network = build_network(config).eval()
    assert network.width == 2 * TAPS[backbone]
    reference = timm.create_model(config.backbone, num_classes=0).eval()
    reference.load_state_dict(network.backbone.state_dict())
    images = torch.rand(2, 3, 64, 64)
    with torch.inference_mode():
        ours = network.backbone.forward_head(network._run_backbone(images)[0])
        torch.testing.assert_close(ours, reference(images))


def test_pixels_are_normalized_as_the_weights_expect() -> None:
    small = build_network(TrainConfig(backbone="tf_efficientnetv2_s"))
    assert small.normalise.mean.flatten().tolist() == [0.5] * 3
    b2 = build_network(TrainConfig())
    assert b2.normalise.mean.flatten().tolist() == pytest.approx([0.485, 0.456, 0.406])
    white = torch.ones(1, 3, 1, 1)
    expected = [(1 - m) / d for m, d in ((0.485, 0.229), (0.456, 0.224), (0.406, 0.225))]
    assert b2.normalise(white).flatten().tolist() == pytest.approx(expected)


def test_zhangs_network_has_its_levels() -> None:
    network = build_network(TrainConfig.model_validate({"preset": "zhang"}))
    shapes = [tuple(b.compress.weight.shape) for b in network.branches]
    assert shapes == [(64, 4096), (256, 4096), (512, 65536)]
    assert network.aggregate[1].weight.shape == (2048, 832)
    assert network.output.weight.shape == (2, 4096)
    assert network(torch.rand(2, 3, 64, 64)).shape == (2, 2)


def test_gram_matrix_is_all_inner_products() -> None:
    features = torch.randn(2, 5, 4, 3)
    expected = torch.einsum("nchw,ndhw->ncd", features, features)
    torch.testing.assert_close(gram_matrix(features), expected)
    torch.testing.assert_close(gram_matrix(features, normalise=True), expected / 60)


def test_logits_depend_on_every_gram_module() -> None:
    network = GramEfficientNet(TrainConfig(grams=2, dropout=0, drop_path=0))
    network(torch.rand(2, 3, 64, 64)).sum().backward()
    for module in network.gram_modules:
        assert module.compress.weight.grad is not None
        assert module.project.weight.grad.abs().sum() > 0


def test_added_layers_start_as_keras_does() -> None:
    layer = GramEfficientNet(TrainConfig()).gram_modules[0].compress
    bound = (6 / (3136 + 56)) ** 0.5
    weight = layer.weight.detach()
    assert weight.abs().max() <= bound
    assert float(weight.std()) == pytest.approx(bound / 3**0.5, rel=0.02)
    assert not layer.bias.any()


def test_frozen_backbone_changes_neither_weights_nor_statistics() -> None:
    config = TrainConfig(backbone="tf_efficientnetv2_b0", frozen="backbone")
    network = build_network(config)
    set_training(network, config)
    before = {name: value.clone() for name, value in network.backbone.state_dict().items()}
    network(torch.rand(4, 3, 64, 64)).sum().backward()
    assert all(p.grad is None for p in network.backbone.parameters())
    assert all(torch.equal(before[n], v) for n, v in network.backbone.state_dict().items())
    assert network.output.weight.grad is not None
