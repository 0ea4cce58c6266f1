"""The parts of an update as CUDA graphs: one launch each, where PyTorch launches thousands.

A graph repeats what was recorded, on the memory that was recorded, with two exceptions. Batches are
first copied into fixed buffers. And the seed of random numbers is read at each launch, so that
`torch.manual_seed` before a batch determines its dropout as it does without graphs. The learning
rate is a tensor on the device.
"""

from collections.abc import Callable

import torch
from torch import Tensor

from webemo_curate.training.update import EagerUpdate

WARM_UPS = 3
"""Updates made before one is recorded, because in the first ones libraries choose kernels and take
memory."""


class GraphedUpdate:
    """The parts of an update as graphs; see `update.Update`.

    Parameters
    ----------
    update : EagerUpdate
        The update to record. Its optimizer must support graphs (`optimizers.make_optimizer` on a
        GPU) and hold the state that training continues from. The optimizer, weights and sums are
        left unchanged.
    pixels : Tensor, shape (N, 3, S, S), uint8
        Any batch; its memory becomes the buffer for all batches.
    targets : Tensor, shape (N,), int64
        The batch's targets; their memory becomes a buffer likewise.
    images : int
        Images an update, in all processes together.

    Raises
    ------
    RuntimeError
        If a part of the update cannot be recorded.
    """

    def __init__(self, update: EagerUpdate, pixels: Tensor, targets: Tensor, images: int) -> None:
        self._update, self._images = update, images
        self._pixels, self._targets = pixels, targets
        self._stream = torch.cuda.Stream(pixels.device)  # type: ignore[no-untyped-call]
        self._warm_up()
        self._clear = self._record(lambda: update.clear(images))
        self._accumulate = self._record(lambda: update.accumulate(pixels, targets))
        self._move = self._record(update.move)
        self._average = self._record(update.average) if update.averaging else None

    def clear(self, images: int) -> None:
        """Begin an update over as many images as were recorded; see `Update.clear`.

        Raises
        ------
        ValueError
            If the number differs: it is part of the graph, which divides by it.
        """
        if images != self._images:
            raise ValueError(f"an update of {images} images, recorded for {self._images}")
        self._clear.replay()

    def accumulate(self, pixels: Tensor, targets: Tensor) -> None:
        """Add a batch of the recorded shape; see `Update.accumulate`."""
        self._pixels.copy_(pixels)
        self._targets.copy_(targets)
        self._accumulate.replay()

    def move(self) -> None:
        """Move the weights; see `Update.move`."""
        self._move.replay()

    def average(self) -> None:
        """Include the weights; see `Update.average`."""
        if self._average:
            self._average.replay()

    def _warm_up(self) -> None:
        self._stream.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(self._stream), self._update.undone():
            for _ in range(WARM_UPS):
                self._update.clear(self._images)
                self._update.accumulate(self._pixels, self._targets)
                self._update.move()
                self._update.average()
        torch.cuda.current_stream().wait_stream(self._stream)

    def _record(self, part: Callable[[], None]) -> torch.cuda.CUDAGraph:
        graph = torch.cuda.CUDAGraph()
        # Other threads of this process may continue to use the device.
        with torch.cuda.graph(graph, stream=self._stream, capture_error_mode="thread_local"):
            part()
        return graph
