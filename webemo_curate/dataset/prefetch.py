"""Bring pixels to the device before they are needed, and augment them there in large blocks."""

import logging
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from webemo_curate.dataset.labeled_images import LabeledImages, chunks

logger = logging.getLogger(__name__)

READ_AHEAD = 4
"""Batches read ahead on the CPU."""

CHANGERS = 2
"""Threads that augment on the CPU. Each has a thousand images of 256 pixels a second, many times
what a network on a CPU takes."""

BLOCK_BYTES = 100 * 2**20
"""Bytes of pixels that a GPU receives and augments at once: 533 images of 256 pixels. At this size
an operation's launch costs as much as its work. An augmentation briefly takes about twenty times
this memory."""

BLOCKS_AHEAD = 2
"""Blocks made ahead."""

FIRST = -1
"""Priority of a stream whose small kernels run between the large kernels of training."""

RESIDENT_SHARE = 0.5
"""Share of the device's free memory for a resident set; the rest is left to the network."""

UPLOAD_IMAGES = 4096

Rows = NDArray[np.int64]
Batches = Iterator[tuple[Tensor, Tensor]]
Change = Callable[[Tensor, Rows], Tensor]
Made = tuple[Tensor, Tensor, torch.cuda.Event]


class Feed:
    """Yields batches of one set on a device.

    Parameters
    ----------
    images : LabeledImages
        The set.
    device : torch.device
        The device that receives the batches.
    mode : {'auto', 'resident', 'mapped', 'files'}
        `auto` keeps the set in a GPU's memory if it fits, and reads ahead otherwise.
    """

    def __init__(self, images: LabeledImages, device: torch.device, mode: str) -> None:
        self.images = images
        self.targets = images.targets.to(device)
        # The device with its number: other threads' current device is the first GPU.
        self.device = self.targets.device
        self._resident = self._upload() if mode == "resident" or self._fits(mode) else None

    def batches(self, rows: Iterable[Rows], change: Change | None = None) -> Batches:
        """Iterate over the pixels and targets of each batch.

        Parameters
        ----------
        rows : iterable of ndarray of int64
            Row numbers, one array a batch.
        change : callable, optional
            Changes pixels on the device, shape (N, 3, S, S), uint8, given their row numbers; each
            image's result must depend on that image alone. A GPU passes it many batches at once.

        Returns
        -------
        iterator of (Tensor, Tensor)
            Pixels, shape (rows, 3, S, S), uint8, and targets, shape (rows,), int64, both on the
            device.
        """
        way = self._in_blocks if self.device.type == "cuda" else self._one_by_one
        return way(rows, change)

    def _one_by_one(self, rows: Iterable[Rows], change: Change | None) -> Batches:
        """Read and change batches in threads; they are handed out in their order."""
        with ThreadPoolExecutor(1) as reader, ThreadPoolExecutor(CHANGERS) as changers:
            ahead: deque[tuple[Future[Tensor], Future[tuple[Tensor, Tensor]]]] = deque()
            try:
                for batch in rows:
                    read = reader.submit(self._read, batch)
                    ahead.append((read, changers.submit(self._changed, read, batch, change)))
                    if len(ahead) > READ_AHEAD:
                        yield ahead.popleft()[1].result()
                while ahead:
                    yield ahead.popleft()[1].result()
            finally:
                # An error, Ctrl-C or a reader that stops early need not wait for the rest.
                for read, changed in ahead:
                    read.cancel()
                    changed.cancel()

    def _changed(
        self, read: Future[Tensor], rows: Rows, change: Change | None
    ) -> tuple[Tensor, Tensor]:
        pixels = read.result()
        changed = change(pixels, rows) if change else pixels
        return changed, self.targets[torch.from_numpy(rows)]

    def _in_blocks(self, rows: Iterable[Rows], change: Change | None) -> Batches:
        """Make blocks on a separate stream, while the current stream works on earlier ones."""
        stream = torch.cuda.Stream(self.device, FIRST)  # type: ignore[no-untyped-call]
        stream.wait_stream(torch.cuda.current_stream(self.device))
        with ThreadPoolExecutor(1) as reader, ThreadPoolExecutor(1) as maker:
            ahead: deque[tuple[list[Rows], Future[Made]]] = deque()
            for block in _blocks(rows, BLOCK_BYTES // max(1, self.images.image_bytes)):
                whole = np.concatenate(block)
                pixels = reader.submit(self._read_pinned, whole)
                ahead.append((block, maker.submit(self._make, pixels, whole, change, stream)))
                if len(ahead) > BLOCKS_AHEAD:
                    yield from self._hand_out(*ahead.popleft())
            while ahead:
                yield from self._hand_out(*ahead.popleft())

    def _make(
        self, read: Future[Tensor], rows: Rows, change: Change | None, stream: torch.cuda.Stream
    ) -> Made:
        with torch.cuda.device(self.device), torch.cuda.stream(stream):
            index = torch.from_numpy(rows).to(self.device)
            if self._resident is None:
                pixels = read.result().to(self.device, non_blocking=True)
            else:
                pixels = self._resident[index]
            changed = change(pixels, rows) if change else pixels
            return changed, self.targets[index], stream.record_event()

    def _hand_out(self, block: list[Rows], future: Future[Made]) -> Batches:
        pixels, targets, made = future.result()
        current = torch.cuda.current_stream(self.device)
        current.wait_event(made)
        for tensor in (pixels, targets):
            tensor.record_stream(current)  # keeps its memory until that stream is done
        sizes = [len(batch) for batch in block]
        yield from zip(torch.split(pixels, sizes), torch.split(targets, sizes), strict=True)

    def _read(self, rows: Rows) -> Tensor:
        if self._resident is not None:
            return self._resident[torch.from_numpy(rows)]
        return self.images.take(rows)

    def _read_pinned(self, rows: Rows) -> Tensor:
        """Read pixels that are not on the GPU; copying from pinned memory does not block it."""
        if self._resident is not None:
            return self.targets
        with torch.cuda.device(self.device):
            return self.images.take(rows).pin_memory()

    def _fits(self, mode: str) -> bool:
        if mode != "auto" or self.device.type != "cuda" or not self.images.sha256:
            return False
        needed = self.images.image_bytes * len(self.images.sha256)
        free, _ = torch.cuda.mem_get_info(self.device)
        fits = needed <= free * RESIDENT_SHARE
        place = "kept in the GPU's memory" if fits else "read from packed files"
        logger.info("pixels: %.1f GB, %s (%.1f GB are free)", needed / 1e9, place, free / 1e9)
        return bool(fits)

    def _upload(self) -> Tensor:
        count = len(self.images.sha256)
        parts = [self.images.take(rows).to(self.device) for rows in chunks(count, UPLOAD_IMAGES)]
        return torch.cat(parts) if parts else torch.empty(0, dtype=torch.uint8)


def _blocks(rows: Iterable[Rows], images: int) -> Iterator[list[Rows]]:
    """Yield groups of batches, each with at most `images` images but at least one batch."""
    block: list[Rows] = []
    for batch in rows:
        if block and sum(map(len, block)) + len(batch) > images:
            yield block
            block = []
        block.append(batch)
    if block:
        yield block
