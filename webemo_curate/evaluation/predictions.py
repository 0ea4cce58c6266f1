"""Stored answers: a row an image, from which all figures are computed."""

from pathlib import Path
from typing import NamedTuple

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from webemo_curate.dataset.labeled_images import LabeledImages
from webemo_curate.parquet import read_parquet, write_parquet
from webemo_curate.storage.atomic import atomic_path


class Scored(NamedTuple):
    """Targets and probabilities, in the order of the set's images.

    Attributes
    ----------
    target
        Numbers of classes, shape (images,).
    probability
        Of the second of two classes, shape (images,), or of each class, shape (images, classes).
    """

    target: NDArray[np.int64]
    probability: NDArray[np.float64]


def predictions_file(run: Path, name: str) -> Path:
    """Return the file of a run's answers on a set."""
    return run / f"predictions-{name}.parquet"


def write_predictions(
    path: Path, images: LabeledImages, last: NDArray[np.float64], best: NDArray[np.float64]
) -> None:
    """Write the answers of the last and the best epoch's weights; see `Scored.probability`."""
    table = pa.table(
        {
            "sha256": images.sha256,
            "path": images.paths,
            "target": pa.array(images.targets.numpy(), pa.int8()),
            "probability": _column(last),
            "probability_best": _column(best),
        }
    )
    with atomic_path(path) as partial:
        write_parquet(table, partial)


def read_predictions(path: Path) -> Scored:
    """Read the targets and the last epoch's answers.

    Raises
    ------
    OSError, ValueError, KeyError, pa.ArrowException
        If the file is none of these.
    """
    table = read_parquet(path, ["target", "probability"])
    target = table["target"].to_numpy()
    values = table["probability"].combine_chunks()
    if not pa.types.is_fixed_size_list(values.type):
        return Scored(target, values.to_numpy(zero_copy_only=False))
    return Scored(target, values.flatten().to_numpy().reshape(-1, values.type.list_size))


def _column(probability: NDArray[np.float64]) -> pa.Array:
    if probability.ndim == 1:
        return pa.array(probability)
    return pa.FixedSizeListArray.from_arrays(pa.array(probability.ravel()), probability.shape[1])
