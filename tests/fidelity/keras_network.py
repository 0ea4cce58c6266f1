"""The paper's network as Keras builds it, and its weights given to ours."""

from typing import Any

import keras
import numpy as np
import torch
from keras import layers

from webemo_curate.config import TrainConfig
from webemo_curate.models.gram_efficientnet import GramEfficientNet

TAP = "block3b_project_conv"
CHANNELS = 56
STAGES = 6


def build_backbone(size: int) -> keras.Model:
    """Build Keras's EfficientNetV2B2 without its classifier."""
    return keras.applications.EfficientNetV2B2(
        include_top=False,
        weights=None,
        input_shape=(size, size, 3),
        include_preprocessing=False,
    )


def add_head(backbone: keras.Model, grams: int, config: TrainConfig) -> keras.Model:
    """Add k Gram modules made of Keras's own layers (paper, figures 2 and 3)."""
    tap = backbone.get_layer(TAP).output
    main = layers.GlobalAveragePooling2D()(backbone.output)
    main = layers.Dropout(config.dropout)(main)
    main = layers.LeakyReLU(negative_slope=config.negative_slope)(main)
    main = layers.Dense(CHANNELS * (grams or 3), name="main")(main)
    if grams:
        modules = [_gram_module(tap, number, config) for number in range(grams)]
        main = layers.Add()([main, layers.Concatenate()(modules) if grams > 1 else modules[0]])
    return keras.Model(backbone.input, [layers.Dense(2, name="output")(main), tap])


def _gram_module(tap: Any, number: int, config: TrainConfig) -> Any:
    _, height, width, channels = tap.shape
    flat = layers.Reshape((height * width, channels))(tap)
    gram = layers.Dot(axes=1)([flat, flat])
    a = layers.Dense(channels, name=f"compress{number}")(layers.Flatten()(gram))
    a = layers.LeakyReLU(negative_slope=config.negative_slope)(a)
    a = layers.BatchNormalization(name=f"norm{number}")(a)
    b = layers.Conv2D(channels, 1, name=f"project{number}")(tap)
    b = layers.LeakyReLU(negative_slope=config.negative_slope)(b)
    return layers.Multiply()([a, layers.GlobalAveragePooling2D()(b)])


def randomize(model: keras.Model, seed: int) -> None:
    """Give every weight a value of its own, running statistics too."""
    random = np.random.default_rng(seed)
    for weight in model.weights:
        shape = tuple(weight.shape)
        fan = max(1, int(np.prod(shape[:-1])))
        if "variance" in weight.path:
            value = random.uniform(0.5, 1.5, shape)
        elif "gamma" in weight.path:
            value = random.uniform(0.8, 1.2, shape)
        else:
            value = (
                random.normal(0, 1 / np.sqrt(fan), shape)
                if len(shape) > 1
                else 0.1 * random.normal(size=shape)
            )
        weight.assign(value)


def transfer(model: keras.Model, network: GramEfficientNet) -> None:
    """Copy all weights of the Keras network into ours, by the layers' names."""
    names = {"stem_conv": "conv_stem", "stem_bn": "bn1", "top_conv": "conv_head", "top_bn": "bn2"}
    pairs = [(keras_name, f"backbone.{ours}") for keras_name, ours in names.items()]
    for stage in range(STAGES):
        for position, block in enumerate(network.backbone.blocks[stage]):
            prefix = f"block{stage + 1}{chr(ord('a') + position)}_"
            pairs += [
                (prefix + theirs, f"backbone.blocks.{stage}.{position}.{ours}")
                for theirs, ours in _parts(stage, hasattr(block, "conv_dw"))
            ]
    pairs += [("main", "main.2"), ("output", "output")]
    for number in range(len(network.gram_modules)):
        pairs += [
            (f"{part}{number}", f"gram_modules.{number}.{part}")
            for part in ("compress", "norm", "project")
        ]
    for theirs, ours in pairs:
        _copy(model.get_layer(theirs), network.get_submodule(ours))


def _parts(stage: int, separable: bool) -> list[tuple[str, str]]:
    if stage == 0:
        return [("project_conv", "conv"), ("project_bn", "bn1")]
    if not separable:
        return [
            ("expand_conv", "conv_exp"),
            ("expand_bn", "bn1"),
            ("project_conv", "conv_pwl"),
            ("project_bn", "bn2"),
        ]
    return [
        ("expand_conv", "conv_pw"), ("expand_bn", "bn1"), ("dwconv2", "conv_dw"), ("bn", "bn2"),
        ("se_reduce", "se.conv_reduce"), ("se_expand", "se.conv_expand"),
        ("project_conv", "conv_pwl"), ("project_bn", "bn3"),
    ]  # fmt: skip


def _copy(layer: keras.layers.Layer, module: torch.nn.Module) -> None:
    values = [torch.from_numpy(np.array(keras.ops.convert_to_numpy(w))) for w in layer.weights]
    if isinstance(layer, layers.BatchNormalization):
        targets = [module.weight, module.bias, module.running_mean, module.running_var]
    else:
        values[0] = _kernel(layer, values[0])
        targets = [module.weight, module.bias][: len(values)]
    with torch.no_grad():
        for target, value in zip(targets, values, strict=True):
            assert target.shape == value.shape, layer.name
            target.copy_(value)


def _kernel(layer: keras.layers.Layer, value: torch.Tensor) -> torch.Tensor:
    """Turn a Keras kernel to torch's order of axes."""
    if isinstance(layer, layers.DepthwiseConv2D):
        return value.permute(2, 3, 0, 1)
    return value.permute(3, 2, 0, 1) if value.ndim == 4 else value.T
