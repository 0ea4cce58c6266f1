"""The division of labeled images into folds: whole groups, every class spread over all of them."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from webemo_curate.errors import InputError
from webemo_curate.remedies import typed
from webemo_curate.sampling import hash_order
from webemo_curate.stages.split import divide
from webemo_curate.training.fit import MIN_IMAGES

PURPOSE = "folds"
"""Names the draw, apart from the split's own."""


def divide_folds(
    groups: Sequence[str], targets: NDArray[np.int64], folds: int, seed: int
) -> NDArray[np.int64]:
    """Deal whole groups out to folds of nearly equal size, class by class, as `split` does.

    Parameters
    ----------
    groups : sequence of str
        The group of each image.
    targets : ndarray of int64, shape (images,)
        Their classes; a group stands with the lowest of its own.
    folds : int
        Number of folds.
    seed : int
        Of the draw.

    Returns
    -------
    ndarray of int64, shape (images,)
        The fold of each image, from 0; images of a group have the same one.
    """
    images = pd.DataFrame({"group": groups, "target": targets})
    each = images.groupby("group")["target"].agg(["min", "size"]).reset_index()
    each["number"] = hash_order(seed, PURPOSE, each["group"])
    each = each.sort_values(["min", "number", "group"])
    homes = pd.Series(divide(each["size"].tolist(), [1.0] * folds), index=each["group"])
    return np.asarray(images["group"].map(homes), np.int64)


def check_folds(fold: NDArray[np.int64], targets: NDArray[np.int64], names: Sequence[str]) -> None:
    """Refuse a division by which a network would not see a class.

    Parameters
    ----------
    fold, targets : ndarray of int64, shape (images,)
        Fold and class of each image.
    names : sequence of str
        Of the classes.

    Raises
    ------
    InputError
        Names the class and what can be done.
    """
    for value, name in enumerate(names):
        own = fold[targets == value]
        # The largest part of it that lies in one fold is what that fold's network does not see.
        seen = len(own) - int(np.bincount(own, minlength=1).max(initial=0))
        if seen < MIN_IMAGES:
            raise InputError(
                f"label-issues: of {len(own)} images of '{name}' a network would see {seen}, and "
                f"{MIN_IMAGES} are needed; list more images, leave it out with "
                f"'{typed('binarize --exclude NAME')}', or give more --folds"
            )
