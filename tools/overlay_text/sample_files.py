"""Make many pictures on all cores, and keep them in two files: more than fit into memory."""

from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from functools import cache, partial
from multiprocessing import get_context
from pathlib import Path
from typing import Any, NamedTuple

import cv2
import numpy as np
from numpy.lib.format import open_memmap
from tqdm import tqdm

from tools.overlay_text.backgrounds import MIN_PIECE, SIDE, Pixels, background
from tools.overlay_text.samples import STRIDE, Sample, make_sample
from tools.overlay_text.typefaces import Typefaces
from webemo_curate.config import DecodingConfig
from webemo_curate.imaging import load_rgb

CHUNK = 16
"""Pictures that a process gets at a time."""


class Material(NamedTuple):
    """The material that pictures are made from.

    Attributes
    ----------
    typefaces
        Font files.
    photographs
        Files of photographs without text; may be empty.
    """

    typefaces: Typefaces
    photographs: tuple[Path, ...]


class Dataset(NamedTuple):
    """Samples, memory-mapped from their files.

    Attributes
    ----------
    pictures
        uint8, (samples, `SIDE`, `SIDE`, 3) RGB.
    targets
        uint8, (samples, `SIDE` / `STRIDE`, `SIDE` / `STRIDE`); see `samples.Sample`.
    """

    pictures: Pixels
    targets: Pixels


def make_dataset(
    folder: Path, material: Material, *, backgrounds: int, samples: int, seed: int
) -> Dataset:
    """Make pictures without words, and from these make pictures with words.

    Parameters
    ----------
    folder : Path
        Folder to keep them in; 200 KB a picture.
    material : Material
        The material to make them from.
    backgrounds, samples : int
        How many of each.
    seed : int
        Determines the pictures, whatever the number of cores.

    Returns
    -------
    Dataset
        The samples.
    """
    square, reduced = (SIDE, SIDE, 3), (SIDE // STRIDE, SIDE // STRIDE)
    empty_file = folder / "backgrounds.npy"
    empty = open_memmap(empty_file, "w+", np.uint8, (backgrounds, *square))
    pictures = open_memmap(folder / "pictures.npy", "w+", np.uint8, (samples, *square))
    targets = open_memmap(folder / "targets.npy", "w+", np.uint8, (samples, *reduced))
    first, second = np.random.SeedSequence(seed).spawn(2)
    # A forked process would inherit the locks of torch's threads.
    start = get_context("spawn")
    with ProcessPoolExecutor(None, start, cv2.setNumThreads, (1,)) as pool:
        make_empty = partial(_background, material.photographs)
        for index, picture in _each(pool, make_empty, first.spawn(backgrounds), "backgrounds"):
            empty[index] = picture
        empty.flush()
        make_one = partial(_sample, empty_file, material.typefaces)
        for index, sample in _each(pool, make_one, second.spawn(samples), "samples"):
            pictures[index], targets[index] = sample
    return Dataset(pictures, targets)


def _each(
    pool: ProcessPoolExecutor,
    make: Callable[[np.random.SeedSequence], Any],
    seeds: list[np.random.SeedSequence],
    name: str,
) -> Iterator[tuple[int, Any]]:
    made = pool.map(make, seeds, chunksize=CHUNK)
    return enumerate(tqdm(made, name, len(seeds)))


def _background(photographs: tuple[Path, ...], seed: np.random.SeedSequence) -> Pixels:
    return background(np.random.default_rng(seed), _load_all(photographs))


def _sample(backgrounds: Path, typefaces: Typefaces, seed: np.random.SeedSequence) -> Sample:
    return make_sample(np.random.default_rng(seed), _mapped(backgrounds), typefaces)


@cache
def _load_all(paths: tuple[Path, ...]) -> list[Pixels]:
    photographs = [np.asarray(load_rgb(path, DecodingConfig().max_pixels)) for path in paths]
    return [each for each in photographs if min(each.shape[:2]) >= MIN_PIECE]


@cache
def _mapped(path: Path) -> Pixels:
    return open_memmap(path, "r")
