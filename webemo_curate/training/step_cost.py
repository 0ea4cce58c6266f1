"""Measure the cost of a training step for several networks on one device."""

import statistics
import time
from collections.abc import Mapping

import torch

from webemo_curate.config import TrainConfig
from webemo_curate.models.precision import CHANNELS
from webemo_curate.models.registry import build_network, set_training
from webemo_curate.progress import ProgressBar
from webemo_curate.training.loss import Objective
from webemo_curate.training.optimizers import make_optimizer
from webemo_curate.verdicts import BINARY


class _TimedNetwork:
    """A network and a batch of its size, ready for repeated training steps."""

    def __init__(self, config: TrainConfig, batch: int, device: torch.device) -> None:
        side = config.image_size
        self._objective = Objective(build_network(config), config).to(device)
        set_training(self._objective.network, config)
        self._optimizer = make_optimizer(config, self._objective.parameters())
        self._images = torch.zeros(batch, CHANNELS, side, side, dtype=torch.uint8, device=device)
        self._targets = torch.arange(batch, device=device) % BINARY

    def seconds(self) -> float:
        """Make one update; return the seconds it took."""
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
    """Measure the time of a training step for each network.

    Parameters
    ----------
    networks : mapping of str to TrainConfig
        Configurations by name.
    batch : int
        Images a step.
    steps : int
        Steps measured for each network. The networks take turns, so that other load on the machine
        affects all of them alike.
    device : torch.device
        The device to compute on.

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
