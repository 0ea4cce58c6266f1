"""Make any number of different pictures from photos, and cache what is computed from them."""

import importlib.util
import io
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType

import numpy as np
import numpy.typing as npt
from PIL import Image

from webemo_curate.duplicates.local_words import local_words
from webemo_curate.duplicates.perceptual import phashes, reduce_gray

CHUNK = 1000
KEYS = ("number", "group", "phash", "phash_mirrored", "gray")
Arrays = dict[str, npt.NDArray[np.generic]]


def open_tool(file: Path, photos: Path) -> ModuleType:
    """Load a tool that makes pictures out of photos.

    Parameters
    ----------
    file : Path
        A module with `picture(number)`, which gives group and JPEG, and `photos(folder)`, what it
        draws on.
    photos : Path
        That folder.

    Returns
    -------
    module
        Ready to make some.
    """
    spec = importlib.util.spec_from_file_location("tool", file)
    assert spec is not None
    assert spec.loader is not None
    tool = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(tool)
    tool.PHOTOS = tool.photos(photos)
    return tool


def strangers(cache: Path, tool: ModuleType, size: int, cached: bool) -> Arrays:
    """Return what is computed of the first so many pictures.

    Parameters
    ----------
    cache : Path
        Folder that keeps it, 1,000 pictures a file, so that a rerun goes on.
    tool : module
        Makes what is not there yet.
    size : int
        How many.
    cached : bool
        Make none, so that there may be fewer.

    Returns
    -------
    dict of str to ndarray
        `KEYS`, a row a picture, and local `words`, the keypoints from `offsets[i]` on.
    """
    indices = range(-(-size // CHUNK))
    if cached:
        indices = range(len(list(cache.glob("chunk-*.npz"))))[: len(indices)]
    return _joined([_chunk(cache, index, tool) for index in indices], size)


def _chunk(cache: Path, index: int, tool: ModuleType) -> Arrays:
    file = cache / f"chunk-{index:04d}.npz"
    if not file.exists():
        numbers = np.arange(index * CHUNK, (index + 1) * CHUNK)
        made = [tool.picture(int(number)) for number in numbers]
        pictures = [Image.open(io.BytesIO(content)).convert("RGB") for _, content in made]
        reduced = np.stack([reduce_gray(picture) for picture in pictures])
        hashes = phashes(reduced)
        words = [local_words(picture) for picture in pictures]
        groups = np.array([group for group, _ in made])
        columns = (numbers, groups, hashes[:, 0], hashes[:, 1], reduced[:, 0])
        ends = np.cumsum([0, *(len(found) for found in words)])
        known = dict(zip(KEYS, columns, strict=True))
        np.savez(file, **known, words=np.concatenate(words), offsets=ends)
    with np.load(file) as stored:
        return {key: stored[key] for key in stored.files}


def _joined(parts: Sequence[Arrays], size: int) -> Arrays:
    joined = {key: np.concatenate([part[key] for part in parts])[:size] for key in KEYS}
    counts = np.concatenate([np.diff(part["offsets"]) for part in parts])[:size]
    offsets = np.r_[0, np.cumsum(counts)]
    words = np.concatenate([part["words"] for part in parts])[: offsets[-1]]
    return joined | {"words": words, "offsets": offsets}
