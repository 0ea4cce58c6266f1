"""Networks of random weights in EasyOCR's file format: small work for tests, no download."""

import hashlib
import sys
from pathlib import Path

import torch
from easyocr import Reader
from easyocr.craft import CRAFT
from easyocr.detection import get_detector, get_textbox
from easyocr.model.vgg_model import Model
from easyocr.recognition import get_recognizer

from webemo_curate.ocr.easyocr.line_recognizer import CHARACTERS, LAYERS
from webemo_curate.ocr.easyocr.weight_files import DETECTION, RECOGNITION, WeightFile

LOUDNESS = 40.0
OFFSET = -0.4
"""Applied to CRAFT's last layer: they make random heatmaps cross the thresholds here and there."""


def write_weights(folder: Path) -> tuple[tuple[Path, Path], tuple[WeightFile, WeightFile]]:
    """Write both files; return their paths and what they must be."""
    torch.manual_seed(0)
    craft = CRAFT()
    craft.conv_cls[-1].weight.data *= LOUDNESS
    craft.conv_cls[-1].bias.data += OFFSET
    reader = Model(num_class=len(CHARACTERS) + 1, **LAYERS)
    paths = folder / DETECTION.name, folder / RECOGNITION.name
    for path, network in zip(paths, (craft, reader), strict=True):
        # EasyOCR's files were saved from DataParallel, which puts 'module.' before every name.
        torch.save({f"module.{k}": v for k, v in network.state_dict().items()}, path)
    detection, recognition = (
        WeightFile(path.name, hashlib.md5(path.read_bytes()).hexdigest(), "a test")
        for path in paths
    )
    return paths, (detection, recognition)


def open_reader(detection: Path, recognition: Path, device: str) -> Reader:
    """Return EasyOCR's own reader around any weights; its constructor insists on the published."""
    reader = Reader.__new__(Reader)
    reader.device = device
    reader.get_textbox = get_textbox
    reader.detector = get_detector(detection, device, quantize=False)
    reader.recognizer, reader.converter = get_recognizer(
        "generation2", LAYERS, CHARACTERS, {}, {}, recognition, device, quantize=False
    )
    reader.character, reader.lang_char, reader.model_lang = CHARACTERS, CHARACTERS, "english"
    return reader


if __name__ == "__main__":
    write_weights(Path(sys.argv[1]))
