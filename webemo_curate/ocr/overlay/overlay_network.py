"""The network that finds words drawn over photos, trained by tools/overlay_text."""

from pathlib import Path

from webemo_curate.ocr.rapidocr.rapidocr_networks import Detection

OVERLAY_TEXT = Detection(
    "drawn_words_2.onnx",
    (0.5, 0.5, 0.5),
    (0.25, 0.25, 0.25),
    unclip_ratio=1.3,
    folder=Path(__file__).parent,
)
"""The ratio at which its boxes are read best (docs/text.md)."""
