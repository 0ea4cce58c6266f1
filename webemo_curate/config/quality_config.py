"""Settings for flagging pictures by quality, and for dropping flagged ones."""

from typing import Annotated, Any

from pydantic import BeforeValidator

from webemo_curate.config.settings import Flag, StageConfig, setting
from webemo_curate.verdicts import QualityFlag

RULE = "When a picture is flagged"


def _flags(given: Any) -> Any:
    """Read flags from one text with commas; `none` means no flag."""
    if not isinstance(given, str):
        return given
    names = [part.strip() for part in given.split(",") if part.strip()]
    return [] if names == ["none"] else names


Flags = Annotated[tuple[QualityFlag, ...], BeforeValidator(_flags)]
"""Several flags; also accepted as one text with commas."""


def _threshold(default: float, what: str) -> Any:
    """Declare the score below which a flag is set."""
    flag = Flag(panel=RULE)
    return setting(default, ge=0, le=1, flag=flag, description=f"Score below which {what}.")


class QualityRuleConfig(StageConfig):
    """What counts as a flaw of a picture; the first five defaults are cleanvision's."""

    drop: Flags = setting(
        (),
        flag=Flag(metavar="FLAG,..."),
        description="Flags for which pictures are dropped, such as 'dark,blurry': "
        f"{', '.join(QualityFlag)}; none: flags are only reported.",
    )
    dark: float = _threshold(0.32, "it is dark")
    light: float = _threshold(0.05, "it is light")
    blurry: float = _threshold(0.29, "it is blurry")
    low_information: float = _threshold(0.3, "it shows too little")
    odd_aspect_ratio: float = _threshold(0.35, "its shape is odd")
    colorless: float = _threshold(0.06, "it has no color, however it is stored")
    blank_borders: float = _threshold(0.9, "blank borders take up too much of it")
    blocky: float = _threshold(0.6, "JPEG's blocks stand out")
    size_ranges: float = setting(
        3.0,
        gt=0,
        flag=Flag(panel=RULE),
        description="Interquartile ranges beyond the quartiles of all sizes from which a size is "
        "odd.",
    )
