"""The training loss: cross-entropy, optionally with a contrastive-center loss."""

import torch
from torch import Tensor, nn
from torch.nn import functional

from webemo_curate.config import TrainConfig
from webemo_curate.models.precision import as_floats, autocast
from webemo_curate.models.registry import Network

CENTER_DELTA = 1.0
"""Keeps the contrastive-center loss finite (Qi and Su 2017, equation 6)."""


class ContrastiveCenterLoss(nn.Module):
    """Distance to the own class's center, divided by the distances to the others (Qi and Su 2017).

    Parameters
    ----------
    classes : int
        Number of centers, which are learned with the network.
    width : int
        Length of a feature vector.
    """

    def __init__(self, classes: int, width: int) -> None:
        super().__init__()
        self.centers = nn.Parameter(torch.randn(classes, width))

    def forward(self, features: Tensor, targets: Tensor) -> Tensor:
        """Return the loss of each feature vector; shapes (N, width) and (N,) give (N,)."""
        distances = (features.float()[:, None] - self.centers).square().sum(dim=2)
        own = distances.gather(1, targets[:, None])[:, 0]
        others = distances.sum(dim=1) - own
        return 0.5 * own / (others + CENTER_DELTA)


class Objective(nn.Module):
    """A network with its loss, summed over images in one forward pass.

    Parameters
    ----------
    network : Network
        The network to train.
    config : TrainConfig
        Label smoothing, center loss and precision.
    """

    def __init__(self, network: Network, config: TrainConfig) -> None:
        super().__init__()
        self.network = network
        self.smoothing = config.label_smoothing
        self.center_weight = config.center_loss
        self.precision = config.precision
        if config.center_loss:
            self.center = ContrastiveCenterLoss(network.output.out_features, network.width)

    def forward(self, images: Tensor, targets: Tensor) -> tuple[Tensor, Tensor]:
        """Return the summed loss and the number of correct answers.

        Parameters
        ----------
        images : Tensor, shape (N, 3, S, S), uint8
            Pixels.
        targets : Tensor, shape (N,), int64
            Class numbers.

        Returns
        -------
        loss : Tensor, shape (), float32
            Summed over the images.
        right : Tensor, shape (), int64
            Number of images whose class has the largest logit.
        """
        with autocast(images.device, self.precision):
            features = self.network.features(as_floats(images))
            logits = self.network.output(features).float()
        loss = functional.cross_entropy(
            logits, targets, reduction="sum", label_smoothing=self.smoothing
        )
        if self.center_weight:
            loss = loss + self.center_weight * self.center(features, targets).sum()
        return loss, (logits.argmax(dim=1) == targets).sum()
