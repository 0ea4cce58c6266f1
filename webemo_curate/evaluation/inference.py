"""Probabilities of a trained network for a set of images."""

from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.metrics import log_loss, roc_auc_score

from webemo_curate.config import TrainConfig
from webemo_curate.dataset.labeled_images import chunks
from webemo_curate.dataset.prefetch import Feed
from webemo_curate.errors import InputError
from webemo_curate.models.precision import as_floats, autocast
from webemo_curate.models.pretrained import read_weights
from webemo_curate.models.registry import Network, build_network
from webemo_curate.progress import progress_bar
from webemo_curate.runs import LogEntry
from webemo_curate.system_faults import raise_system_fault

CLASSES = 2
THRESHOLD = 0.5


def load_network(path: Path, config: TrainConfig, device: torch.device) -> Network:
    """Build a run's network with stored weights.

    Parameters
    ----------
    path : Path
        The run's weights.
    config : TrainConfig
        The run's configuration.
    device : torch.device
        Where it is to compute.

    Returns
    -------
    Network
        In evaluation mode.

    Raises
    ------
    InputError
        If the file does not hold this network's weights.
    """
    network = build_network(config)
    try:
        network.load_state_dict(read_weights(path))
    except RuntimeError as error:
        raise_system_fault(error, str(path))
        raise InputError(f"{path}: not weights of this run's network; train it again") from error
    return network.to(device).eval()


@torch.inference_mode()
def predict_logits(network: Network, feed: Feed, config: TrainConfig) -> NDArray[np.float32]:
    """Return the network's answers for all images of a set.

    Parameters
    ----------
    network : Network
        Put into evaluation mode.
    feed : Feed
        The images, on the network's device.
    config : TrainConfig
        Batch size and precision.

    Returns
    -------
    ndarray of float32, shape (images, 2)
        Logits of the other and the positive class.
    """
    network.eval()
    count = len(feed.images.sha256)
    parts = []
    with progress_bar(count, "predict", "image") as bar:
        for pixels, _ in feed.batches(chunks(count, config.batch_size)):
            with autocast(pixels.device, config.precision):
                parts.append(network(as_floats(pixels)))
            bar.update(len(pixels))
    return torch.cat(parts).cpu().numpy() if parts else np.empty((0, 2), np.float32)


def probabilities(logits: NDArray[np.float32]) -> NDArray[np.float64]:
    """Return the softmax of the second logit; shape (images, 2) to (images,)."""
    gap = logits[:, 0].astype(np.float64) - logits[:, 1]
    result: NDArray[np.float64] = 1 / (1 + np.exp(gap))
    return result


def binary_figures(target: NDArray[np.int64], probability: NDArray[np.float64]) -> LogEntry:
    """Return what the log says of an epoch on validation.

    Parameters
    ----------
    target : ndarray of int64, shape (images,)
        1 positive, 0 others.
    probability : ndarray of float64, shape (images,)
        Of the positive class.

    Returns
    -------
    dict of str to float or None
        `val_loss` (mean cross-entropy), `val_accuracy` at 0.5 and `val_auc`; None where the
        images do not define a figure.
    """
    if not len(target):
        return {"val_loss": None, "val_accuracy": None, "val_auc": None}
    both = len(np.unique(target)) == CLASSES
    return {
        "val_loss": float(log_loss(target, probability, labels=[0, 1])),
        "val_accuracy": float(np.mean((probability >= THRESHOLD) == target)),
        "val_auc": float(roc_auc_score(target, probability)) if both else None,
    }
