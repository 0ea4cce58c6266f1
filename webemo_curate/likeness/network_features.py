"""The features of pictures that a trained network gives to its output layer."""

import hashlib
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path
from typing import Final

import numpy as np
import pyarrow as pa
import torch
from numpy.typing import NDArray
from PIL import Image

from webemo_curate.dataset.labeled_images import ChosenImages, chunks, open_images
from webemo_curate.dataset.prefetch import Feed
from webemo_curate.dataset.squares import to_square
from webemo_curate.evaluation.predict import open_network
from webemo_curate.likeness.kept_vectors import KeptVectors
from webemo_curate.models.precision import as_floats, autocast
from webemo_curate.models.registry import Network
from webemo_curate.progress import ProgressBar
from webemo_curate.rooted import regular_digest
from webemo_curate.runner.work_context import WorkContext
from webemo_curate.runs import CONFIG_FILE, LAST_FILE, load_config

PART_IMAGES = 4_096
"""Pictures after which what is done is kept: minutes of a CPU."""

KEPT: Final = "network-features"
"""Under which a workspace keeps features, some 5 kB a picture, of the network asked last."""

Floats = NDArray[np.float32]


class NetworkFeatures:
    """A run's features of a workspace's pictures, each computed once.

    Parameters
    ----------
    run : Path
        The run's folder.
    work : WorkContext
        Its workspace has the pictures, and keeps the features of one network. Its `train.device`
        says where the network runs.

    Raises
    ------
    InputError
        If the run cannot be read.
    """

    def __init__(self, run: Path, work: WorkContext) -> None:
        self._run, self._work = run, work
        # Each picture is asked for once, so a packed copy of it would serve nothing.
        self._config = load_config(run).model_copy(update={"feed": "files"})
        digests = [regular_digest(run / name) for name in (CONFIG_FILE, LAST_FILE)]
        made_by = hashlib.sha256("".join(digests).encode()).hexdigest()
        self._kept = KeptVectors(work.workspace.checkpoints(KEPT, made_by))

    @cached_property
    def _network(self) -> Network:
        return open_network(self._run, self._work.config.train.device)

    def of(self, images: pa.Table) -> Iterator[Floats]:
        """Yield the features of stored pictures, part by part.

        Parameters
        ----------
        images : pa.Table
            Columns `sha256` and `path` of pictures that decode.

        Yields
        ------
        ndarray of float32, shape (rows, width)
            The features that the output layer takes; their width is the network's.
        """
        wanted = images.select(["sha256", "path"])
        with ProgressBar(images.num_rows, "features", "image") as bar:
            for rows in chunks(images.num_rows, PART_IMAGES):
                part = wanted.slice(rows[0], len(rows))
                names = part["sha256"].to_pylist()
                missing = self._kept.missing(names)
                bar.update(len(rows) - len(missing))
                if missing:
                    asked = part.take(pa.array(missing))
                    self._kept.add(asked["sha256"].to_pylist(), self._computed(asked, bar))
                yield self._kept.gather(names)

    def of_picture(self, picture: Image.Image) -> Floats:
        """Return the features of an upright RGB picture: shape (width,)."""
        square = torch.from_numpy(to_square(picture, self._config))
        found: Floats = self._features(square[None].to(self._device)).numpy()[0]
        return found

    def _computed(self, images: pa.Table, bar: ProgressBar) -> Floats:
        targets = pa.array(np.zeros(images.num_rows, np.int8))
        opened = open_images(images.append_column("target", targets), self._config, self._work)
        every = ChosenImages(opened, np.arange(images.num_rows))
        feed = Feed(every, self._device, self._config.feed)
        parts = []
        for pixels, _ in feed.batches(chunks(images.num_rows, self._config.batch_size)):
            parts.append(self._features(pixels))
            bar.update(len(pixels))
        found: Floats = torch.cat(parts).numpy()
        return found

    @torch.inference_mode()
    def _features(self, pixels: torch.Tensor) -> torch.Tensor:
        with autocast(pixels.device, self._config.precision):
            return self._network.features(as_floats(pixels)).float().cpu()

    @property
    def _device(self) -> torch.device:
        return next(self._network.parameters()).device
