"""Folders of images named by emotion, as UnbiasedEmo, Emotion-6 and Cornell's Emotion6 come."""

import hashlib
from pathlib import Path

import pyarrow as pa

from webemo_curate.errors import InputError

EMOTIONS = frozenset({"anger", "disgust", "fear", "joy", "love", "sadness", "surprise"})
"""Folder names of the three sets together."""

MAX_FILE_BYTES = 32 * 2**20


def read_folder(folder: Path, positive: str) -> pa.Table:
    """List a folder-per-emotion set.

    Parameters
    ----------
    folder : Path
        Holds folders named by emotion; hidden files are left out.
    positive : str
        The emotion whose images have target 1.

    Returns
    -------
    pa.Table
        Columns `path` (relative to the folder), `sha256`, `target`, `label`; sorted by path.

    Raises
    ------
    InputError
        If there is no emotion folder, or a file is too large to be an image.
    """
    homes = sorted(p for p in folder.iterdir() if p.is_dir() and p.name.lower() in EMOTIONS)
    if not homes:
        raise InputError(
            f"{folder}: holds no folder named by an emotion ({', '.join(sorted(EMOTIONS))})"
        )
    files = [file for home in homes for file in _shown_files(home)]
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
        Any folder; hidden files are left out.

    Returns
    -------
    pa.Table
        Columns `path` (absolute) and `sha256`; sorted by path.

    Raises
    ------
    InputError
        If there is no file, or one is too large to be an image.
    """
    files = _shown_files(folder.absolute())
    if not files:
        raise InputError(f"{folder}: holds no file; give a folder of images")
    return pa.table(
        {"path": [str(file) for file in files], "sha256": [_digest(file) for file in files]}
    )


def _shown_files(folder: Path) -> list[Path]:
    """Return all files below a folder in order, without what desktops leave, such as .DS_Store."""
    return [
        file
        for file in sorted(folder.rglob("*"))
        if file.is_file() and not file.name.startswith(".")
    ]


def _digest(file: Path) -> str:
    if file.stat().st_size > MAX_FILE_BYTES:
        raise InputError(f"{file}: larger than {MAX_FILE_BYTES} bytes; remove it from the set")
    return hashlib.sha256(file.read_bytes()).hexdigest()
