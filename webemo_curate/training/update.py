"""The parts of one weight update, launched operation by operation.

`update_graph.GraphedUpdate` has the same parts, each launched as one CUDA graph.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from copy import copy
from typing import Any, Protocol, Self

import torch
from torch import Tensor, nn

from webemo_curate.training.averaging import Averaging
from webemo_curate.training.running_statistics import SharedStatistics


class Update(Protocol):
    """The parts of an update, in the order of their calls."""

    def clear(self, images: int) -> None:
        """Begin an update over this many images, in all processes together."""

    def accumulate(self, pixels: Tensor, targets: Tensor) -> None:
        """Add a batch's gradients, loss and correct answers to the sums."""

    def move(self) -> None:
        """Move the weights by the summed gradients."""

    def average(self) -> None:
        """Include the weights in the averaged ones."""


class EagerUpdate:
    """The parts of an update; see `Update`.

    Parameters
    ----------
    objective : Module
        Maps pixels and targets to the summed loss and the number of correct answers; on its device.
    optimizer : torch.optim.Optimizer
        Over the objective's trainable parameters.
    averaging : Averaging or None
        The averaged weights.
    batches : int
        Batches an update in this process.

    Attributes
    ----------
    gradients
        Gradient of each trainable parameter, summed over the update; always in the same memory.
    sums
        Summed loss and correct answers since the last reset: float64, shape (2,).
    """

    def __init__(
        self,
        objective: nn.Module,
        optimizer: torch.optim.Optimizer,
        averaging: Averaging | None,
        batches: int,
    ) -> None:
        self.objective, self.optimizer, self.averaging = objective, optimizer, averaging
        self._compute: Callable[[Tensor, Tensor], tuple[Tensor, Tensor]] = objective
        self._statistics = SharedStatistics(objective, batches)
        self._images = 1
        self._trained = [p for p in objective.parameters() if p.requires_grad]
        self.gradients = [torch.zeros_like(parameter) for parameter in self._trained]
        for parameter, gradient in zip(self._trained, self.gradients, strict=True):
            parameter.grad = gradient
        self.sums = torch.zeros(2, dtype=torch.float64, device=self.gradients[0].device)

    def clear(self, images: int) -> None:
        """Begin an update; see `Update.clear`."""
        self._images = images
        torch._foreach_zero_(self.gradients)
        self._statistics.begin()

    def accumulate(self, pixels: Tensor, targets: Tensor) -> None:
        """Add a batch; see `Update.accumulate`."""
        loss, right = self._compute(pixels, targets)
        # Not `backward`, which would add parameter by parameter, with many more launches.
        new = torch.autograd.grad(loss / self._images, self._trained, materialize_grads=True)
        laid = [_laid_as(one, whole) for one, whole in zip(new, self.gradients, strict=True)]
        torch._foreach_add_(self.gradients, laid)
        self._statistics.end_batch()
        self.sums += torch.stack([loss.detach().double(), right.double()])

    def move(self) -> None:
        """Move the weights; see `Update.move`."""
        self._statistics.end()
        self.optimizer.step()

    def average(self) -> None:
        """Include the weights; see `Update.average`."""
        if self.averaging:
            self.averaging.blend()

    def compiled(self, options: dict[str, Any]) -> Self:
        """Return this update with its network compiled; both share all tensors."""
        twin = copy(self)
        twin._compute = torch.compile(self.objective, dynamic=False, options=options)
        return twin

    @contextmanager
    def undone(self) -> Iterator[None]:
        """Undo what a block does to weights, statistics, sums and the optimizer's state.

        State that the optimizer creates in the block is kept, set to zeros: its first step starts
        from these.
        """
        before = {id(tensor): (tensor, tensor.detach().clone()) for tensor in self._changing()}
        try:
            yield
        finally:
            with torch.no_grad():
                for tensor in self._changing():
                    _, value = before.get(id(tensor), (tensor, torch.zeros_like(tensor)))
                    tensor.copy_(value)

    def _changing(self) -> list[Tensor]:
        modules = [self.objective, *([self.averaging.model] if self.averaging else [])]
        weights = [tensor for m in modules for tensor in (*m.parameters(), *m.buffers())]
        entries = [value for state in self.optimizer.state.values() for value in state.values()]
        return [*weights, self.sums, *(value for value in entries if isinstance(value, Tensor))]


def _laid_as(tensor: Tensor, other: Tensor) -> Tensor:
    """Give a tensor the strides of another if these differ only in dimensions of length 1.

    Lists of tensors with equal strides are processed by few kernels, others one by one.
    """
    alike = all(
        one == two or length == 1
        for one, two, length in zip(tensor.stride(), other.stride(), other.shape, strict=True)
    )
    return tensor.as_strided(other.shape, other.stride()) if alike else tensor
