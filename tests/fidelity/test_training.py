"""What moves the weights and statistics moves them as Keras does."""

import keras
import numpy as np
import pytest
import torch
from keras import ops
from PIL import Image
from timm.layers import DropPath

from tests.fidelity.keras_network import build_backbone
from webemo_curate.config import TrainConfig
from webemo_curate.dataset.squares import to_square
from webemo_curate.models.gram_efficientnet import GramEfficientNet
from webemo_curate.models.keras_rules import KerasBatchNorm1d
from webemo_curate.training.adagrad import KerasAdagrad
from webemo_curate.training.running_statistics import SharedStatistics

FEATURES = 5


def test_a_hundred_adagrad_steps_end_where_keras_ends():
    random = np.random.default_rng(0)
    start = random.normal(size=FEATURES).astype("float32")
    theirs = keras.Variable(start)
    optimizer = keras.optimizers.Adagrad(
        learning_rate=0.002, initial_accumulator_value=0.1, epsilon=1e-7
    )
    optimizer.build([theirs])
    parameter = torch.nn.Parameter(torch.from_numpy(start.copy()))
    ours = KerasAdagrad([parameter], lr=0.002, initial_accumulator=0.1, epsilon=1e-7)
    for _ in range(100):
        gradient = random.normal(size=FEATURES).astype("float32")
        optimizer.apply([ops.convert_to_tensor(gradient)])
        parameter.grad = torch.from_numpy(gradient)
        ours.step()
    difference = parameter.detach().numpy() - ops.convert_to_numpy(theirs)
    assert np.abs(difference).max() < 1e-6  # measured: 2e-7, single precision


def test_running_statistics_are_those_of_two_replicas_over_three_updates():
    random = np.random.default_rng(1)
    theirs = [keras.layers.BatchNormalization(epsilon=1e-3, momentum=0.99) for _ in range(2)]
    for layer in theirs:
        layer.build((None, FEATURES))
    ours = KerasBatchNorm1d(FEATURES, eps=1e-3, momentum=0.01)
    shared = SharedStatistics(ours, 2)
    for _ in range(3):
        batches = random.normal(3, 2, (2, 8, FEATURES)).astype("float32")
        shared.begin()
        for layer, batch in zip(theirs, batches, strict=True):
            answer = ops.convert_to_numpy(layer(ops.convert_to_tensor(batch), training=True))
            assert np.abs(ours(torch.from_numpy(batch)).detach().numpy() - answer).max() < 1e-5
            shared.end_batch()
        shared.end()
        _average(theirs)
    mean, variance = (
        ops.convert_to_numpy(getattr(theirs[0], name))
        for name in ("moving_mean", "moving_variance")
    )
    np.testing.assert_allclose(ours.running_mean.numpy(), mean, atol=1e-6)
    np.testing.assert_allclose(ours.running_var.numpy(), variance, atol=1e-6)


def test_frozen_statistics_stay_to_the_last_bit_whatever_the_number_of_batches():
    features = 200  # of so many values the mean of three equals rounds some
    frozen, trained = torch.nn.BatchNorm1d(features), KerasBatchNorm1d(features, momentum=0.01)
    frozen.running_mean.copy_(torch.rand(features, generator=torch.manual_seed(0)))
    before = frozen.running_mean.clone()
    network = torch.nn.Sequential(frozen.eval(), trained)
    shared = SharedStatistics(network, 3)
    for _ in range(20):
        shared.begin()
        for _ in range(3):
            network(torch.randn(8, features))
            shared.end_batch()
        shared.end()
    assert torch.equal(frozen.running_mean, before)
    assert not torch.equal(trained.running_mean, torch.zeros(features))


def _average(layers):
    """Do what a mirrored strategy does at the end of an update: keep the replicas' mean."""
    for name in ("moving_mean", "moving_variance"):
        variables = [getattr(layer, name) for layer in layers]
        mean = sum(ops.convert_to_numpy(variable) for variable in variables) / len(variables)
        for variable in variables:
            variable.assign(mean)


@pytest.mark.slow
def test_every_block_is_dropped_at_kerass_rate():
    layers = build_backbone(64).layers
    theirs = {x.name[:7].rstrip("_"): x.rate for x in layers if x.name.endswith("drop")}
    network = GramEfficientNet(TrainConfig())
    ours = {}
    for stage, blocks in enumerate(network.backbone.blocks, start=1):
        for position, block in enumerate(blocks):
            if isinstance(block.drop_path, DropPath) and block.has_skip:
                ours[f"block{stage}{chr(ord('a') + position)}"] = block.drop_path.drop_prob
    assert ours == pytest.approx(theirs, abs=1e-12)
    assert max(ours.values()) == pytest.approx(0.2 * 27 / 21)


@pytest.mark.parametrize(
    ("name", "blocks", "unscaled"), [("b0", 21, 21), ("b3", 32, 21), ("s", 40, 40)]
)
def test_other_backbones_have_the_rates_of_their_own_table(name, blocks, unscaled):
    network = GramEfficientNet(TrainConfig(backbone=f"tf_efficientnetv2_{name}"))
    rates = [m.drop_prob for m in network.modules() if isinstance(m, DropPath)]
    assert max(rates) == pytest.approx(0.2 * (blocks - 1) / unscaled)


def test_pictures_are_resized_as_keras_does_with_antialiasing():
    picture = np.random.default_rng(2).integers(0, 256, (190, 300, 3), dtype=np.uint8)
    ours = to_square(Image.fromarray(picture), TrainConfig(image_size=64))
    theirs = ops.image.resize(picture.astype("float32"), (64, 64), "bilinear", antialias=True)
    difference = np.abs(ours.transpose(1, 2, 0).astype(float) - ops.convert_to_numpy(theirs))
    assert difference.max() <= 1.0  # whole levels against floats; measured: 0.9
