"""Bring pixels to the device: from its own memory, or copied ahead of their use."""

import logging
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from webemo_curate.dataset.labeled_images import LabeledImages, chunks

logger = logging.getLogger(__name__)

READ_AHEAD = 4
"""Batches read and copied before they are needed."""

RESIDENT_SHARE = 0.5
"""Of the device's free memory: the rest is the network's."""

UPLOAD_IMAGES = 4096


class Feed:
    """Gives batches of one set on a device.

    Parameters
    ----------
    images : LabeledImages
        The set.
    device : torch.device
        Where batches are wanted.
    mode : {'auto', 'resident', 'mapped', 'files'}
        `auto` keeps the set in a GPU's memory if it fits, and reads ahead if not.
    """

    def __init__(self, images: LabeledImages, device: torch.device, mode: str) -> None:
        self.images = images
        self.device = device
        self.targets = images.targets.to(device)
        self._resident = self._upload() if mode == "resident" or self._fits(mode) else None

    def batches(self, rows: Iterable[NDArray[np.int64]]) -> Iterator[tuple[Tensor, Tensor]]:
        """Yield pixels and targets of each batch of rows.

        Parameters
        ----------
        rows : iterable of ndarray of int64
            Row numbers, a batch each.

        Yields
        ------
        pixels : Tensor, shape (rows, 3, S, S), uint8
            On the device.
        targets : Tensor, shape (rows,), int64
            On the device.
        """
        if self._resident is not None:
            for batch in rows:
                index = torch.from_numpy(batch).to(self.device)
                yield self._resident[index], self.targets[index]
            return
        with ThreadPoolExecutor(1) as reader:
            ahead: deque[Future[tuple[Tensor, Tensor]]] = deque()
            for batch in rows:
                ahead.append(reader.submit(self._read, batch))
                if len(ahead) > READ_AHEAD:
                    yield self._copy(ahead.popleft())
            while ahead:
                yield self._copy(ahead.popleft())

    def _read(self, rows: NDArray[np.int64]) -> tuple[Tensor, Tensor]:
        pixels = self.images.take(rows)
        # A copy from pinned memory does not hold up the device.
        pinned = pixels.pin_memory() if self.device.type == "cuda" else pixels
        return pinned, torch.from_numpy(rows)

    def _copy(self, future: Future[tuple[Tensor, Tensor]]) -> tuple[Tensor, Tensor]:
        pixels, rows = future.result()
        index = rows.to(self.device, non_blocking=True)
        return pixels.to(self.device, non_blocking=True), self.targets[index]

    def _fits(self, mode: str) -> bool:
        if mode != "auto" or self.device.type != "cuda" or not self.images.sha256:
            return False
        needed = self.images.take(np.zeros(1, np.int64)).numel() * len(self.images.sha256)
        free, _ = torch.cuda.mem_get_info(self.device)
        fits = needed <= free * RESIDENT_SHARE
        place = "kept in the GPU's memory" if fits else "read from packed files"
        logger.info("pixels: %.1f GB, %s (%.1f GB are free)", needed / 1e9, place, free / 1e9)
        return bool(fits)

    def _upload(self) -> Tensor:
        count = len(self.images.sha256)
        parts = [self.images.take(rows).to(self.device) for rows in chunks(count, UPLOAD_IMAGES)]
        return torch.cat(parts)
