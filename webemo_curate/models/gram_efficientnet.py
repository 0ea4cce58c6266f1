"""EfficientNetV2 with Gram modules on a shallow feature map (paper, section 3, figures 2 and 3)."""

from collections.abc import Callable
from typing import Any, ClassVar

import timm
import torch
from torch import Tensor, nn

from webemo_curate.config import TrainConfig
from webemo_curate.errors import InputError
from webemo_curate.models.keras_rules import KerasBatchNorm1d, scale_stochastic_depth
from webemo_curate.models.layers import InitializeAdded, Normalize, gram_matrix
from webemo_curate.models.tap import find_tap, run_tapped, tap_channels
from webemo_curate.verdicts import BINARY

BASELINE_UNITS = 3
"""Width of the baseline's head (k = 0), in multiples of a module's: 168 features for B2, as many as
three modules have."""


FUSIONS: dict[str, Callable[[Tensor, Tensor], Tensor]] = {
    "gate": torch.mul,
    "sum": torch.add,
    "average": lambda one, other: (one + other) / 2,
    "concatenate": lambda one, other: torch.cat([one, other], dim=1),
}
"""The operations by which a Gram module joins its branches; in the paper, none gained over the
first."""


def module_width(channels: int, config: TrainConfig) -> int:
    """Return the number of features that a Gram module outputs."""
    return channels * 2 if config.gram_fusion == "concatenate" else channels


class GramModule(nn.Module):
    """A Gram module: correlations between feature maps gate the pooled projection of the maps.

    Parameters
    ----------
    channels : int
        C, the channels of the tapped feature map.
    config : TrainConfig
        Activation, batch norm and fusion.
    """

    def __init__(self, channels: int, config: TrainConfig) -> None:
        super().__init__()
        self.compress = nn.Linear(channels * channels, channels)
        self.norm = KerasBatchNorm1d(channels, config.bn_epsilon, config.bn_momentum)
        self.project = nn.Conv2d(channels, channels, kernel_size=1)
        self.activation = _activation(config)
        self._fuse = FUSIONS[config.gram_fusion]

    def forward(self, features: Tensor, gram: Tensor) -> Tensor:
        """Combine a feature map with its Gram matrix.

        Parameters
        ----------
        features : Tensor, shape (N, C, H, W)
            The tapped feature map.
        gram : Tensor, shape (N, C * C), float32
            The map's flattened Gram matrix.

        Returns
        -------
        Tensor, shape (N, C)
            The element-wise product of both branches; shape (N, 2 C) if they are concatenated.
        """
        with torch.autocast(features.device.type, enabled=False):
            # Half precision loses too much of unscaled Gram values, or overflows.
            correlations = self.norm(self.activation(self.compress(gram)))
        pooled = self.activation(self.project(features)).mean(dim=(2, 3))
        return self._fuse(correlations, pooled)


class GramEfficientNet(nn.Module):
    """A timm EfficientNetV2 whose head adds k Gram modules to the pooled features.

    Parameters
    ----------
    config : TrainConfig
        Backbone, number of modules k, and the settings of added layers that the paper leaves open.

    classes : int, default 2
        Number of units of the output layer.

    Attributes
    ----------
    backbone
        timm's network without its classifier.
    width
        Number of features before the output layer: C * k in the paper's network.
    name
        Value of `TrainConfig.network`.
    last_feature_layer
        Module of the backbone whose output is pooled: the batch norm of the head's convolution.
    takes_grams
        Whether `TrainConfig.grams` has an effect.
    """

    name: ClassVar[str] = "gram"
    last_feature_layer: ClassVar[str] = "bn2"
    takes_grams: ClassVar[bool] = True

    def __init__(self, config: TrainConfig, classes: int = BINARY) -> None:
        super().__init__()
        network: Any = timm.create_model(
            self.backbone_name(config),
            pretrained=False,
            num_classes=0,
            drop_path_rate=config.drop_path,
        )
        if config.drop_path_rule == "keras":
            scale_stochastic_depth(network, config.backbone)
        self.backbone = network
        self.normalise = Normalize(config.normalisation, network.pretrained_cfg)
        self._tap = find_tap(network, config.tap)
        channels = tap_channels(network, self._tap)
        units = module_width(channels, config) * (config.grams or BASELINE_UNITS)
        self.main = _main_branch(network.num_features, units, config)
        self._concatenates = config.head_fusion == "concatenate" and config.grams > 0
        self.width = units * 2 if self._concatenates else units
        self.gram_modules = nn.ModuleList(GramModule(channels, config) for _ in range(config.grams))
        self.output = nn.Linear(self.width, classes)
        self._normalise_gram = config.normalise_gram
        initialize = InitializeAdded(config.initialisation)
        for layer in (self.main, self.gram_modules, self.output):
            layer.apply(initialize)

    @staticmethod
    def backbone_name(config: TrainConfig) -> str:
        """Return timm's name of the backbone, with the tag of its weights.

        Raises
        ------
        InputError
            If timm has no such weights for it; the message names those it has.
        """
        name = f"{config.backbone}.{config.weights_tag}"
        known = timm.list_pretrained(f"{config.backbone}.*")
        if name not in known:
            tags = ", ".join(entry.partition(".")[2] for entry in known)
            raise InputError(f"--weights-tag {config.weights_tag}: {config.backbone} has {tags}")
        return name

    @staticmethod
    def title(config: TrainConfig) -> str:
        """Return the network's name for people."""
        return f"{config.backbone} with {config.grams} Gram modules"

    def features(self, images: Tensor) -> Tensor:
        """Return the fused features before the output layer.

        Parameters
        ----------
        images : Tensor, shape (N, 3, S, S), float32
            Pixel values, 0 to 1.

        Returns
        -------
        Tensor, shape (N, width)
            The main branch plus the Gram modules' features, or concatenated with them.
        """
        deep, tap = self._run_backbone(self.normalise(images))
        fused: Tensor = self.main(self.backbone.forward_head(deep))
        if len(self.gram_modules) == 0:
            return fused
        # Computed once for all modules.
        gram = gram_matrix(tap, normalise=self._normalise_gram).flatten(1)
        grams = torch.cat([module(tap, gram) for module in self.gram_modules], dim=1)
        return torch.cat([fused, grams], dim=1) if self._concatenates else fused + grams

    def forward(self, images: Tensor) -> Tensor:
        """Classify images.

        Parameters
        ----------
        images : Tensor, shape (N, 3, S, S), float32
            Pixel values, 0 to 1.

        Returns
        -------
        Tensor, shape (N, classes), float32
            One logit for each class.
        """
        logits: Tensor = self.output(self.features(images))
        return logits.float()

    def _run_backbone(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """Run timm's network; return its last feature map and the tapped one."""
        x = tap = self.backbone.bn1(self.backbone.conv_stem(images))
        for number, stage in enumerate(self.backbone.blocks):
            for position, block in enumerate(stage):
                if (number, position) == self._tap:
                    x, tap = run_tapped(block, x)
                else:
                    x = block(x)
        return self.backbone.bn2(self.backbone.conv_head(x)), tap


def _main_branch(features: int, width: int, config: TrainConfig) -> nn.Sequential:
    layers: dict[str, nn.Module] = {
        "dropout": nn.Dropout(config.dropout),
        "activation": nn.LeakyReLU(config.negative_slope),
        "dense": nn.Linear(features, width),
    }
    return nn.Sequential(*(layers[name] for name in config.main_order.split("-")))


def _activation(config: TrainConfig) -> nn.Module:
    kinds: dict[str, Callable[[], nn.Module]] = {
        "leaky_relu": lambda: nn.LeakyReLU(config.negative_slope),
        "relu": nn.ReLU,
        "silu": nn.SiLU,
        "identity": nn.Identity,
    }
    return kinds[config.gram_activation]()
