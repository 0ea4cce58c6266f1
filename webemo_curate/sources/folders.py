"""Folders of images named by emotion, as UnbiasedEmo, Emotion-6 and Cornell's Emotion6 come."""

import hashlib
import logging
from pathlib import Path
from typing import Final

import pyarrow as pa

from webemo_curate.errors import InputError
from webemo_curate.sources.folder_walk import LeftOut, is_utf8, regular_files, shown
from webemo_curate.system_faults import raise_system_fault

EMOTIONS = frozenset({"anger", "disgust", "fear", "joy", "love", "sadness", "surprise"})
"""Folder names of the three sets together."""

OUTSIDE: Final = "outside the folders named by an emotion"

logger = logging.getLogger(__name__)


def read_folder(folder: Path, positive: str, left_out: LeftOut | None = None) -> pa.Table:
    """List a folder-per-emotion set.

    Parameters
    ----------
    folder : Path
        Holds folders named by emotion. What counts as a picture says `walk.regular_files`; one
        message tells what was taken and what was not.
    positive : str
        The emotion whose images have target 1.
    left_out : LeftOut, optional
        Gets what is not taken, for callers that show it elsewhere too.

    Returns
    -------
    pa.Table
        Columns `path` (relative to the folder), `sha256`, `target`, `label`; sorted by path.

    Raises
    ------
    InputError
        If there is no emotion folder, or no file in one.
    """
    left_out = LeftOut() if left_out is None else left_out
    files = []
    for file in _files(folder, left_out):
        parts = file.relative_to(folder).parts
        if len(parts) > 1 and parts[0].lower() in EMOTIONS:
            files.append(file)
        else:
            left_out.add(OUTSIDE, "/".join(parts))
    if not files:
        raise InputError(
            f"{folder}: holds no file in a folder named by an emotion "
            f"({', '.join(sorted(EMOTIONS))}){_tail(left_out)}"
        )
    _tell(folder, len(files), left_out)
    labels = [file.relative_to(folder).parts[0].lower() for file in files]
    return pa.table(
        {
            "path": [file.relative_to(folder).as_posix() for file in files],
            "sha256": [_digest(file) for file in files],
            "target": pa.array([int(label == positive) for label in labels], pa.int8()),
            "label": labels,
        }
    )


def list_pictures(folder: Path) -> pa.Table:
    """List every file below a folder, whatever its folders are named.

    Parameters
    ----------
    folder : Path
        Any folder; see `read_folder` for what is left out.

    Returns
    -------
    pa.Table
        Columns `path` (absolute) and `sha256`; sorted by path.

    Raises
    ------
    InputError
        If there is no file, or the folder's own path is not UTF-8: manifests could not name it.
    """
    if not is_utf8(str(folder.absolute())):
        raise InputError(
            f"{shown(str(folder.absolute()))}: its path is not UTF-8; rename the folder, or give "
            "a link to it that is"
        )
    left_out = LeftOut()
    files = _files(folder.absolute(), left_out)
    if not files:
        raise InputError(f"{folder}: holds no file; give a folder of images{_tail(left_out)}")
    _tell(folder, len(files), left_out)
    return pa.table(
        {"path": [str(file) for file in files], "sha256": [_digest(file) for file in files]}
    )


def _files(folder: Path, left_out: LeftOut) -> list[Path]:
    try:
        return regular_files(folder, left_out)
    except OSError as error:
        raise_system_fault(error, str(folder))
        raise InputError(f"{shown(str(folder))}: cannot be read: {error.strerror}") from error


def _tell(folder: Path, taken: int, left_out: LeftOut) -> None:
    logger.info("%s: %d files are taken%s", shown(str(folder)), taken, _tail(left_out))


def _tail(left_out: LeftOut) -> str:
    said = left_out.summary()
    return f"; {said}" if said else ""


def _digest(file: Path) -> str:
    try:
        with file.open("rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()
    except OSError as error:
        raise_system_fault(error, str(file))
        raise InputError(f"{file}: cannot be read: {error.strerror}") from error
