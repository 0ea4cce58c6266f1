"""The features of pictures that a trained network gives to its output layer."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
import torch
from numpy.typing import NDArray

from webemo_curate.config import TrainConfig
from webemo_curate.dataset.labeled_images import ChosenImages, chunks, open_images
from webemo_curate.dataset.prefetch import Feed
from webemo_curate.evaluation.predict import open_network
from webemo_curate.models.precision import as_floats, autocast
from webemo_curate.models.registry import Network
from webemo_curate.progress import ProgressBar
from webemo_curate.runner.work_context import WorkContext
from webemo_curate.runs import load_config
from webemo_curate.storage.checkpoints import Checkpoints

PART_IMAGES = 4_096
"""Pictures after which what is done is kept: minutes of a CPU."""


def network_features(
    images: pa.Table, run: Path, work: WorkContext, done: Checkpoints
) -> Iterator[NDArray[np.float32]]:
    """Compute a network's features of pictures, part by part; parts that are kept are read.

    Parameters
    ----------
    images : pa.Table
        Columns `sha256` and `path` of pictures that decode.
    run : Path
        The run's folder.
    work : WorkContext
        Its workspace has the pictures. Its `train.device` says where the network runs.
    done : Checkpoints
        Keeps parts.

    Yields
    ------
    ndarray of float32, shape (rows, width)
        The features that the output layer takes; their width is the network's.
    """
    # Each picture is asked for once, so a packed copy of it would serve nothing.
    config = load_config(run).model_copy(update={"feed": "files"})
    targets = pa.array(np.zeros(images.num_rows, np.int8))
    opened = open_images(images.append_column("target", targets), config, work)
    network: Network | None = None
    with ProgressBar(images.num_rows, "features", "image") as bar:
        for number, rows in enumerate(chunks(images.num_rows, PART_IMAGES)):
            name = f"part-{number:05d}"
            table = done.load(name)
            if table is None:
                network = network or open_network(run, work.config.train.device)
                feed = Feed(ChosenImages(opened, rows), _device(network), config.feed)
                table = _as_table(_features(network, feed, config, bar))
                done.save(name, table)
            else:
                bar.update(len(rows))
            values = table["features"].combine_chunks()
            yield values.flatten().to_numpy().reshape(len(rows), -1)


@torch.inference_mode()
def _features(
    network: Network, feed: Feed, config: TrainConfig, bar: ProgressBar
) -> NDArray[np.float32]:
    parts = []
    for pixels, _ in feed.batches(chunks(len(feed.images.sha256), config.batch_size)):
        with autocast(pixels.device, config.precision):
            parts.append(network.features(as_floats(pixels)).float().cpu())
        bar.update(len(pixels))
    found: NDArray[np.float32] = torch.cat(parts).numpy()
    return found


def _device(network: Network) -> torch.device:
    return next(network.parameters()).device


def _as_table(features: NDArray[np.float32]) -> pa.Table:
    kind = pa.list_(pa.float32(), features.shape[1])
    return pa.table({"features": pa.FixedSizeListArray.from_arrays(features.ravel(), type=kind)})
