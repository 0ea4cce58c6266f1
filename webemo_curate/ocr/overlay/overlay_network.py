"""The network that finds words drawn over photos, fitted by tools/overlay_text."""

from pathlib import Path

from webemo_curate.ocr.rapidocr.rapidocr_networks import Detection

OVERLAY_TEXT = Detection(
    "drawn_words_2.onnx",
    (0.5, 0.5, 0.5),
    (0.25, 0.25, 0.25),
    unclip_ratio=1.3,
    folder=Path(__file__).parent,
)
"""What it finds is read most rightly at that ratio (docs/text.md)."""
