"""The split stage: whole groups to train, validation and test, stratified and seeded."""

import logging
from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar

import numpy as np
import pyarrow as pa

from webemo_curate.config import SplitConfig
from webemo_curate.errors import InputError
from webemo_curate.frames import to_frame
from webemo_curate.manifest import read_info, read_manifest
from webemo_curate.stages.sampling import hash_order
from webemo_curate.stages.stage import Stage, StageContext, Tables
from webemo_curate.stages.targets import recorded_classes, target_names
from webemo_curate.verdicts import STORED, Split
from webemo_curate.workspace import Workspace

if TYPE_CHECKING:
    from pathlib import Path

    import pandas as pd

logger = logging.getLogger(__name__)

SPLITS = tuple(str(split) for split in Split)


class SplitStage(Stage[SplitConfig]):
    """Divides the sample and writes the manifests that training reads."""

    name = "split"
    inputs: ClassVar = {
        "sample": ("sha256", "target", "label", "kept"),
        "images": ("sha256", "path", "width", "height"),
        "duplicates": ("sha256", "cluster", "group"),
        "labels": ("cluster", "labels"),
        "listing": ("url", "official_split"),
        "fetch": ("url", "status", "sha256"),
    }
    outputs = SPLITS

    def extra_inputs(self) -> dict[str, str]:
        """Return the digests of the earlier split that is extended."""
        if self.config.extend is None:
            return {}
        return {f"earlier {split}": _earlier_digest(self.config.extend, split) for split in SPLITS}

    def classes(self, workspace: Workspace) -> tuple[str, ...]:
        """Return the names of the classes that binarize told apart."""
        return target_names(workspace)

    def run(self, tables: Tables, context: StageContext) -> dict[str, pa.Table]:
        """Assign every group to one split; see `Stage.run`."""
        rows = _final_rows(tables)
        fixed = self._fixed(rows, tables, context)
        rows["split"] = rows["group"].map(self._assign(rows, fixed, self._kept_apart(tables)))
        self._check(rows, context.workspace)
        return {split: _table(rows[rows["split"] == split]) for split in SPLITS}

    def _check(self, rows: "pd.DataFrame", workspace: Workspace) -> None:
        """Refuse an empty split and a class that cannot be learned; tell of other gaps."""
        wanted = [s for s, ratio in zip(SPLITS, self.config.ratios, strict=True) if ratio]
        names, binary = target_names(workspace), recorded_classes(workspace) is None
        sizes = {split: _class_sizes(rows[rows["split"] == split], names) for split in SPLITS}
        counts = ", ".join(f"{split} {sum(each)}" for split, each in sizes.items())
        if not all(sum(sizes[split]) for split in wanted):
            raise InputError(
                f"split: {len(rows)} images in {rows['group'].nunique()} groups that no split may "
                f"part do not fill the splits ({counts}); list more images, or change --ratios"
            )
        for split in (split for split in wanted if not all(sizes[split])):
            said = f"split: {split} has {_said(sizes[split], names, binary=binary)}"
            if split == Split.TRAIN:
                every = "both" if binary else "every class"
                raise InputError(f"{said}, and needs {every}; list more images")
            logger.warning("%s: measures of it say little", said)

    def _fixed(self, rows: "pd.DataFrame", tables: Tables, context: StageContext) -> dict[str, str]:
        """Return the split of each group that is not free to be dealt out."""
        fixed: dict[str, str] = {}
        if self.config.extend is not None:
            if self.config.extend.resolve() == context.workspace.manifests.resolve():
                raise InputError(
                    f"{self.config.extend}: would be overwritten; copy the earlier split to "
                    "another folder and give that as --extend"
                )
            fixed = _earlier_homes(rows, self.config.extend)
        for split in self._kept_apart(tables):
            named = rows.loc[rows["sha256"].isin(_official(split, tables)), "group"]
            fixed |= dict.fromkeys(named, str(split))
        return fixed

    def _kept_apart(self, tables: Tables) -> list[Split]:
        """Return the splits that stay as listed, test last: it wins a group that two name."""
        listed = tables["listing"]["official_split"].unique().drop_null().to_pylist()
        if not self.config.official:
            if listed:
                logger.info(
                    "split: the listing's own splits (%s) are not kept; --official keeps "
                    "validation and test as listed",
                    ", ".join(sorted(listed)),
                )
            return []
        return [*([Split.VALIDATION] if Split.VALIDATION in listed else []), Split.TEST]

    def _assign(
        self, rows: "pd.DataFrame", fixed: dict[str, str], apart: Sequence[Split]
    ) -> dict[str, str]:
        """Return the split of each group: as fixed, the others dealt out to fill the ratios."""
        groups = _ordered_groups(rows, self.config.seed)
        taken = groups.groupby(groups.index.map(fixed)).sum().reindex(SPLITS, fill_value=0)
        ratios = np.array(self.config.ratios)
        for split in apart:
            place = SPLITS.index(split)
            ratios[place] = taken.iloc[place] = 0
        free = groups[~groups.index.isin(fixed)]
        places = divide(free.to_list(), ratios.tolist(), taken.to_list())
        home = {group: SPLITS[place] for group, place in zip(free.index, places, strict=True)}
        return home | fixed


def _class_sizes(rows: "pd.DataFrame", names: Sequence[str]) -> list[int]:
    """Return the number of images of each class."""
    sizes: list[int] = np.bincount(rows["target"], minlength=len(names)).tolist()
    return sizes


def _said(sizes: Sequence[int], names: Sequence[str], *, binary: bool) -> str:
    if binary:
        return f"{sizes[1]} positive and {sizes[0]} other images"
    lacking = [name for name, size in zip(names, sizes, strict=True) if not size]
    return f"no image of {' or '.join(map(repr, lacking))}"


def divide(
    sizes: Sequence[int], ratios: Sequence[float], taken: Sequence[int] | None = None
) -> list[int]:
    """Deal groups out so that after each one the parts are as near their ratios as can be.

    Every stretch of groups (a stratum, if they come sorted) is divided by the ratios too.

    Parameters
    ----------
    sizes : sequence of int
        Rows of each group, in the order in which they are dealt.
    ratios : sequence of float
        Wanted shares of the parts, not all zero.
    taken : sequence of int, optional
        Rows that each part holds already; default none.

    Returns
    -------
    list of int
        The part of each group; part sizes are within the largest group of their shares.
    """
    shares = np.array(ratios) / sum(ratios)
    held = np.zeros(len(shares)) if taken is None else np.array(taken, float)
    deficit = shares * held.sum() - held
    places = []
    for size in sizes:
        deficit += shares * size
        place = int(np.argmax(np.where(shares > 0, deficit, -np.inf)))
        deficit[place] -= size
        places.append(place)
    return places


def _final_rows(tables: Tables) -> "pd.DataFrame":
    """Return the kept images with all columns of the split manifests."""
    sample = to_frame(tables["sample"])
    kept = sample.loc[sample["kept"], ["sha256", "target", "label"]]
    images = to_frame(tables["images"].select(["sha256", "path", "width", "height"]))
    groups = to_frame(tables["duplicates"].select(["sha256", "group"]))
    labels = to_frame(tables["labels"].select(["cluster", "labels"]))
    rows = kept.merge(images, on="sha256").merge(groups, on="sha256")
    rows = rows.merge(labels.rename(columns={"cluster": "sha256"}), on="sha256")
    return rows.merge(_first_urls(tables), on="sha256")


def _first_urls(tables: Tables) -> "pd.DataFrame":
    fetched = to_frame(tables["fetch"].select(["url", "status", "sha256"]))
    stored = fetched[fetched["status"].isin(STORED)]
    return stored.groupby("sha256")["url"].min().reset_index()


def _earlier_digest(folder: "Path", split: str) -> str:
    info = read_info(folder / f"{split}.parquet")
    if info is None:
        raise InputError(
            f"{folder / split}.parquet: no split manifest; --extend takes the folder of "
            f"{', '.join(SPLITS)} of an earlier 'curate split'"
        )
    return info.digest


def _earlier_homes(rows: "pd.DataFrame", folder: "Path") -> dict[str, str]:
    """Return the split of each group that an earlier split holds images of.

    Groups of two splits that new pictures have joined go to the later of the two: what was tested
    on must not be trained on.
    """
    home: dict[str, str] = {}
    moved = 0
    for split in SPLITS:
        earlier = read_manifest(folder / f"{split}.parquet", split, ["sha256"])
        groups = rows.loc[rows["sha256"].isin(earlier["sha256"].to_pylist()), "group"]
        moved += sum(home.get(group, split) != split for group in groups.unique())
        home |= dict.fromkeys(groups, split)
    if moved:
        logger.warning(
            "split: %d groups of the earlier split turn out to be related across it; each is now "
            "whole, in test before validation before train",
            moved,
        )
    return home


def _official(split: Split, tables: Tables) -> set[str]:
    """Return images that the collection's own split names, or whose duplicates it names."""
    listing = to_frame(tables["listing"].select(["url", "official_split"]))
    urls = listing.loc[listing["official_split"] == split, ["url"]].drop_duplicates()
    fetched = to_frame(tables["fetch"].select(["url", "sha256"]))
    members = to_frame(tables["duplicates"].select(["sha256", "cluster"]))
    return set(urls.merge(fetched, on="url").merge(members, on="sha256")["cluster"])


def _ordered_groups(rows: "pd.DataFrame", seed: int) -> "pd.Series[int]":
    """Return group sizes by name: strata one after another, by hash within a stratum."""
    ordered = rows.sort_values(["group", "target", "label"])
    groups = ordered.groupby("group").agg(
        target=("target", "first"), label=("label", "first"), size=("sha256", "size")
    )
    groups["number"] = hash_order(seed, SplitStage.name, groups.index)
    sizes: pd.Series[int] = groups.sort_values(["target", "label", "number"])["size"]
    return sizes


def _table(rows: "pd.DataFrame") -> pa.Table:
    columns = ["path", "sha256", "target", "label", "labels", "group", "width", "height", "url"]
    table = pa.Table.from_pandas(rows[columns], preserve_index=False)
    return table.set_column(
        table.schema.get_field_index("labels"),
        "labels",
        pa.array([list(labels) for labels in rows["labels"]], pa.list_(pa.string())),
    )
