"""Networks of random weights in EasyOCR's file format: small work for tests, no download."""

import hashlib
from pathlib import Path

import torch
from easyocr.craft import CRAFT
from easyocr.model.vgg_model import Model

from webemo_curate.ocr.lines import CHARACTERS, LAYERS
from webemo_curate.ocr.weights import DETECTION, RECOGNITION, WeightFile

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
