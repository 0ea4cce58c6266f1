"""EasyOCR's English recognizer: the network on a device, and what asks it about lines."""

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
"""The published recognizer's shape (easyocr.py, generation2)."""

UNSURE = 0.1
CONTRAST = 0.5
"""EasyOCR's second look: crops read with less confidence are read again at this contrast."""

WIDEST_CROP = 2048
"""Pixels; a longer line is squeezed, so that one crop cannot fill the memory."""


@dataclass(frozen=True)
class Crop:
    """A line cut out of its image.

    Attributes
    ----------
    image
        Mode L, `CROP_HEIGHT` high.
    width
        Width to pad to: the next multiple of the height, as EasyOCR pads single crops. It depends
        on the crop alone, so what is read does too.
    """

    image: Image.Image
    width: int


class LineNetwork:
    """The recognizer on one device; a `DeviceNetwork`.

    It computes in single precision, for half corrupts its LSTM. It takes crops, float32 (1, 64,
    width); an answer is float32 (step,), the largest probability of each step, and int64 (step,),
    whose it is.

    Parameters
    ----------
    state : Mapping of str to Tensor
        Its weights, as EasyOCR publishes them.
    device : torch.device
        Where it runs.

    Raises
    ------
    InputError
        If the weights are another network's.
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
        """Return probabilities and whose they are; see `DeviceNetwork.run`."""
        probabilities, labels = self._network(batch, None).softmax(2).max(2)
        return probabilities, labels

    def answers(self, outputs: Sequence[NDArray[Any]]) -> list[Answer]:
        """Take outputs apart; see `DeviceNetwork.answers`."""
        return list(zip(*outputs, strict=True))


class LineReader:
    """Reads lines by the recognizer, wherever it runs.

    Parameters
    ----------
    networks : Networks
        What runs it.
    name : str
        What it is called there.
    """

    def __init__(self, networks: Networks, name: str) -> None:
        self._converter = CTCLabelConverter(CHARACTERS)
        self._networks, self._name = networks, name

    def read(self, crops: Sequence[Crop]) -> list[tuple[str, float]]:
        """Read lines; the faint ones twice.

        Parameters
        ----------
        crops : Sequence of Crop
            From any images.

        Returns
        -------
        list of (str, float)
            Text and confidence of each.
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
    """Return a crop as the network takes it: float32, (1, 64, width)."""
    collate = AlignCollate(CROP_HEIGHT, crop.width, adjust_contrast=contrast)
    padded: Item = collate([crop.image])[0].numpy()
    return padded


def _flatten_once(network: nn.Module) -> None:
    """Lay the weights of its LSTMs out for cuDNN, once: EasyOCR would do it anew at each call."""
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
        Where it lies.

    Returns
    -------
    Crop or None
        None if nothing of the line is inside the image.
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
    """Return EasyOCR's confidence of a line from those of its characters; 0 without any."""
    return float(custom_mean(probabilities)) if len(probabilities) else 0.0
