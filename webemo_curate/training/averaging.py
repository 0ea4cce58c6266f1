"""Average a network's weights over the updates of a training."""

from collections.abc import Iterable
from itertools import chain

import torch
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel


class Averaging:
    """An exponential moving average of a network's weights and statistics, on its device.

    Parameters
    ----------
    network : Module
        The network that is trained; the average starts with the weights after the first update.
    decay : float
        Decay of the average at each update.

    Attributes
    ----------
    model
        Holds the averaged network as `module`, and the number of updates as `n_averaged`.
    """

    def __init__(self, network: nn.Module, decay: float) -> None:
        self.model = AveragedModel(network, use_buffers=True)
        self._share = 1 - decay
        pairs = list(zip(_tensors(self.model.module), _tensors(network), strict=True))
        self._floats = [pair for pair in pairs if pair[0].is_floating_point()]
        self._counts = [pair for pair in pairs if not pair[0].is_floating_point()]

    @property
    def begun(self) -> bool:
        """Whether an update has been included."""
        return bool(self.model.n_averaged > 0)

    @torch.no_grad()
    def adopt(self) -> None:
        """Copy the network: after the first update, the average is the network itself."""
        _copy(self._floats + self._counts)

    @torch.no_grad()
    def blend(self) -> None:
        """Move the average toward the network; no value is read, so a CUDA graph can record it."""
        if self._floats:
            mean, new = map(list, zip(*self._floats, strict=True))
            torch._foreach_lerp_(mean, new, self._share)
        _copy(self._counts)

    def count(self) -> None:
        """Count an update as included."""
        self.model.n_averaged += 1


def _tensors(module: nn.Module) -> Iterable[Tensor]:
    return (tensor.detach() for tensor in chain(module.parameters(), module.buffers()))


def _copy(pairs: list[tuple[Tensor, Tensor]]) -> None:
    if pairs:
        mean, new = map(list, zip(*pairs, strict=True))
        torch._foreach_copy_(mean, new)
