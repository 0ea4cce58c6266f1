"""Classifying image files by a run, and telling where its network looked."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image

from webemo_curate.config import DecodingConfig, TrainConfig
from webemo_curate.dataset.squares import read_named_squares, to_square
from webemo_curate.errors import InputError
from webemo_curate.evaluation.inference import load_network, probabilities
from webemo_curate.evaluation.metrics import answers
from webemo_curate.evaluation.predictions import check_numbers
from webemo_curate.imaging.color import picture_to_rgb
from webemo_curate.models.devices import choose_device
from webemo_curate.models.gradcam import class_activation
from webemo_curate.models.precision import as_floats
from webemo_curate.models.registry import Network
from webemo_curate.progress import ProgressBar
from webemo_curate.runs import LAST_FILE, load_classes, load_config

Source = str | Path | Image.Image
"""A picture to classify: its file, or itself."""


@dataclass(frozen=True)
class Prediction:
    """The answer for one image.

    Attributes
    ----------
    path
        The file; None for a picture in memory.
    label
        Its class.
    probability
        Of the positive class; of several classes as `confidence`.
    confidence
        Of its own class.
    probabilities
        Of each class, by its name.
    activation
        Where the network saw its class, float32, shape (S, S), 0 to 1; None if not asked for.
    """

    path: Path | None
    label: str
    probability: float
    confidence: float
    probabilities: dict[str, float]
    activation: NDArray[np.float32] | None = None

    @property
    def caption(self) -> str:
        """Class and the class's own probability, for above a picture."""
        share = self.confidence * 100
        # Rounded up, 99.96 % would be the certainty that it is not.
        return f"{self.label} {share if share == 100 else min(share, 99.9):.1f} %"


def predict(
    run: Path,
    images: Sequence[Source],
    device: str = "auto",
    *,
    look: bool = False,
    max_pixels: int = DecodingConfig().max_pixels,
) -> list[Prediction]:
    """Classify pictures by the last epoch's weights.

    Parameters
    ----------
    run : Path
        The run's folder.
    images : sequence of str, Path or PIL.Image.Image
        Image files, or pictures in memory.
    device : {'auto', 'cpu', 'cuda'}
        Where it computes.
    look : bool, default False
        Also tell where the network saw the class it chose.
    max_pixels : int, optional
        Largest width times height that is decoded; default as `DecodingConfig` has it.

    Returns
    -------
    list of Prediction
        In the order given.

    Raises
    ------
    InputError
        If an image or the run cannot be read.
    """
    _check_there(images)
    network = open_network(run, device)
    return classify(network, run, images, look=look, max_pixels=max_pixels)


def open_network(run: Path, device: str) -> Network:
    """Load a run's last weights onto a device; see `predict`."""
    classes = len(load_classes(run))
    return load_network(run / LAST_FILE, load_config(run), choose_device(device), classes)


def classify(
    network: Network,
    run: Path,
    images: Sequence[Source],
    *,
    look: bool = False,
    max_pixels: int = DecodingConfig().max_pixels,
) -> list[Prediction]:
    """Classify pictures by a network that `open_network` loaded; see `predict`."""
    config, classes = load_config(run), load_classes(run)
    device = next(network.parameters()).device

    def one(source: Source) -> Prediction:
        square = torch.from_numpy(_square(source, config, max_pixels))[None].to(device)
        pixels = as_floats(square)
        with torch.inference_mode():
            logits = network(pixels).cpu().numpy()
        probability = probabilities(logits)
        check_numbers(probability, [_named(source)], run.name)
        answer = int(answers(probability)[0])
        activation = class_activation(network, pixels, answer) if look else None
        path = None if isinstance(source, Image.Image) else Path(source)
        return _prediction(path, probability[0], answer, classes, activation)

    predictions = []
    with ProgressBar(len(images), "predict", "image") as bar:
        for source in images:
            predictions.append(one(source))
            bar.update()
    return predictions


def _check_there(images: Sequence[Source]) -> None:
    for source in images:
        if not isinstance(source, Image.Image) and not Path(source).is_file():
            what = "is a folder; name its files" if Path(source).is_dir() else "no such image file"
            raise InputError(f"{source}: {what}")


def _prediction(
    path: Path | None,
    probability: Any,
    answer: int,
    classes: Sequence[str],
    activation: NDArray[np.float32] | None,
) -> Prediction:
    """Name the answer; `probability` is the positive class's, or an array of each class's."""
    each = [1 - probability, probability] if np.ndim(probability) == 0 else probability
    by_name = {name: float(own) for name, own in zip(classes, each, strict=True)}
    confidence = float(each[answer])
    positive = float(probability) if np.ndim(probability) == 0 else confidence
    return Prediction(path, classes[answer], positive, confidence, by_name, activation)


def _named(source: Source) -> str:
    return "in memory" if isinstance(source, Image.Image) else str(source)


def _square(source: "Source", config: TrainConfig, max_pixels: int) -> NDArray[np.uint8]:
    if isinstance(source, Image.Image):
        return to_square(picture_to_rgb(source), config)
    return read_named_squares([Path(source)], config, max_pixels)[0]
