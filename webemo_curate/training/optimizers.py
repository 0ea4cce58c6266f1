"""Build the optimizer that moves the weights, and the rate of each moment."""

import math
from collections.abc import Iterable

import torch
from torch import nn

from webemo_curate.config import TrainConfig
from webemo_curate.training.adagrad import KerasAdagrad


def make_optimizer(
    config: TrainConfig, parameters: Iterable[nn.Parameter]
) -> torch.optim.Optimizer:
    """Build the configured optimizer over the parameters that are trained.

    Parameters
    ----------
    config : TrainConfig
        Kind and constants.
    parameters : iterable of Parameter
        Frozen ones are left out.

    Returns
    -------
    torch.optim.Optimizer
        Its learning rate is set anew before each update.
    """
    trained = [parameter for parameter in parameters if parameter.requires_grad]
    if config.optimizer == "sgd":
        return torch.optim.SGD(
            trained, config.lr, momentum=config.momentum, weight_decay=config.weight_decay
        )
    if config.optimizer == "adamw":
        return torch.optim.AdamW(
            trained, config.lr, eps=config.epsilon, weight_decay=config.weight_decay
        )
    return KerasAdagrad(trained, config.lr, config.initial_accumulator, config.epsilon)


def learning_rate(config: TrainConfig, epoch: int, share: float) -> float:
    """Return the learning rate of an update.

    Parameters
    ----------
    config : TrainConfig
        Base rate, scaling and schedule.
    epoch : int
        Finished epochs.
    share : float
        Finished share of the epoch under way, 0 to 1.

    Returns
    -------
    float
        The rate.
    """
    base = config.lr * (config.accumulate if config.lr_scaling == "batches" else 1)
    if config.schedule == "halving":
        return base * 0.5 ** (epoch // config.halving_epochs)
    if config.schedule == "cosine":
        return base * 0.5 * (1 + math.cos(math.pi * (epoch + share) / config.epochs))
    return base
