"""Classify image files with a run, and show where its network looked."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image

from webemo_curate.config import DecodingConfig, TrainConfig
from webemo_curate.dataset.squares import read_named_squares, to_square
from webemo_curate.errors import InputError
from webemo_curate.evaluation.inference import each_class, load_network, probabilities
from webemo_curate.evaluation.metrics import answers
from webemo_curate.evaluation.predictions import check_numbers
from webemo_curate.imaging.color import picture_to_rgb
from webemo_curate.models.devices import choose_device
from webemo_curate.models.gradcam import class_activation
from webemo_curate.models.precision import as_floats
from webemo_curate.models.registry import Network
from webemo_curate.progress import ProgressBar
from webemo_curate.runs import LAST_FILE, load_classes, load_config
from webemo_curate.verdicts import BINARY

Source = str | Path | Image.Image
"""A picture to classify: its file, or the picture itself."""


@dataclass(frozen=True)
class Prediction:
    """The prediction for one image.

    Attributes
    ----------
    path
        Path of the file; None for a picture in memory.
    label
        The predicted class.
    probability
        Probability of the positive class; for more than two classes equal to `confidence`.
    confidence
        Probability of the predicted class.
    probabilities
        Probability of each class, by name.
    activation
        Where the network saw the predicted class, float32, shape (S, S), 0 to 1; None unless
        requested.
    """

    path: Path | None
    label: str
    probability: float
    confidence: float
    probabilities: dict[str, float]
    activation: NDArray[np.float32] | None = None

    @property
    def caption(self) -> str:
        """Predicted class and its probability, as a caption."""
        share = self.confidence * 100
        # 99.96 % rounded up would claim certainty.
        return f"{self.label} {share if share == 100 else min(share, 99.9):.1f} %"


def predict(
    run: Path,
    images: Sequence[Source],
    device: str = "auto",
    *,
    look: bool = False,
    max_pixels: int = DecodingConfig().max_pixels,
) -> list[Prediction]:
    """Classify pictures with the last epoch's weights.

    Parameters
    ----------
    run : Path
        The run's folder.
    images : sequence of str, Path or PIL.Image.Image
        Image files, or pictures in memory.
    device : {'auto', 'cpu', 'cuda'}
        The device to compute on.
    look : bool, default False
        Whether to show where the network saw the predicted class.
    max_pixels : int, optional
        Largest width times height decoded; by default that of `DecodingConfig`.

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


def open_network(run: Path, device: str | torch.device) -> Network:
    """Load a run's last weights onto a device, which is said if the user may choose it by name."""
    classes = len(load_classes(run))
    chosen = choose_device(device) if isinstance(device, str) else device
    return load_network(run / LAST_FILE, load_config(run), chosen, classes)


def classify(
    network: Network,
    run: Path,
    images: Sequence[Source],
    *,
    look: bool = False,
    max_pixels: int = DecodingConfig().max_pixels,
) -> list[Prediction]:
    """Classify pictures with a network loaded by `open_network`; see `predict`."""
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
        return _prediction(path, each_class(probability)[0], answer, classes, activation)

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
    each: NDArray[np.float64],
    answer: int,
    classes: Sequence[str],
    activation: NDArray[np.float32] | None,
) -> Prediction:
    """Build a prediction from each class's probability."""
    by_name = {name: float(own) for name, own in zip(classes, each, strict=True)}
    confidence = float(each[answer])
    positive = float(each[1]) if len(each) == BINARY else confidence
    return Prediction(path, classes[answer], positive, confidence, by_name, activation)


def _named(source: Source) -> str:
    return "in memory" if isinstance(source, Image.Image) else str(source)


def _square(source: "Source", config: TrainConfig, max_pixels: int) -> NDArray[np.uint8]:
    if isinstance(source, Image.Image):
        return to_square(picture_to_rgb(source), config)
    return read_named_squares([Path(source)], config, max_pixels)[0]
