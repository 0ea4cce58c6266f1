"""The binarize stage: all labels of a picture against the positive class."""

from typing import TYPE_CHECKING, ClassVar

import numpy as np
import pyarrow as pa

from webemo_curate import gates
from webemo_curate.config import BinarizeConfig
from webemo_curate.errors import InputError
from webemo_curate.frames import to_frame
from webemo_curate.stages.stage import Stage, StageContext, Tables
from webemo_curate.taxonomies import AS_LISTED, WEBEMO, Taxonomy, flat_taxonomy, load_taxonomy
from webemo_curate.verdicts import STORED, LabelVerdict

if TYPE_CHECKING:
    import pandas as pd


class BinarizeStage(Stage[BinarizeConfig]):
    """Gives each duplicate cluster a target, or a reason to leave.

    Parameters
    ----------
    config : BinarizeConfig
        Which labels make the positive class.
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

    def run(self, tables: Tables, context: StageContext) -> dict[str, pa.Table]:  # noqa: ARG002
        """Count votes (listed lines) of both classes and settle conflicts; see `Stage.run`."""
        taxonomy = taxonomy_of(self._taxonomy, tables["listing"])
        votes = _votes(tables)
        if votes.empty:
            raise InputError(
                f"binarize: no image is left of {tables['listing'].num_rows} listed rows; "
                "'curate status' shows where they went"
            )
        if votes["label"].isna().all():
            raise InputError(
                "binarize: no picture has a label, and it needs some; name the table's column with "
                "'curate fetch --label-column NAME', or list a folder with a folder for each "
                "label. filter-text and dedup work without labels"
            )
        votes["excluded"] = votes["label"].isin(taxonomy.covered(self.config.exclude))
        positive = taxonomy.covered(self.config.positive, self.config.level)
        votes["positive"] = votes["label"].isin(positive)
        clusters = self._targets(_tally(votes))
        return {"labels": _table(clusters, votes)}

    def _targets(self, clusters: "pd.DataFrame") -> "pd.DataFrame":
        """Add `conflict`, `target` and `verdict` to the tally, by the conflict policy."""
        ours, theirs = clusters["positive_votes"], clusters["other_votes"]
        conflict = (ours > 0) & (theirs > 0)
        target = (ours > theirs) if self.config.conflicts == "majority" else (ours > 0)
        undecided = conflict & (
            (self.config.conflicts == "drop")
            | ((self.config.conflicts == "majority") & (ours == theirs))
        )
        silent = (ours + theirs) == 0
        verdict = np.select(
            [~clusters["labeled"], silent, undecided],
            [LabelVerdict.UNLABELED, LabelVerdict.EXCLUDED, LabelVerdict.CONFLICT],
            LabelVerdict.KEPT,
        )
        kept = verdict == LabelVerdict.KEPT
        return clusters.assign(
            conflict=conflict, verdict=verdict, target=target.astype("Int8").where(kept)
        )


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


def _tally(votes: "pd.DataFrame") -> "pd.DataFrame":
    import pandas as pd

    labeled = votes[votes["label"].notna()]
    counting = labeled[~labeled["excluded"]]
    clusters = pd.Index(votes["cluster"].unique(), name="cluster")
    positive = counting.groupby("cluster")["positive"].agg(["sum", "size"])
    # With the 0 given here no cluster without votes turns the counts into floats.
    positive = positive.reindex(clusters, fill_value=0).astype("int32")
    return pd.DataFrame(
        {
            "positive_votes": positive["sum"],
            "other_votes": positive["size"] - positive["sum"],
            "labeled": clusters.isin(labeled["cluster"].unique()),
        }
    )


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
    speaks = ~votes["excluded"] & (target.isna() | (votes["positive"] == (target == 1)))
    ranked = votes.assign(speaks=speaks).value_counts(["cluster", "speaks", "label"]).reset_index()
    ranked = ranked.sort_values(["speaks", "count", "label"], ascending=[False, False, True])
    deciding: pd.Series[str] = ranked.drop_duplicates("cluster").set_index("cluster")["label"]
    return deciding
