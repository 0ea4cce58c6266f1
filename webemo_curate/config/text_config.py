"""Settings for finding text, and for deciding when an image bears text."""

from typing import Literal

from webemo_curate.config.settings import AbsolutePath, Flag, StageConfig, setting

DETECTION, RULE = "How text is found", "What counts as text"


class OcrConfig(StageConfig):
    """How text is found; read by the `ocr` stage."""

    engine: Literal["auto", "rapidocr", "easyocr"] = setting(
        "auto",
        flag=Flag("--ocr", panel=DETECTION, old_name="--engine"),
        description="OCR engine; auto takes EasyOCR if a GPU and its weights are there.",
    )
    device: Literal["auto", "cpu", "gpu"] = setting(
        "auto",
        flag=Flag("--gpu/--cpu", panel=DETECTION, switch={True: "gpu", False: "cpu"}),
        description="Device of the networks; default: a GPU if there is one.",
    )
    short_side: int = setting(
        416,
        ge=32,
        flag=Flag(panel=DETECTION),
        description="Pixels that an image's short side is scaled to before text is looked for.",
    )
    second_side: int | None = setting(
        None,
        ge=32,
        flag=Flag(panel=DETECTION),
        description="Look a second time, at this short side, where the first look found no text "
        "that counts.",
    )
    drawn: bool = setting(
        True,
        flag=Flag("--drawn/--no-drawn", panel=DETECTION),
        description="Where no text that counts was found, look for words drawn over the photo: "
        "captions, watermarks.",
    )
    score_floor: float = setting(0.3, ge=0, le=1, description="Least score of stored boxes.")
    models: AbsolutePath | None = setting(
        None,
        operational=True,
        flag=Flag(panel=DETECTION),
        description="Folder of EasyOCR's weight files.",
    )
    frames: int = setting(
        8,
        ge=1,
        flag=Flag(panel=DETECTION),
        description="Frames of an animation, evenly spaced, that are looked at for text.",
    )
    batch_size: int = setting(
        8,
        operational=True,
        ge=1,
        flag=Flag(panel=DETECTION),
        description="Images of the most common shapes that a GPU takes at a time; fewer of others.",
    )
    partition_rows: int = setting(
        128, operational=True, ge=1, description="Images that a worker gets at a time."
    )


class TextRuleConfig(StageConfig):
    """When an image counts as bearing text; read by the `text` stage."""

    preset: Literal["strict", "balanced", "lenient"] = setting(
        "balanced",
        flag=Flag(panel=RULE),
        description="What makes an image bear text. strict: any hint of it; balanced: words that "
        "are read surely, again where the box is moved a little, or a line of letters that two "
        "networks find; lenient: sure and large words alone, so that more images stay.",
    )
    threshold: float | None = setting(
        None,
        ge=0,
        le=1,
        flag=Flag(panel=RULE),
        description="Confidence of the first reading from which a word counts, 0 to 1, in place "
        "of all that the preset asks of it.",
    )
    min_area: float | None = setting(
        None,
        ge=0,
        le=1,
        flag=Flag(panel=RULE),
        description="Fraction of the image, 0 to 1, that the words that count must cover; "
        "default: the preset's (lenient 0.01, else none).",
    )


class FilterTextConfig(TextRuleConfig, OcrConfig):
    """The section of both stages, `filter_text`; each stage receives its own half."""

    @property
    def ocr(self) -> OcrConfig:
        """The settings for finding text."""
        return OcrConfig.model_validate(self.model_dump(include={*OcrConfig.model_fields}))

    @property
    def rule(self) -> TextRuleConfig:
        """The settings for deciding when an image bears text."""
        return TextRuleConfig.model_validate(
            self.model_dump(include={*TextRuleConfig.model_fields})
        )
