"""Pixels for training: decoded once, kept as bytes, given out in an order that the seed decides."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from webemo_curate.atomic import atomic_path
from webemo_curate.errors import InputError
from webemo_curate.imaging import DecodeError, load_rgb
from webemo_curate.progress import progress_bar

IMAGENET_MEAN = (0.485, 0.456, 0.406)
IMAGENET_DEVIATION = (0.229, 0.224, 0.225)
"""What timm's tf_efficientnetv2 weights of ImageNet-1k expect."""

MAX_PIXELS = 64 * 10**6
CHANNELS = 3


@dataclass(frozen=True)
class PackedImages:
    """Decoded images of one manifest, memory-mapped.

    Attributes
    ----------
    pixels
        uint8, shape (images, 3, S, S).
    targets
        int64, shape (images,).
    sha256, paths
        Names of the images, in the same order.
    """

    pixels: NDArray[np.uint8]
    targets: Tensor
    sha256: list[str]
    paths: list[str]

    def batch(self, rows: NDArray[np.int64], device: torch.device) -> Tensor:
        """Return images as float32 in 0 to 1, shape (rows, 3, S, S)."""
        return torch.from_numpy(self.pixels[rows]).to(device, non_blocking=True).float() / 255


def pack(table: pa.Table, root: Path, size: int, folder: Path) -> PackedImages:
    """Decode and squash a manifest's images once; later calls find the file.

    Parameters
    ----------
    table : pa.Table
        Columns `path`, `sha256`, `target`.
    root : Path
        What the paths are relative to.
    size : int
        Side S of the square, pixels; bilinear with antialias, the aspect is not kept.
    folder : Path
        Where packed files are kept, named by the content.

    Returns
    -------
    PackedImages
        In the manifest's order.

    Raises
    ------
    InputError
        If an image is missing or does not decode.
    """
    names, paths = table["sha256"].to_pylist(), table["path"].to_pylist()
    digest = hashlib.sha256("".join(names).encode()).hexdigest()[:16]
    file = folder / f"{digest}-{size}.npy"
    shape = (len(names), CHANNELS, size, size)
    if not file.exists():
        with atomic_path(file) as partial:
            # Written through a map: a set larger than the memory is packed too.
            target = np.lib.format.open_memmap(str(partial), "w+", np.uint8, shape)
            for index, path in enumerate(_shown(paths)):
                target[index] = squash(root / path, size)
            target.flush()
    pixels = np.load(file, mmap_mode="r", allow_pickle=False) if names else np.empty(shape, "u1")
    targets = torch.tensor(table["target"].to_pylist(), dtype=torch.int64)
    return PackedImages(pixels, targets, names, paths)


def squash(path: Path, size: int) -> NDArray[np.uint8]:
    """Decode one image to a square.

    Parameters
    ----------
    path : Path
        The file.
    size : int
        Side in pixels.

    Returns
    -------
    ndarray of uint8, shape (3, size, size)
        RGB.

    Raises
    ------
    InputError
        If it is missing or does not decode.
    """
    try:
        content = path.read_bytes()
        image = load_rgb(content, MAX_PIXELS)
    except (OSError, DecodeError) as error:
        raise InputError(
            f"{path}: the image cannot be read ({error}); run 'curate fetch' again"
        ) from error
    squashed = image.resize((size, size), Image.Resampling.BILINEAR)
    return np.ascontiguousarray(np.asarray(squashed).transpose(2, 0, 1))


def normalise(images: Tensor) -> Tensor:
    """Subtract ImageNet's mean and divide by its deviation; shape (N, 3, S, S), from 0 to 1."""
    mean = torch.tensor(IMAGENET_MEAN, device=images.device)[:, None, None]
    deviation = torch.tensor(IMAGENET_DEVIATION, device=images.device)[:, None, None]
    return (images - mean) / deviation


def epoch_batches(
    count: int, batch_size: int, seed: int, epoch: int
) -> Iterator[NDArray[np.int64]]:
    """Yield row numbers in an order that depends on seed and epoch alone.

    A last batch of one row is left out: batch normalisation has no variance of one value.

    Parameters
    ----------
    count : int
        Rows.
    batch_size : int
        Rows a batch.
    seed, epoch : int
        Decide the order.

    Yields
    ------
    ndarray of int64, shape (up to batch_size,)
        Row numbers, sorted within the batch.
    """
    order = np.random.default_rng([seed, epoch]).permutation(count)
    for start in range(0, count, batch_size):
        rows = np.sort(order[start : start + batch_size])
        if len(rows) > 1 or count == 1:
            yield rows


def _shown(paths: list[str]) -> Iterator[str]:
    with progress_bar(len(paths), "pack", "image") as bar:
        for path in paths:
            yield path
            bar.update()
