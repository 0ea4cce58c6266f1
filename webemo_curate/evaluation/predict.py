"""Classifying image files by a run, and telling where its network looked."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from webemo_curate.config import ImagesConfig
from webemo_curate.dataset.packing import read_square
from webemo_curate.evaluation.inference import THRESHOLD, load_network, probabilities
from webemo_curate.models.devices import choose_device
from webemo_curate.models.gradcam import class_activation
from webemo_curate.models.precision import as_floats
from webemo_curate.runs import LAST_FILE, load_classes, load_config
from webemo_curate.storage.image_files import ImageFiles

FILES = ImageFiles(Path())
"""Reads files by the names a user gives them."""


@dataclass(frozen=True)
class Prediction:
    """The answer for one image.

    Attributes
    ----------
    path
        The file.
    label
        Its class.
    probability
        Of the positive class.
    confidence
        Of its own class.
    activation
        Where the network saw its class, float32, shape (S, S), 0 to 1; None if not asked for.
    """

    path: Path
    label: str
    probability: float
    confidence: float
    activation: NDArray[np.float32] | None = None

    @property
    def caption(self) -> str:
        """Class and the class's own probability, for under a picture."""
        return f"{self.label} {self.confidence:.0%}"


def predict(
    run: Path,
    images: Sequence[Path],
    device: str = "auto",
    *,
    look: bool = False,
    max_pixels: int = ImagesConfig().max_pixels,
) -> list[Prediction]:
    """Classify image files by the last epoch's weights.

    Parameters
    ----------
    run : Path
        The run's folder.
    images : sequence of Path
        Image files.
    device : {'auto', 'cpu', 'cuda'}
        Where it computes.
    look : bool, default False
        Also tell where the network saw the class it chose.
    max_pixels : int, optional
        Largest width times height that is decoded; default that of the images stage.

    Returns
    -------
    list of Prediction
        In the order given.

    Raises
    ------
    InputError
        If an image or the run cannot be read.
    """
    config, classes = load_config(run), load_classes(run)
    chosen = choose_device(device)
    network = load_network(run / LAST_FILE, config, chosen)
    predictions = []
    for path in images:
        square = read_square(FILES, str(path), config, max_pixels)
        pixels = as_floats(torch.from_numpy(square)[None].to(chosen))
        with torch.inference_mode():
            logits = network(pixels).cpu().numpy()
        probability = float(probabilities(logits)[0])
        answer = int(probability >= THRESHOLD)
        confidence = probability if answer else 1 - probability
        activation = class_activation(network, pixels, answer) if look else None
        predictions.append(Prediction(path, classes[answer], probability, confidence, activation))
    return predictions
