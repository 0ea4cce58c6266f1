"""rapidocr's networks on a GPU, in this process or in one that serves it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from webemo_curate.ocr.asking import Networks
from webemo_curate.ocr.batches import canvas_entries, crop_entries
from webemo_curate.ocr.pixels import Pixels
from webemo_curate.ocr.rapidocr.rapidocr_networks import (
    CHARACTERS,
    RECOGNITION_MODEL,
    Detection,
    Heatmap,
    Symbols,
    model_file,
)

if TYPE_CHECKING:
    from webemo_curate.ocr.device_network import NetworkFile
    from webemo_curate.ocr.rapidocr.torch_networks import DetectionNetwork, RecognitionNetwork


@dataclass(frozen=True)
class RapidDetectionFile:
    """The file of a detection network; a `NetworkFile`.

    Attributes
    ----------
    detection
        The network.
    batch_size
        Canvases of a common shape that run together.
    """

    detection: Detection
    batch_size: int

    def open(self, device: str) -> "DetectionNetwork":
        """Load it; see `NetworkFile.open`."""
        import torch

        from webemo_curate.ocr.rapidocr.torch_networks import DetectionNetwork

        return DetectionNetwork(self.detection, torch.device(device))

    def entries(self, shape: tuple[int, ...]) -> int:
        """Return how many canvases make a batch; see `NetworkFile.entries`."""
        return canvas_entries(shape, self.batch_size)


@dataclass(frozen=True)
class RapidRecognitionFile:
    """The file of the recognizer; a `NetworkFile`.

    Attributes
    ----------
    batch_size
        Crops of a common width that run together.
    """

    batch_size: int

    def open(self, device: str) -> "RecognitionNetwork":
        """Load it; see `NetworkFile.open`."""
        import torch

        from webemo_curate.ocr.rapidocr.torch_networks import RecognitionNetwork

        return RecognitionNetwork(torch.device(device))

    def entries(self, shape: tuple[int, ...]) -> int:
        """Return how many crops make a batch; see `NetworkFile.entries`."""
        return crop_entries(shape[1], self.batch_size)


def network_files(detection: Detection, batch_size: int) -> "Mapping[str, NetworkFile]":
    """Return the networks that a detector runs on a GPU, by name.

    Parameters
    ----------
    detection : Detection
        The detection network.
    batch_size : int
        Canvases, and crops, that run together.

    Returns
    -------
    Mapping of str to NetworkFile
        The detection network and the recognizer.
    """
    return {
        detection.file: RapidDetectionFile(detection, batch_size),
        RECOGNITION_MODEL: RapidRecognitionFile(batch_size),
    }


class GpuNetworks:
    """Both networks, in whichever process they run; implements `RapidOcrNetworks`.

    Parameters
    ----------
    detection : Detection
        The detection network.
    networks : Networks
        Runs it and the recognizer.
    """

    def __init__(self, detection: Detection, networks: Networks) -> None:
        self._detection, self._networks = detection, networks

    @property
    def characters(self) -> list[str]:
        """The recognizer's alphabet."""
        import onnx

        model = onnx.load(str(model_file(RECOGNITION_MODEL)))
        (letters,) = [entry.value for entry in model.metadata_props if entry.key == CHARACTERS]
        return list(letters.splitlines())

    def heatmaps(self, canvases: Sequence[Pixels]) -> list[Heatmap | None]:
        """Score pixels; see `RapidOcrNetworks.heatmaps`."""
        found = self._networks.ask(self._detection.file, canvases)
        return [None if answer is None else answer[0][None] for answer in found]

    def symbols(self, crops: Sequence[Pixels]) -> list[Symbols]:
        """Read crops; see `RapidOcrNetworks.symbols`."""
        found = self._networks.ask(RECOGNITION_MODEL, crops)
        return [(answer[0], answer[1]) for answer in found if answer is not None]
