"""The cost of a training step: networks side by side, on one device, in turn."""

import statistics
import time
from collections.abc import Mapping

import torch

from webemo_curate.config import TrainConfig
from webemo_curate.models.registry import build_network, set_training
from webemo_curate.progress import ProgressBar
from webemo_curate.training.loss import Objective
from webemo_curate.training.optimizers import make_optimizer
from webemo_curate.verdicts import BINARY

CHANNELS = 3


class _TimedNetwork:
    """A network and batch of its size, ready to be trained on over and over."""

    def __init__(self, config: TrainConfig, batch: int, device: torch.device) -> None:
        side = config.image_size
        self._objective = Objective(build_network(config), config).to(device)
        set_training(self._objective.network, config)
        self._optimizer = make_optimizer(config, self._objective.parameters())
        self._images = torch.zeros(batch, CHANNELS, side, side, dtype=torch.uint8, device=device)
        self._targets = torch.arange(batch, device=device) % BINARY

    def seconds(self) -> float:
        """Make one update; returns the seconds it took."""
        started = time.perf_counter()
        self._optimizer.zero_grad()
        self._objective(self._images, self._targets)[0].backward()
        self._optimizer.step()
        if self._images.is_cuda:
            torch.cuda.synchronize(self._images.device)
        return time.perf_counter() - started


def step_seconds(
    networks: Mapping[str, TrainConfig], batch: int, steps: int, device: torch.device
) -> dict[str, float]:
    """Time a training step of each network.

    Parameters
    ----------
    networks : mapping of str to TrainConfig
        By name.
    batch : int
        Images a step.
    steps : int
        That are timed of each network. They take turns, so that what else the machine does falls
        on all of them alike.
    device : torch.device
        Where it computes.

    Returns
    -------
    dict of str to float
        Median seconds of a step: forward, backward and update.
    """
    ready = {name: _TimedNetwork(config, batch, device) for name, config in networks.items()}
    taken: dict[str, list[float]] = {name: [] for name in networks}
    with ProgressBar((steps + 1) * len(ready), "time steps", "step") as bar:
        for turn in range(steps + 1):
            for name, step in ready.items():
                seconds = step.seconds()
                if turn:  # the first one also sets everything up
                    taken[name].append(seconds)
                bar.update()
    return {name: statistics.median(values) for name, values in taken.items()}
