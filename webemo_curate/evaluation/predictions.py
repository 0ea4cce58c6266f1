"""Store predictions, one row for each image, from which all figures are computed."""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from webemo_curate.dataset.labeled_images import LabeledImages
from webemo_curate.errors import InputError
from webemo_curate.parquet import read_parquet, write_parquet
from webemo_curate.storage.atomic import atomic_path


class Scored(NamedTuple):
    """Targets and probabilities, in the order of the set's images.

    Attributes
    ----------
    target
        Class numbers, shape (images,).
    probability
        For two classes the second's, shape (images,); else each class's, shape (images, classes).
    """

    target: NDArray[np.int64]
    probability: NDArray[np.float64]


def predictions_file(run: Path, name: str) -> Path:
    """Return the file of a run's predictions on a set."""
    return run / f"predictions-{name}.parquet"


def write_predictions(
    path: Path, images: LabeledImages, last: NDArray[np.float64], best: NDArray[np.float64]
) -> None:
    """Write the predictions of the last and the best epoch's weights; see `Scored.probability`.

    Raises
    ------
    InputError
        If a probability is not a number.
    """
    for probability in (last, best):
        check_numbers(probability, images.sha256, path.parent.name)
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
    """Read the targets and the last epoch's probabilities.

    Raises
    ------
    OSError, ValueError, KeyError, pa.ArrowException
        If it is not a file of predictions.
    InputError
        If a probability is not a number.
    """
    table = read_parquet(path, ["target", "probability"])
    target = table["target"].to_numpy()
    values = table["probability"].combine_chunks()
    if not pa.types.is_fixed_size_list(values.type):
        scored = Scored(target, values.to_numpy(zero_copy_only=False))
    else:
        scored = Scored(target, values.flatten().to_numpy().reshape(-1, values.type.list_size))
    if not np.isfinite(scored.probability).all():
        images = read_parquet(path, ["sha256"])["sha256"].to_pylist()
        check_numbers(scored.probability, images, path.parent.name)
    return scored


def check_numbers(probability: NDArray[np.float64], images: Sequence[str], run: str) -> None:
    """Raise if a probability is not a number: no figure can be computed from it.

    Parameters
    ----------
    probability : ndarray of float64
        See `Scored`.
    images : sequence of str
        Names of the images, in the order of the probabilities.
    run : str
        Name of the run.

    Raises
    ------
    InputError
        Names the run and the first such image, and counts the others.
    """
    numbers = np.isfinite(probability).all(axis=tuple(range(1, probability.ndim)))
    if numbers.all():
        return
    first, count = images[int(numbers.argmin())], int((~numbers).sum())
    others = f" (nor are those for {count - 1:,} others)" if count > 1 else ""
    raise InputError(
        f"run {run}: its answer for image {first} is not a number{others}: its training has "
        "diverged; train it again with a lower --lr"
    )


def _column(probability: NDArray[np.float64]) -> pa.Array:
    if probability.ndim == 1:
        return pa.array(probability)
    return pa.FixedSizeListArray.from_arrays(pa.array(probability.ravel()), probability.shape[1])
