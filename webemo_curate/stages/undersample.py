"""The undersample stage: leave out images of the larger class until the share is right."""

import math
from typing import TYPE_CHECKING, ClassVar

import numpy as np
import pyarrow as pa

from webemo_curate import gates
from webemo_curate.config import UndersampleConfig
from webemo_curate.errors import InputError
from webemo_curate.frames import to_frame
from webemo_curate.stages.sampling import hash_order
from webemo_curate.stages.stage import Stage, StageContext, Tables
from webemo_curate.verdicts import LabelVerdict

if TYPE_CHECKING:
    import pandas as pd


class UndersampleStage(Stage[UndersampleConfig]):
    """Draws the sample, stratified over the 25 labels within each class."""

    name = "undersample"
    inputs: ClassVar = {"labels": ("cluster", "target", "label", "verdict")}
    gate = gates.UNDERSAMPLE
    outputs = ("sample",)

    def run(self, tables: Tables, context: StageContext) -> dict[str, pa.Table]:  # noqa: ARG002
        """Keep as many of each class as the fraction and size ask for; see `Stage.run`."""
        labels = to_frame(tables["labels"].select(["cluster", "target", "label", "verdict"]))
        rows = labels[labels["verdict"] == LabelVerdict.KEPT].sort_values("cluster")
        target = rows["target"].to_numpy(np.int8)
        positives, others = int((target == 1).sum()), int((target == 0).sum())
        wanted = class_sizes(positives, others, self.config.positive_fraction, self.config.size)
        if not min(wanted):
            raise InputError(
                f"undersample: {positives} positive and {others} other images are left, of which "
                f"{wanted[0]} and {wanted[1]} would be kept; both classes are needed: list more "
                "images, or change --positive, --conflicts or --positive-fraction"
            )
        kept = np.zeros(len(rows), bool)
        for value, size in zip((1, 0), wanted, strict=True):
            ours = rows[target == value]
            kept[target == value] = stratified_draw(ours, size, self.config.seed)
        return {
            "sample": pa.table(
                {
                    "sha256": pa.array(rows["cluster"], pa.string()),
                    "target": pa.array(target),
                    "label": pa.array(rows["label"], pa.string()),
                    "kept": pa.array(kept),
                    "seed": pa.array([self.config.seed] * len(rows), pa.int64()),
                }
            )
        }


def class_sizes(positives: int, others: int, fraction: float, size: int | None) -> tuple[int, int]:
    """Work out how many images of each class to keep.

    Parameters
    ----------
    positives, others : int
        Images there are.
    fraction : float
        Wanted share of positives.
    size : int, optional
        Wanted number in all; default as many as the fraction allows.

    Returns
    -------
    tuple of int and int
        Positives and others to keep; the share is the fraction to within one image.

    Raises
    ------
    InputError
        If there are too few images; the message says what is possible.
    """
    largest = min(math.floor(positives / fraction), math.floor(others / (1 - fraction)))
    if size is None:
        wanted = round(largest * fraction)
        return wanted, largest - wanted
    wanted = round(size * fraction)
    if wanted > positives or size - wanted > others:
        raise InputError(
            f"--size {size} at --positive-fraction {fraction} needs {wanted} positive and "
            f"{size - wanted} other images; there are {positives} and {others}: "
            f"the largest possible --size is {largest}"
        )
    return wanted, size - wanted


def stratified_draw(
    rows: "pd.DataFrame", size: int, seed: int
) -> "np.ndarray[tuple[int], np.dtype[np.bool_]]":
    """Mark rows to keep so that every label keeps its share to within one image.

    Rows are ordered by a hash of seed and name within their label; each gets its place in that
    order as a fraction of the label, and the lowest fractions are kept.

    Parameters
    ----------
    rows : pandas.DataFrame
        Columns `cluster` (distinct names) and `label`.
    size : int
        Rows to keep.
    seed : int
        The draw's seed.

    Returns
    -------
    ndarray of bool, shape (rows,)
        True for rows that are kept.
    """
    number = hash_order(seed, UndersampleStage.name, rows["cluster"])
    drawn = rows[["label"]].assign(number=number).reset_index(drop=True)
    place = drawn.groupby("label", sort=False)["number"].rank(method="first") - 0.5
    share = place / drawn.groupby("label", sort=False)["number"].transform("size")
    order = np.lexsort((number, share.to_numpy()))
    kept = np.zeros(len(rows), bool)
    kept[order[:size]] = True
    return kept
