"""Compute a trained network's probabilities for a set of images."""

from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.special import softmax
from sklearn.metrics import log_loss

from webemo_curate.config import TrainConfig
from webemo_curate.dataset.labeled_images import chunks
from webemo_curate.dataset.prefetch import Feed
from webemo_curate.errors import InputError
from webemo_curate.evaluation.metrics import answers, area_under_roc
from webemo_curate.models.precision import as_floats, autocast
from webemo_curate.models.pretrained import read_weights
from webemo_curate.models.registry import Network, build_network
from webemo_curate.progress import ProgressBar
from webemo_curate.runs import LogEntry
from webemo_curate.system_faults import raise_system_fault
from webemo_curate.verdicts import BINARY


def load_network(
    path: Path, config: TrainConfig, device: torch.device, classes: int = BINARY
) -> Network:
    """Build a run's network with its stored weights.

    Parameters
    ----------
    path : Path
        The run's weights.
    config : TrainConfig
        The run's configuration.
    device : torch.device
        The device to compute on.
    classes : int, default 2
        Number of classes of the run.

    Returns
    -------
    Network
        In evaluation mode.

    Raises
    ------
    InputError
        If the file does not hold this network's weights.
    """
    network = build_network(config, classes)
    try:
        network.load_state_dict(read_weights(path))
    except RuntimeError as error:
        raise_system_fault(error, str(path))
        raise InputError(f"{path}: not weights of this run's network; train it again") from error
    return network.to(device).eval()


@torch.inference_mode()
def predict_logits(network: Network, feed: Feed, config: TrainConfig) -> NDArray[np.float32]:
    """Return the network's logits for all images of a set.

    Parameters
    ----------
    network : Network
        Set to evaluation mode.
    feed : Feed
        The images, on the network's device.
    config : TrainConfig
        Batch size and precision.

    Returns
    -------
    ndarray of float32, shape (images, classes)
        Logits.
    """
    network.eval()
    count = len(feed.images.sha256)
    parts = []
    with ProgressBar(count, "predict", "image") as bar:
        for pixels, _ in feed.batches(chunks(count, config.batch_size)):
            with autocast(pixels.device, config.precision):
                parts.append(network(as_floats(pixels)))
            bar.update(len(pixels))
    empty = np.empty((0, network.output.out_features), np.float32)
    return torch.cat(parts).cpu().numpy() if parts else empty


def probabilities(logits: NDArray[np.float32]) -> NDArray[np.float64]:
    """Return the softmax of the logits.

    Parameters
    ----------
    logits : ndarray of float32, shape (images, classes)
        A network's output.

    Returns
    -------
    ndarray of float64
        For two classes the second class's probability, shape (images,); for more, each class's,
        shape (images, classes).
    """
    if logits.shape[1] > BINARY:
        several: NDArray[np.float64] = softmax(logits.astype(np.float64), axis=1)
        return several
    gap = logits[:, 0].astype(np.float64) - logits[:, 1]
    result: NDArray[np.float64] = 1 / (1 + np.exp(gap))
    return result


def each_class(probability: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return a column for each class, also of two, of which `probabilities` gives one number.

    Parameters
    ----------
    probability : ndarray of float64
        From `probabilities`.

    Returns
    -------
    ndarray of float64, shape (images, classes)
        Each class's probability.
    """
    if probability.ndim > 1:
        return probability
    return np.column_stack([1 - probability, probability])


def validation_figures(target: NDArray[np.int64], probability: NDArray[np.float64]) -> LogEntry:
    """Return the figures that the log records for an epoch on validation.

    Parameters
    ----------
    target : ndarray of int64, shape (images,)
        Class numbers.
    probability : ndarray of float64
        As returned by `probabilities`.

    Returns
    -------
    dict of str to float or None
        `val_loss` (mean cross-entropy), `val_accuracy` and `val_auc` (for more than two classes the
        mean of each against the rest); None if the images do not define a figure.
    """
    if not len(target):
        return {"val_loss": None, "val_accuracy": None, "val_auc": None}
    classes = probability.shape[1] if probability.ndim > 1 else BINARY
    return {
        "val_loss": float(log_loss(target, probability, labels=[*range(classes)])),
        "val_accuracy": float(np.mean(answers(probability) == target)),
        "val_auc": area_under_roc(target, probability),
    }
