"""EasyOCR's English recognizer: the network on a device, and the reader of lines that calls it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from easyocr.config import recognition_models
from easyocr.model.vgg_model import Model
from easyocr.recognition import AlignCollate, custom_mean
from easyocr.utils import CTCLabelConverter, get_image_list
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor, nn

from webemo_curate.errors import InputError
from webemo_curate.ocr.asking import Answer, Item, Networks
from webemo_curate.ocr.easyocr.craft import Line
from webemo_curate.ocr.graphed import Outputs
from webemo_curate.system_faults import raise_system_fault

CHARACTERS = recognition_models["gen2"]["english_g2"]["characters"]
CROP_HEIGHT = 64
LAYERS = {"input_channel": 1, "output_channel": 256, "hidden_size": 256}
"""Layer sizes of the published recognizer (easyocr.py, generation2)."""

UNSURE = 0.1
CONTRAST = 0.5
"""Threshold and contrast of EasyOCR's second reading: crops read with less confidence are read
again with more contrast."""

WIDEST_CROP = 2048
"""Most pixels of a crop's width; longer lines are squeezed, so that one crop cannot fill the
memory."""


@dataclass(frozen=True)
class Crop:
    """A line cut out of its image.

    Attributes
    ----------
    image
        Mode L, `CROP_HEIGHT` pixels high.
    width
        Width to pad to: the next multiple of the height, as EasyOCR pads single crops. It depends
        only on the crop, and so does the text read.
    """

    image: Image.Image
    width: int


class LineNetwork:
    """The recognizer on one device; a `DeviceNetwork`.

    It computes in single precision, because half precision corrupts its LSTM. Its input is float32
    (1, 64, width). An answer is float32 (step,), the largest probability of each step, and int64
    (step,), the index of its character.

    Parameters
    ----------
    state : Mapping of str to Tensor
        The weights as published by EasyOCR.
    device : torch.device
        The device to run on.

    Raises
    ------
    InputError
        If the weights belong to another network.
    """

    def __init__(self, state: Mapping[str, Tensor], device: torch.device) -> None:
        network = Model(num_class=len(CHARACTERS) + 1, **LAYERS)
        try:
            network.load_state_dict(state)
        except RuntimeError as error:
            raise_system_fault(error)
            raise InputError(f"the recognition weights are not english_g2's: {error}") from error
        self._network = network.eval().to(device)
        _flatten_once(self._network)

    def run(self, batch: Tensor) -> Outputs:
        """Return the largest probabilities and their indices; see `DeviceNetwork.run`."""
        probabilities, labels = self._network(batch, None).softmax(2).max(2)
        return probabilities, labels

    def answers(self, outputs: Sequence[NDArray[Any]]) -> list[Answer]:
        """Split the outputs; see `DeviceNetwork.answers`."""
        return list(zip(*outputs, strict=True))


class LineReader:
    """Reads lines with the recognizer, in whichever process it runs.

    Parameters
    ----------
    networks : Networks
        The networks, one of which is the recognizer.
    name : str
        Its name among them.
    """

    def __init__(self, networks: Networks, name: str) -> None:
        self._converter = CTCLabelConverter(CHARACTERS)
        self._networks, self._name = networks, name

    def read(self, crops: Sequence[Crop]) -> list[tuple[str, float]]:
        """Read lines, faint ones twice.

        Parameters
        ----------
        crops : Sequence of Crop
            Lines of any images.

        Returns
        -------
        list of (str, float)
            Text and confidence of each line.
        """
        read = self._read_at(crops, contrast=0.0)
        unsure = [index for index, (_, confidence) in enumerate(read) if confidence < UNSURE]
        again = self._read_at([crops[index] for index in unsure], contrast=CONTRAST)
        for index, second in zip(unsure, again, strict=True):
            read[index] = max(read[index], second, key=lambda reading: reading[1])
        return read

    def _read_at(self, crops: Sequence[Crop], contrast: float) -> list[tuple[str, float]]:
        found = self._networks.ask(self._name, [_input(crop, contrast) for crop in crops])
        return [self._spelled(*answer) for answer in found if answer is not None]

    def _spelled(
        self, probabilities: NDArray[np.float32], labels: NDArray[np.int64]
    ) -> tuple[str, float]:
        (text,) = self._converter.decode_greedy(labels, [len(labels)])
        return text.strip(), _confidence(probabilities[labels > 0])


def _input(crop: Crop, contrast: float) -> Item:
    """Return a crop as the network's input: float32, (1, 64, width)."""
    collate = AlignCollate(CROP_HEIGHT, crop.width, adjust_contrast=contrast)
    padded: Item = collate([crop.image])[0].numpy()
    return padded


def _flatten_once(network: nn.Module) -> None:
    """Arrange the LSTMs' weights for cuDNN once; EasyOCR would do it at each call."""
    for part in network.modules():
        if isinstance(part, nn.LSTM):
            part.flatten_parameters()
            part.flatten_parameters = lambda: None  # type: ignore[method-assign]


def cut_line(gray: NDArray[np.uint8], line: Line) -> Crop | None:
    """Cut a line out of an image, upright and at the recognizer's height.

    Parameters
    ----------
    gray : numpy.ndarray
        uint8, (height, width).
    line : Line
        The line to cut.

    Returns
    -------
    Crop or None
        None if no part of the line is inside the image.
    """
    xs, ys = line.corners[:, 0].astype(int), line.corners[:, 1].astype(int)
    bounds = [xs.min(), xs.max(), ys.min(), ys.max()]
    height, width = gray.shape
    inside = min(bounds[1], width) > max(bounds[0], 0) and min(bounds[3], height) > max(
        bounds[2], 0
    )
    if not inside:
        return None
    upright, slanted = ([bounds], []) if line.upright else ([], [line.corners])
    cut, padded = get_image_list(upright, slanted, gray, model_height=CROP_HEIGHT)
    if not cut:
        return None
    return Crop(Image.fromarray(cut[0][1]), min(padded, WIDEST_CROP))


def _confidence(probabilities: NDArray[np.float32]) -> float:
    """Return EasyOCR's confidence of a line, from its characters' probabilities; 0 without any."""
    return float(custom_mean(probabilities)) if len(probabilities) else 0.0
