"""The binarize stage: all labels of a picture settled into one class."""

from typing import TYPE_CHECKING, ClassVar

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from webemo_curate import gates
from webemo_curate.config import BinarizeConfig
from webemo_curate.errors import InputError
from webemo_curate.frames import to_frame
from webemo_curate.remedies import typed
from webemo_curate.stages.stage import Stage, StageContext, Tables
from webemo_curate.stages.targets import LEVELS, Targets, binary_targets, class_targets
from webemo_curate.taxonomies import AS_LISTED, WEBEMO, Taxonomy, flat_taxonomy, load_taxonomy
from webemo_curate.verdicts import STORED, LabelVerdict
from webemo_curate.workspace import Workspace

if TYPE_CHECKING:
    import pandas as pd


Counts = NDArray[np.int64]
"""Votes of each cluster for each class; shape (clusters, classes)."""


class BinarizeStage(Stage[BinarizeConfig]):
    """Gives each duplicate cluster a target, or a reason to leave.

    Parameters
    ----------
    config : BinarizeConfig
        What the classes are made of, and what becomes of conflicts.
    taxonomy : str, optional
        Name or file of the label hierarchy; default WEBEmo's for its lists, else labels as listed.
    """

    name = "binarize"
    inputs: ClassVar = {
        "listing": ("url", "label", "emotion"),
        "fetch": ("url", "status", "sha256"),
        "duplicates": ("sha256", "cluster"),
    }
    gate = gates.BINARIZE
    outputs = ("labels",)

    def __init__(self, config: BinarizeConfig, taxonomy: str | None = None) -> None:
        super().__init__(config)
        self._taxonomy = taxonomy

    def extra_inputs(self) -> dict[str, str]:
        """Return the digest of the taxonomy, if one was named."""
        if self._taxonomy in (None, AS_LISTED):
            return {}
        return {"taxonomy": load_taxonomy(str(self._taxonomy)).digest}

    def classes(self, workspace: Workspace) -> tuple[str, ...] | None:
        """Return the names of the classes; the binary target's go unnamed here."""
        if self.config.target == "binary":
            return None
        listing = workspace.read("listing", ["label", "emotion"])
        return self._targets(taxonomy_of(self._taxonomy, listing), listing).names

    def run(self, tables: Tables, context: StageContext) -> dict[str, pa.Table]:  # noqa: ARG002
        """Count votes (listed lines) of the classes and settle conflicts; see `Stage.run`."""
        taxonomy = taxonomy_of(self._taxonomy, tables["listing"])
        votes = _votes(tables)
        if votes.empty:
            raise InputError(
                f"binarize: no image is left of {tables['listing'].num_rows} listed rows; "
                f"'{typed('status')}' shows where they went"
            )
        if votes["label"].isna().all():
            raise InputError(
                "binarize: no picture has a label, and it needs some; name the table's column with "
                f"'{typed('fetch --label-column NAME')}', or list a folder with a folder for each "
                "label. filter-text and dedup work without labels"
            )
        votes["excluded"] = votes["label"].isin(self._excluded(taxonomy))
        targets = self._targets(taxonomy, tables["listing"])
        votes["class"] = votes["label"].map(targets.of_label)
        clusters = self._settle(votes, len(targets.names))
        return {"labels": _table(clusters, votes)}

    def _excluded(self, taxonomy: Taxonomy) -> frozenset[str]:
        """Return the labels left out; a name that is a class means the class."""
        return taxonomy.covered(self.config.exclude, LEVELS.get(self.config.target))

    def _targets(self, taxonomy: Taxonomy, listing: pa.Table) -> Targets:
        labels = listing["label"].unique().drop_null().cast(pa.string()).to_pylist()
        if self.config.target == "binary":
            return binary_targets(labels, taxonomy.covered(self.config.positive, self.config.level))
        counting = sorted(set(labels) - self._excluded(taxonomy))
        return class_targets(counting, taxonomy, self.config.target)

    def _settle(self, votes: "pd.DataFrame", classes: int) -> "pd.DataFrame":
        """Return each cluster's votes, `conflict`, `target` and `verdict`, by the policy."""
        import pandas as pd

        labeled = votes[votes["label"].notna()]
        clusters = pd.Index(votes["cluster"].unique(), name="cluster")
        counts = _tally(labeled[~labeled["excluded"]], clusters, classes)
        total, conflict = counts.sum(axis=1), (counts > 0).sum(axis=1) > 1
        verdict = np.select(
            [
                ~clusters.isin(labeled["cluster"].unique()),
                total == 0,
                conflict & self._leaves_open(counts),
            ],
            [LabelVerdict.UNLABELED, LabelVerdict.EXCLUDED, LabelVerdict.CONFLICT],
            LabelVerdict.KEPT,
        )
        positive_wins = self.config.conflicts == "positive"
        target = counts[:, 1] > 0 if positive_wins else counts.argmax(axis=1)
        kept = pd.Series(verdict == LabelVerdict.KEPT, clusters)
        settled = pd.Series(target, clusters).astype("Int8").where(kept)
        ours = counts[:, 1] if self.config.target == "binary" else counts.max(axis=1)
        columns = {"positive_votes": ours, "other_votes": total - ours, "conflict": conflict}
        return pd.DataFrame(columns, clusters).assign(verdict=verdict, target=settled)

    def _leaves_open(self, counts: Counts) -> NDArray[np.bool_]:
        """Tell of which clusters the policy would settle no conflict; shape (clusters,)."""
        tied = (counts == counts.max(axis=1)[:, None]).sum(axis=1) > 1
        always = self.config.conflicts == "drop"
        undecided: NDArray[np.bool_] = always | ((self.config.conflicts == "majority") & tied)
        return undecided


def taxonomy_of(name: str | None, listing: pa.Table) -> Taxonomy:
    """Return the label hierarchy that a listing's labels belong to.

    Parameters
    ----------
    name : str, optional
        Its name or file, if one was given.
    listing : pa.Table
        The listing. WEBEmo's lists, and nothing else without a taxonomy's name, fill `emotion`.

    Returns
    -------
    Taxonomy
        The one named, WEBEmo's, or the listed labels without groups.
    """
    if name is None and listing["emotion"].null_count < listing.num_rows:
        name = WEBEMO
    if name in (None, AS_LISTED):
        labels = listing["label"].unique().drop_null().cast(pa.string())
        return flat_taxonomy(labels.to_pylist())
    return load_taxonomy(str(name))


def _votes(tables: Tables) -> "pd.DataFrame":
    """Return a row for each listed line of a clustered image: its cluster and label."""
    lines = to_frame(tables["listing"].select(["url", "label"]))
    fetched = to_frame(tables["fetch"].select(["url", "status", "sha256"]))
    fetched = fetched.loc[fetched["status"].isin(STORED), ["url", "sha256"]]
    members = to_frame(tables["duplicates"].select(["sha256", "cluster"]))
    votes = members.merge(fetched, on="sha256").merge(lines, on="url")
    return votes[["cluster", "label"]].astype({"label": object})


def _tally(votes: "pd.DataFrame", clusters: "pd.Index[str]", classes: int) -> Counts:
    """Count the votes of each cluster for each class; shape (clusters, classes)."""
    import pandas as pd

    rows = clusters.get_indexer(pd.Index(votes["cluster"]))
    cells = rows * classes + votes["class"].to_numpy(np.int64)
    return np.bincount(cells, minlength=len(clusters) * classes).reshape(-1, classes)


def _table(clusters: "pd.DataFrame", votes: "pd.DataFrame") -> pa.Table:
    labels = votes.groupby("cluster")["label"].agg(lambda group: sorted(set(group.dropna())))
    index = clusters.index
    return pa.table(
        {
            "cluster": pa.array(index, pa.string()),
            "labels": pa.array(labels.reindex(index).to_list(), pa.list_(pa.string())),
            "label": pa.array(_deciding_label(clusters, votes).reindex(index), pa.string()),
            "target": pa.array(clusters["target"], pa.int8()),
            "positive_votes": pa.array(clusters["positive_votes"], pa.int32()),
            "other_votes": pa.array(clusters["other_votes"], pa.int32()),
            "conflict": pa.array(clusters["conflict"], pa.bool_()),
            "verdict": pa.array(clusters["verdict"].astype(str).to_list(), pa.string()),
        }
    )


def _deciding_label(clusters: "pd.DataFrame", votes: "pd.DataFrame") -> "pd.Series[str]":
    """Return each cluster's commonest label among those that speak for its target."""
    target = votes["cluster"].map(clusters["target"])
    speaks = ~votes["excluded"] & (target.isna() | (votes["class"] == target))
    ranked = votes.assign(speaks=speaks).value_counts(["cluster", "speaks", "label"]).reset_index()
    ranked = ranked.sort_values(["speaks", "count", "label"], ascending=[False, False, True])
    deciding: pd.Series[str] = ranked.drop_duplicates("cluster").set_index("cluster")["label"]
    return deciding
