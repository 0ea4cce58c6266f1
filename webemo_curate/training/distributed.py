"""Train with the processes that torchrun started, or with one process alone."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta

import torch
import torch.distributed as dist
from torch import Tensor, nn

from webemo_curate.errors import InputError

PATIENCE = timedelta(days=1)
"""Time that processes wait for the one that packs images or evaluates; torchrun ends them if it
dies."""


@dataclass(frozen=True)
class ProcessGroup:
    """The processes that train together.

    Attributes
    ----------
    rank
        Number of this process, from 0.
    size
        Number of processes.
    """

    rank: int = 0
    size: int = 1

    @property
    def leads(self) -> bool:
        """Whether this process writes files and shows progress."""
        return self.rank == 0

    def wait(self) -> None:
        """Wait until every process has arrived."""
        if self.size > 1:
            dist.barrier()

    def total(self, values: Tensor) -> Tensor:
        """Return the sum of all processes' values."""
        if self.size > 1:
            dist.all_reduce(values)
        return values

    def average_buffers(self, module: nn.Module) -> None:
        """Average all running statistics over the processes, as Keras's mirrored strategy does."""
        for buffer in module.buffers():
            if self.size > 1 and buffer.is_floating_point():
                dist.all_reduce(buffer)
                buffer /= self.size

    def add_up(self, gradients: list[Tensor]) -> None:
        """Replace gradients by their sum over all processes, in place and in one exchange.

        Parameters
        ----------
        gradients : list of Tensor
            Dense tensors, with equal strides in all processes.
        """
        if self.size == 1:
            return
        flat = [gradient.as_strided((gradient.numel(),), (1,)) for gradient in gradients]
        whole = torch.cat(flat)
        dist.all_reduce(whole)
        torch._foreach_copy_(flat, list(torch.split(whole, [len(part) for part in flat])))

    def share(self, batches: int) -> slice:
        """Return which of an update's batches this process takes.

        Raises
        ------
        InputError
            If the batches cannot be shared evenly.
        """
        if batches % self.size:
            raise InputError(
                f"{batches} batches an update cannot be shared evenly among {self.size} processes; "
                f"make 'accumulate' in the train section a multiple of {self.size}"
            )
        each = batches // self.size
        return slice(self.rank * each, (self.rank + 1) * each)


def follows() -> bool:
    """Return whether torchrun started this process beside another that writes and prints."""
    return int(os.environ.get("RANK", "0")) > 0


@contextmanager
def join_processes(device: torch.device) -> Iterator[ProcessGroup]:
    """Join the processes that torchrun started, until the outermost such block ends.

    The processes can join only once. To run several trainings one after another, join before the
    first.

    Parameters
    ----------
    device : torch.device
        CUDA communicates through NCCL, the CPU through Gloo.

    Yields
    ------
    ProcessGroup
        A group of one process if torchrun started none.
    """
    if int(os.environ.get("WORLD_SIZE", "1")) == 1:
        yield ProcessGroup()
        return
    if dist.is_initialized():
        yield ProcessGroup(dist.get_rank(), dist.get_world_size())
        return
    if device.type == "cuda":
        torch.cuda.set_device(int(os.environ["LOCAL_RANK"]))
    dist.init_process_group("nccl" if device.type == "cuda" else "gloo", timeout=PATIENCE)
    try:
        yield ProcessGroup(dist.get_rank(), dist.get_world_size())
    finally:
        dist.destroy_process_group()
