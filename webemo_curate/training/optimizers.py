"""Build the optimizer, and compute the learning rate of each update."""

import math
from collections.abc import Iterable

import torch
from torch import Tensor, nn

from webemo_curate.config import TrainConfig
from webemo_curate.training.adagrad import KerasAdagrad


def make_optimizer(
    config: TrainConfig, parameters: Iterable[nn.Parameter]
) -> torch.optim.Optimizer:
    """Build the configured optimizer for the trainable parameters.

    Parameters
    ----------
    config : TrainConfig
        Kind and constants.
    parameters : iterable of Parameter
        On the device that trains; frozen parameters are left out.

    Returns
    -------
    torch.optim.Optimizer
        On a GPU its step can be recorded in a CUDA graph. `set_rate` sets its learning rate before
        each update.
    """
    trained = [parameter for parameter in parameters if parameter.requires_grad]
    on_gpu = trained[0].is_cuda
    # A graph would record a number's value; a tensor's value is read at each launch.
    rate: float | Tensor = (
        torch.tensor(config.lr, device=trained[0].device) if on_gpu else config.lr
    )
    fused = True if on_gpu else None
    if config.optimizer == "sgd":
        return torch.optim.SGD(
            trained, rate, config.momentum, weight_decay=config.weight_decay, fused=fused
        )
    if config.optimizer == "adamw":
        return torch.optim.AdamW(
            trained,
            rate,
            eps=config.epsilon,
            weight_decay=config.weight_decay,
            fused=fused,
            capturable=on_gpu,
        )
    return KerasAdagrad(trained, rate, config.initial_accumulator, config.epsilon)


def set_rate(optimizer: torch.optim.Optimizer, rate: float) -> None:
    """Set an optimizer's learning rate, in place if it is a tensor."""
    for group in optimizer.param_groups:
        if isinstance(group["lr"], Tensor):
            group["lr"].fill_(rate)
        else:
            group["lr"] = rate


def learning_rate(config: TrainConfig, epoch: int, share: float) -> float:
    """Return the learning rate of an update.

    Parameters
    ----------
    config : TrainConfig
        Base rate, scaling and schedule.
    epoch : int
        Number of finished epochs.
    share : float
        Finished share of the current epoch, 0 to 1.

    Returns
    -------
    float
        The learning rate.
    """
    base = config.lr * (config.accumulate if config.lr_scaling == "batches" else 1)
    if config.schedule == "halving":
        return base * 0.5 ** (epoch // config.halving_epochs)
    if config.schedule == "cosine":
        return base * 0.5 * (1 + math.cos(math.pi * (epoch + share) / config.epochs))
    return base
