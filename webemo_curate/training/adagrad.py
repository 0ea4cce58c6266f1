"""Adagrad as in Keras; torch's places epsilon elsewhere and starts from another value."""

from collections.abc import Callable, Iterable

import torch
from torch import Tensor

INITIAL_ACCUMULATOR = 0.1
EPSILON = 1e-7
"""keras.optimizers.Adagrad's defaults."""


class KerasAdagrad(torch.optim.Optimizer):
    """`accumulator += g^2; w -= lr * g / sqrt(accumulator + epsilon)` (Keras 3).

    torch starts the accumulator at 0 and divides by `sqrt(accumulator) + epsilon`. Its first step
    then moves every weight by a full learning rate, which ruins pretrained weights.

    Parameters
    ----------
    parameters : iterable of Tensor
        The parameters to train.
    lr : float or Tensor of shape ()
        Learning rate. As a tensor on the parameters' device, it can be recorded in a CUDA graph.
    initial_accumulator : float
        Initial value of the accumulator.
    epsilon : float
        Added under the root.
    """

    def __init__(
        self,
        parameters: Iterable[Tensor],
        lr: float | Tensor,
        initial_accumulator: float = INITIAL_ACCUMULATOR,
        epsilon: float = EPSILON,
    ) -> None:
        defaults = {"lr": lr, "initial_accumulator": initial_accumulator, "epsilon": epsilon}
        super().__init__(parameters, defaults)
        for group in self.param_groups:
            for parameter in group["params"]:
                self.state[parameter]["sum"] = torch.full_like(parameter, initial_accumulator)

    @torch.no_grad()
    def step(self, closure: Callable[[], float] | None = None) -> float | None:  # type: ignore[override]
        """Make one update; see `torch.optim.Optimizer.step`."""
        loss = closure() if closure else None
        for group in self.param_groups:
            trained = [p for p in group["params"] if p.grad is not None]
            gradients = [p.grad for p in trained]
            sums = [self.state[p]["sum"] for p in trained]
            torch._foreach_addcmul_(sums, gradients, gradients)
            roots = torch._foreach_add(sums, group["epsilon"])
            torch._foreach_sqrt_(roots)
            steps = torch._foreach_mul(gradients, -group["lr"])
            torch._foreach_addcdiv_(trained, steps, roots)
        return loss
