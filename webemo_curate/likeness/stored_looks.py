"""The looks of a workspace's pictures, from what the images stage keeps of each."""

from collections.abc import Iterator
from typing import Final

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from webemo_curate.duplicates.perceptual import COLOR_SIDE
from webemo_curate.imaging.structure import REDUCED_SIDE
from webemo_curate.likeness.appearance import appearance

BLOCK_ROWS: Final = 8_192
"""Pictures described at a time: 100 MB of temporaries."""

COLUMNS: Final = ("sha256", "path", "decode_status", "gray", "color")


def looks_of(images: pa.Table) -> Iterator[NDArray[np.float32]]:
    """Yield the vectors of pictures, a block at a time, in their order.

    Parameters
    ----------
    images : pa.Table
        Columns `gray` and `color` of pictures that decode.

    Yields
    ------
    ndarray of float32, shape (rows, 176)
        See `appearance`.
    """
    for start in range(0, images.num_rows, BLOCK_ROWS):
        part = images.slice(start, BLOCK_ROWS)
        grays = np.frombuffer(b"".join(part["gray"].to_pylist()), np.uint8)
        colors = np.frombuffer(b"".join(part["color"].to_pylist()), np.uint8)
        yield appearance(
            grays.reshape(-1, REDUCED_SIDE, REDUCED_SIDE),
            colors.reshape(-1, COLOR_SIDE, COLOR_SIDE, 3),
        )
