"""Which text engine runs, on what, and why."""

from dataclasses import dataclass
from typing import Literal

from webemo_curate.config import FilterTextConfig
from webemo_curate.errors import InputError
from webemo_curate.ocr import rapid
from webemo_curate.ocr.base import TextDetector
from webemo_curate.ocr.weights import require_weights


@dataclass(frozen=True)
class EngineChoice:
    """A resolved engine.

    Attributes
    ----------
    engine
        Name of the engine.
    device
        Where its networks run.
    reason
        Why, for the user.
    """

    engine: Literal["rapidocr"]
    device: Literal["cpu"]
    reason: str

    @property
    def version(self) -> str:
        """Version of the engine and its networks."""
        return rapid.engine_version()


def choose_engine(config: FilterTextConfig) -> EngineChoice:
    """Resolve `auto`.

    Parameters
    ----------
    config : FilterTextConfig
        Engine, device and the folder of weight files.

    Returns
    -------
    EngineChoice
        What will run.

    Raises
    ------
    InputError
        If what is asked for cannot be had here.
    """
    if config.engine == "easyocr":
        require_weights(config.models)
        raise InputError("engine easyocr: not in this version; leave --engine out for rapidocr")
    if config.device == "gpu":
        raise InputError("device gpu: rapidocr runs on the CPU; leave --gpu out")
    return EngineChoice("rapidocr", "cpu", "the engine for CPUs")


def make_detector(config: FilterTextConfig, choice: EngineChoice) -> TextDetector:  # noqa: ARG001
    """Build the detector of a choice, not yet set up.

    Parameters
    ----------
    config : FilterTextConfig
        Size, score floor, batch size, weight files.
    choice : EngineChoice
        What `choose_engine` returned for it.

    Returns
    -------
    TextDetector
        Picklable; loads nothing before its `setup`.
    """
    return rapid.RapidDetector(config.short_side, config.score_floor)
