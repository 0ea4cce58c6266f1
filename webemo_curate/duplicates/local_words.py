"""Local features as words: pictures that share several may show one scene, cropped or edited.

SIFT keypoints (Lowe, "Distinctive Image Features from Scale-Invariant Keypoints", IJCV 2004) need
no trained weights. A keypoint's descriptor gives one word a table: the outcomes of comparisons
between its components, so that near descriptors agree in most bits (locality-sensitive hashing).
"""

from collections.abc import Sequence
from functools import cache

import cv2
import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
from PIL import Image

KEYPOINTS = 64
"""The strongest kept of a picture: more cost memory and bring no more pairs."""

CONTRAST = 0.02
"""Half of Lowe's threshold: thumbnails are soft."""

MAX_SIDE = 1024
"""Pixels to which a larger picture is reduced: SIFT takes 240 bytes a pixel, and the strongest
keypoints are coarse."""

TABLES, WORD_BITS = 4, 28
"""Words of a keypoint and bits of a word; read one after the other they are its signature."""

COMPONENTS = 128
SEED = 0

Words = npt.NDArray[np.uint32]


def gray_for_sift(picture: Image.Image) -> npt.NDArray[np.uint8]:
    """Return a picture's gray values, no side longer than `MAX_SIDE`; shape (height, width)."""
    gray = picture.convert("L")
    gray.thumbnail((MAX_SIDE, MAX_SIDE))
    return np.asarray(gray)


def sift(keypoints: int) -> cv2.SIFT:
    """Make a detector of at most `keypoints` keypoints; cheap."""
    return cv2.SIFT.create(nfeatures=keypoints, contrastThreshold=CONTRAST)


def local_words(picture: Image.Image) -> Words:
    """Describe a picture by words.

    Parameters
    ----------
    picture : PIL.Image.Image
        Upright RGB.

    Returns
    -------
    ndarray of uint32, shape (keypoints, TABLES)
        The keypoints' words; no rows for a picture without structure.
    """
    _, descriptors = sift(KEYPOINTS).detectAndCompute(gray_for_sift(picture), None)
    if descriptors is None:
        return np.empty((0, TABLES), np.uint32)
    left, right = _comparisons()
    strongest = descriptors[:KEYPOINTS]  # ties may bring one more
    bits = strongest[:, left] > strongest[:, right]
    words: Words = (bits @ (1 << np.arange(WORD_BITS, dtype=np.int64))).astype(np.uint32)
    return words


def words_by_hash(hashes: Sequence[str], features: pa.Table) -> list[Words]:
    """Look up pictures' words.

    Parameters
    ----------
    hashes : sequence of str
        SHA-256 of each picture wanted.
    features : pa.Table
        Columns `sha256` and `words`, a list of keypoints times TABLES words.

    Returns
    -------
    list of ndarray of uint32, shape (keypoints, TABLES)
        In the order of `hashes`; no rows where the table has none.
    """
    if not hashes or not features.num_rows:
        return [np.empty((0, TABLES), np.uint32)] * len(hashes)
    place = pc.index_in(pa.array(hashes, pa.string()), features["sha256"].combine_chunks())
    # 64-bit offsets: eight million pictures have more words than 32 bits count.
    column = features["words"].cast(pa.large_list(pa.uint32()))
    found = column.take(place).combine_chunks()
    words = found.flatten().to_numpy().reshape(-1, TABLES)
    sizes = pc.list_value_length(found).fill_null(0).to_numpy(zero_copy_only=False)
    return np.split(words, np.cumsum(sizes // TABLES)[:-1])


@cache
def _comparisons() -> npt.NDArray[np.int64]:
    """Return which components are compared, shape (2, TABLES, WORD_BITS)."""
    generator = np.random.default_rng(SEED)
    return generator.integers(0, COMPONENTS, (2, TABLES, WORD_BITS))
