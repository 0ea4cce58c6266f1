"""EasyOCR's English recognizer, run on crops of many images pooled by width."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from easyocr.config import recognition_models
from easyocr.model.vgg_model import Model
from easyocr.recognition import AlignCollate, custom_mean
from easyocr.utils import CTCLabelConverter, get_image_list
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from webemo_curate.errors import InputError
from webemo_curate.ocr.batches import map_batches, run_filled
from webemo_curate.ocr.easyocr.craft import Line
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


class LineReader:
    """The recognizer on one device, in single precision (half corrupts its LSTM).

    Parameters
    ----------
    state : Mapping of str to Tensor
        Its weights, as EasyOCR publishes them.
    device : torch.device
        Where it runs.
    batch_size : int
        Crops read together.

    Raises
    ------
    InputError
        If the weights are another network's.
    """

    def __init__(self, state: Mapping[str, Tensor], device: torch.device, batch_size: int) -> None:
        self._converter = CTCLabelConverter(CHARACTERS)
        network = Model(num_class=len(self._converter.character), **LAYERS)
        try:
            network.load_state_dict(state)
        except RuntimeError as error:
            raise_system_fault(error)
            raise InputError(f"the recognition weights are not english_g2's: {error}") from error
        self._network = network.eval().to(device)
        self._device = device
        self._batch_size = batch_size

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
        read = self._read_pooled(crops, contrast=0.0)
        unsure = [index for index, (_, confidence) in enumerate(read) if confidence < UNSURE]
        again = self._read_pooled([crops[index] for index in unsure], contrast=CONTRAST)
        for index, second in zip(unsure, again, strict=True):
            read[index] = max(read[index], second, key=lambda reading: reading[1])
        return read

    def _read_pooled(self, crops: Sequence[Crop], contrast: float) -> list[tuple[str, float]]:
        def read(batch: list[int]) -> list[tuple[str, float]]:
            images = [crops[index].image for index in batch]
            return self._read_batch(images, crops[batch[0]].width, contrast)

        return map_batches([crop.width for crop in crops], self._batch_size, read)

    @torch.inference_mode()
    def _read_batch(
        self, images: list[Image.Image], width: int, contrast: float
    ) -> list[tuple[str, float]]:
        collate = AlignCollate(CROP_HEIGHT, width, adjust_contrast=contrast)
        logits = run_filled(
            lambda crops: self._network(crops.to(self._device), None), collate(images)
        )
        probabilities, labels = logits.softmax(2).max(2)
        lengths = [labels.shape[1]] * len(images)
        texts = self._converter.decode_greedy(labels.flatten().cpu().numpy(), lengths)
        best, chosen = probabilities.cpu().numpy(), labels.cpu().numpy()
        return [
            (text.strip(), _confidence(row[label > 0]))
            for text, row, label in zip(texts, best, chosen, strict=True)
        ]


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
