"""Choose the text engine and its device, and give the reason."""

import ctypes
import sys
from dataclasses import dataclass

from webemo_curate.config import OcrConfig
from webemo_curate.errors import InputError
from webemo_curate.ocr.detector import Device
from webemo_curate.ocr.easyocr import easyocr_detector as easy
from webemo_curate.ocr.easyocr.weight_files import find_weights, require_weights
from webemo_curate.ocr.rapidocr import rapidocr_detector as rapid
from webemo_curate.remedies import typed
from webemo_curate.system_faults import raise_system_fault

NO_CUDA = (
    "--gpu: torch finds no CUDA device here ({reason}); install a CUDA build of torch and a driver "
    "that fits it, or leave --gpu out"
)

ON_NODES = "; a cluster's are used with --gpu"
"""Appended if the workers run on other machines than this one."""

SLOW = ": it will be slow"

NO_WEIGHTS = (
    "a GPU is there and EasyOCR's weight files are not ('{command}' brings them): "
    "rapidocr's networks run on it"
)

DRIVER = "nvcuda.dll" if sys.platform == "win32" else "libcuda.so.1"
"""Library of the driver that every CUDA program needs."""


@dataclass(frozen=True)
class EngineChoice:
    """The chosen engine.

    Attributes
    ----------
    engine
        `rapidocr` or `easyocr`.
    device
        The device that runs its networks.
    version
        Version of the engine and its networks.
    reason
        The reason, for the user.
    """

    engine: str
    device: Device
    version: str
    reason: str


def choose_engine(config: OcrConfig, *, elsewhere: bool = False) -> EngineChoice:
    """Resolve `auto`; torch is imported only if a GPU could be used.

    Parameters
    ----------
    config : OcrConfig
        Engine, device and the folder of weight files.
    elsewhere : bool, default False
        Whether the work runs on other machines than this one. A requested GPU is then theirs, and
        `auto` takes one only if this machine has one too.

    Returns
    -------
    EngineChoice
        The engine and device that will run.

    Raises
    ------
    InputError
        If what is requested is not available: the CPU never silently replaces a GPU.
    """
    if config.engine == "easyocr":
        require_weights(config.models)
    device, why = _device(config, elsewhere)
    if config.engine == "rapidocr":
        return _rapidocr(device, f"it was asked for; {why}")
    if config.engine == "easyocr":
        return _easyocr(device, f"it was asked for; {why}{SLOW if device == 'cpu' else ''}")
    if device == "cpu":
        return _rapidocr(device, why)
    if find_weights(config.models) is None:
        return _rapidocr(device, NO_WEIGHTS.format(command=typed("get-weights easyocr")))
    return _easyocr(device, f"{why}, and so are EasyOCR's weight files")


def _device(config: OcrConfig, elsewhere: bool) -> tuple[Device, str]:
    """Return the device that runs the networks, and the reason."""
    if config.device == "cpu":
        return "cpu", "the CPU was asked for"
    if config.device == "gpu" and elsewhere:
        return "gpu", "the GPUs of the cluster are there"
    missing = missing_cuda()
    if missing is None:
        return "gpu", "a GPU is here"
    if config.device == "gpu":
        raise InputError(NO_CUDA.format(reason=missing))
    return "cpu", f"no GPU is here ({missing}){ON_NODES if elsewhere else ''}"


def _rapidocr(device: Device, reason: str) -> EngineChoice:
    return EngineChoice("rapidocr", device, rapid.engine_version(device), reason)


def _easyocr(device: Device, reason: str) -> EngineChoice:
    return EngineChoice("easyocr", device, easy.engine_version(device), reason)


def missing_cuda() -> str | None:
    """Return the reason why there is no CUDA device; None if there is one.

    Checking for a driver takes milliseconds. torch, which takes seconds to import, is asked only if
    there is a driver.
    """
    if not _driver_is_here():
        return "no NVIDIA driver"
    import torch

    if torch.cuda.is_available():
        return None
    return "this build of torch has no CUDA" if torch.version.cuda is None else "no device"


def _driver_is_here() -> bool:
    try:
        ctypes.CDLL(DRIVER)
    except OSError as error:
        raise_system_fault(error, DRIVER)
        return False
    return True
