"""Find EasyOCR's weight files, check that they are the published ones, and load them safely.

EasyOCR's own loader unpickles whatever the file holds, and deletes a file whose checksum differs.
Here a file is only read: it is checked by MD5, then loaded as tensors only.
"""

import os
import pickle
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from webemo_curate.errors import InputError
from webemo_curate.machine import home_folder
from webemo_curate.remedies import typed
from webemo_curate.rooted import regular_digest
from webemo_curate.system_faults import raise_system_fault

RELEASES = "https://github.com/JaidedAI/EasyOCR/releases/download"


@dataclass(frozen=True)
class WeightFile:
    """A published weight file.

    Attributes
    ----------
    name
        File name.
    md5
        Its MD5, in hex, from easyocr's config.py.
    url
        URL of the archive that holds it.
    """

    name: str
    md5: str
    url: str


DETECTION = WeightFile(
    "craft_mlt_25k.pth",
    "2f8227d2def4037cdb3b34389dcf9ec1",
    f"{RELEASES}/pre-v1.1.6/craft_mlt_25k.zip",
)
RECOGNITION = WeightFile(
    "english_g2.pth", "5864788e1821be9e454ec108d61b887d", f"{RELEASES}/v1.3/english_g2.zip"
)


PUBLISHED = (DETECTION, RECOGNITION)


def find_weights(folder: Path | None) -> tuple[Path, Path] | None:
    """Find both files by name, without checking them.

    Parameters
    ----------
    folder : Path, optional
        The only folder to look in; by default EasyOCR's own folders.

    Returns
    -------
    (Path, Path) or None
        Detection and recognition network; None unless both exist.
    """
    detection, recognition = (_first(weights, folder) for weights in PUBLISHED)
    return (detection, recognition) if detection and recognition else None


def require_weights(folder: Path | None) -> tuple[Path, Path]:
    """Find both files, or raise; see `find_weights`.

    Raises
    ------
    InputError
        If one is missing; the message says where to get it and where to put it.
    """
    found = find_weights(folder)
    if found is None:
        missing = next(weights for weights in PUBLISHED if _first(weights, folder) is None)
        places = " or ".join(str(place) for place in _places(folder))
        raise InputError(
            f"{missing.name}: EasyOCR's weight file is not in {places}; run "
            f"'{typed(f'get-weights easyocr{_named(folder)}')}' (or download {missing.url} and "
            "unpack it there), or name the folder that holds it with --models"
        )
    return found


def check(path: Path, weights: WeightFile) -> None:
    """Check that a file is the published one; it is read, never changed.

    Parameters
    ----------
    path : Path
        The file.
    weights : WeightFile
        The published file.

    Raises
    ------
    InputError
        If it cannot be read or its MD5 differs.
    """
    found = regular_digest(path, algorithm="md5")
    if found != weights.md5:
        raise InputError(
            f"{path}: not EasyOCR's {weights.name}: MD5 {found}, published "
            f"{weights.md5}; download {weights.url} again and replace the file"
        )


def load_tensors(path: Path) -> dict[str, Any]:
    """Load a state dictionary without running code that the file may hold.

    Parameters
    ----------
    path : Path
        A file written by `torch.save`.

    Returns
    -------
    dict of str to torch.Tensor
        Tensors on the CPU by parameter name, without a leading `module.`.

    Raises
    ------
    InputError
        If it is truncated or holds anything but tensors.
    """
    import torch

    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
        return {name.removeprefix("module."): tensor for name, tensor in state.items()}
    except (pickle.UnpicklingError, AttributeError, EOFError, OSError, RuntimeError) as error:
        raise_system_fault(error, str(path))
        reason = str(error).partition("\n")[0]
        raise InputError(
            f"{path}: holds no network weights, or more than weights ({reason}); "
            "download it again and replace the file"
        ) from error


def first_place() -> Path:
    """Return where EasyOCR itself would put a file."""
    return next(_places(None))


def _named(folder: Path | None) -> str:
    """Return the option that names a folder."""
    return "" if folder is None else f" --models {shlex.quote(str(folder))}"


def _first(weights: WeightFile, folder: Path | None) -> Path | None:
    paths = (place / weights.name for place in _places(folder))
    return next((path for path in paths if path.is_file()), None)


def _places(folder: Path | None) -> Iterator[Path]:
    """Yield the given folder, or else those that EasyOCR would use."""
    if folder is not None:
        yield folder
        return
    named = os.environ.get("EASYOCR_MODULE_PATH") or os.environ.get("MODULE_PATH")
    if named:
        yield Path(named) / "model"
    yield home_folder() / ".EasyOCR" / "model"
