"""The undersample stage: leave out images of the larger classes until the shares are right."""

from typing import TYPE_CHECKING, ClassVar

import numpy as np
import pyarrow as pa

from webemo_curate import gates
from webemo_curate.config import UndersampleConfig
from webemo_curate.frames import to_frame
from webemo_curate.stages.class_sizes import check_kept, class_sizes, wanted_shares
from webemo_curate.stages.sampling import hash_order
from webemo_curate.stages.stage import Stage, StageContext, Tables
from webemo_curate.stages.targets import recorded_classes, target_names
from webemo_curate.verdicts import LabelVerdict
from webemo_curate.workspace import Workspace

if TYPE_CHECKING:
    import pandas as pd


class UndersampleStage(Stage[UndersampleConfig]):
    """Draws the sample, stratified over the labels within each class."""

    name = "undersample"
    inputs: ClassVar = {"labels": ("cluster", "target", "label", "verdict")}
    gate = gates.UNDERSAMPLE
    outputs = ("sample",)

    def classes(self, workspace: Workspace) -> tuple[str, ...] | None:
        """Return the names of the classes; None of the binary target."""
        return recorded_classes(workspace)

    def run(self, tables: Tables, context: StageContext) -> dict[str, pa.Table]:
        """Keep as many of each class as the shares and size ask for; see `Stage.run`."""
        labels = to_frame(tables["labels"].select(["cluster", "target", "label", "verdict"]))
        rows = labels[labels["verdict"] == LabelVerdict.KEPT].sort_values("cluster")
        target = rows["target"].to_numpy(np.int8)
        names = target_names(context.workspace)
        counts = dict(zip(names, np.bincount(target, minlength=len(names)).tolist(), strict=True))
        binary = self.classes(context.workspace) is None
        shares = wanted_shares(self.config, counts, binary=binary)
        wanted = class_sizes(counts, shares, self.config.size)
        check_kept(counts, wanted, binary=binary)
        kept = np.zeros(len(rows), bool)
        for value, name in enumerate(names):
            ours = rows[target == value]
            kept[target == value] = stratified_draw(ours, wanted[name], self.config.seed)
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
