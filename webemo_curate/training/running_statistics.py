"""Running statistics of batch norms when several batches make one update."""

import torch
from torch import Tensor, nn


class SharedStatistics:
    """Averages the running statistics of an update's batches, as replicas of one network would.

    Each batch starts from the statistics before the update, and the mean of the results is kept.
    This equals training with as many processes whose statistics are averaged. Applied one after
    another, later batches would count more, and the momentum would be that of as many updates.

    Parameters
    ----------
    network : Module
        The network; its running means and variances are the float buffers of its batch norms.
    batches : int
        Batches an update in this process; with one, nothing needs to be done.
    """

    def __init__(self, network: nn.Module, batches: int) -> None:
        self._network, self._batches = network, batches
        self._running: list[Tensor] = []
        self._before: list[Tensor] = []
        self._sums: list[Tensor] = []

    def begin(self) -> None:
        """Remember the statistics before an update."""
        if self._batches > 1 and not self._running:
            self._gather()
        if self._running:
            torch._foreach_copy_(self._before, self._running)
            torch._foreach_zero_(self._sums)

    def end_batch(self) -> None:
        """Add a batch's statistics to the sum, and restore the earlier ones."""
        if self._running:
            torch._foreach_add_(self._sums, self._running)
            torch._foreach_copy_(self._running, self._before)

    def end(self) -> None:
        """Set the statistics to the mean over the update's batches."""
        if self._running:
            torch._foreach_div_(self._sums, self._batches)
            torch._foreach_copy_(self._running, self._sums)

    def _gather(self) -> None:
        """Find the statistics once: the network is now on its device and in its training mode."""
        self._running = _moving_statistics(self._network)
        self._before, self._sums = (
            [torch.empty_like(running) for running in self._running] for _ in range(2)
        )


def _moving_statistics(network: nn.Module) -> list[Tensor]:
    """Return the statistics of batch norms in training mode; frozen ones must not be rounded."""
    norms = [
        module
        for module in network.modules()
        if isinstance(module, nn.modules.batchnorm._BatchNorm) and module.training
    ]
    return [t for norm in norms for t in (norm.running_mean, norm.running_var) if t is not None]
