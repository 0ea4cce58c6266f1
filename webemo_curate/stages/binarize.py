"""The binarize stage: combine all labels of a picture into one class."""

from collections.abc import Sequence
from typing import ClassVar

import pyarrow as pa
import pyarrow.compute as pc

from webemo_curate import gates
from webemo_curate.config import BinarizeConfig
from webemo_curate.errors import InputError
from webemo_curate.remedies import typed
from webemo_curate.reviews.decided_reviews import BY_REVIEW, BY_RULE, REVIEWS, tell_unused
from webemo_curate.reviews.review import Decision, ReviewKind
from webemo_curate.stages.stage import StageContext, TableStage
from webemo_curate.stages.targets import LEVELS, Targets, binary_targets, class_targets
from webemo_curate.table_engine import TableEngine
from webemo_curate.taxonomies import AS_LISTED, WEBEMO, Taxonomy, flat_taxonomy, load_taxonomy
from webemo_curate.verdicts import STORED, LabelVerdict
from webemo_curate.workspace import Workspace

LISTED = """
select list(distinct label) filter (label is not null), count(emotion) > 0 from listing
"""

VOTES = """
create table votes as -- how many listed lines give a cluster each of its labels
select cluster, label, count(*) as lines
from duplicates join "fetch" using (sha256) join listing using (url)
where list_contains($stored, status)
group by cluster, label
"""

TALLIES = """
create table tallies as -- and each class
select cluster, class, sum(lines)::bigint as lines
from votes join meanings using (label)
where not excluded
group by cluster, class
"""

SETTLED = """
create table settled as
with clusters as (
    select cluster, count(label) > 0 as labeled,
        list_sort(list(label) filter (label is not null)) as labels
    from votes group by cluster
), counted as (
    select cluster, sum(lines)::bigint as total, count(*) > 1 as conflict,
        max(lines, 2) as largest, -- of two classes
        arg_max(class, lines * 128 - class) as winner, -- the first class of those that have most
        coalesce(sum(lines) filter (class = 1), 0)::bigint as of_positive
    from tallies group by cluster
), judged as (
    select cluster, coalesce(labels, []) as labels,
        case when $binary then coalesce(of_positive, 0) else coalesce(largest[1], 0) end as ours,
        coalesce(total, 0) as total, coalesce(conflict, false) as conflict,
        case when $policy = 'positive' then (of_positive > 0)::tinyint else winner end as target,
        case
            when not labeled then 'unlabeled'
            when total is null then 'label_excluded'
            when conflict and $policy = 'drop' then 'label_conflict'
            when conflict and $policy = 'majority' and largest[1] = largest[2]
                then 'label_conflict'
            else 'kept'
        end as verdict
    from clusters left join counted using (cluster)
)
select cluster, labels, ours as positive_votes, total - ours as other_votes, conflict, verdict,
    case when verdict = 'kept' then target end as target
from judged
"""

CHOSEN = """
create table chosen as -- what people said of a cluster: of its keeper, else of the first by hash
with said as (
    select cluster, arg_min(decision, (sha256 <> cluster, sha256)) as decision
    from reviews join duplicates using (sha256)
    where decision = $drop or decision in (select label from meanings)
    group by cluster
)
select cluster, label, class,
    case
        when label is null then $dropped
        when excluded then 'label_excluded'
        else 'kept'
    end as said
from said left join meanings on label = decision and decision <> $drop
"""

UNUSED = """
select count(*) from reviews
where sha256 not in (select sha256 from duplicates)
    or (decision <> $drop and decision not in (select label from meanings))
"""

HONORED = """
create table honored as -- and where they said nothing the rule's word
select settled.* exclude (verdict, target), label as chosen,
    coalesce(said, settled.verdict) as verdict,
    case when said is null then settled.target when said = 'kept' then class end as target,
    settled.target as ruled_target, if(said is null, null, settled.verdict) as ruled,
    case when (select count(*) from chosen) > 0
        then if(said is null, $rule, $review) end as "by"
from settled left join chosen using (cluster)
"""

LABELS = """
with speaking as ( -- a label speaks for its cluster's target, or counts at all if there is none
    select cluster, label, lines, place,
        not excluded and (target is null or class = target) as speaks,
        not excluded and (ruled_target is null or class = ruled_target) as spoke
    from votes join meanings using (label) join honored using (cluster)
    where len(labels) > 1
), deciding as ( -- the commonest that speaks, the first by name of those
    select cluster, arg_max(label, (speaks, lines, -place)) as label,
        arg_max(label, (spoke, lines, -place)) as ruled_label
    from speaking group by cluster
)
select cluster, labels, coalesce(chosen, label, labels[1]) as label, target, positive_votes,
    other_votes, conflict, verdict, "by", ruled,
    if(ruled is null, null, coalesce(ruled_label, labels[1])) as ruled_label
from honored left join deciding using (cluster)
order by cluster
"""


class BinarizeStage(TableStage[BinarizeConfig]):
    """Gives each duplicate cluster a target, or a reason to leave.

    Parameters
    ----------
    config : BinarizeConfig
        How classes are made, and how conflicts are settled.
    taxonomy : str, optional
        Name or file of the label hierarchy; by default WEBEmo's for its lists, else the listed
        labels.
    """

    name = "binarize"
    version = 2
    inputs: ClassVar = {
        "listing": ("url", "label", "emotion"),
        "fetch": ("url", "status", "sha256"),
        "duplicates": ("sha256", "cluster"),
    }
    gate = gates.BINARIZE
    reviewed = ReviewKind.LABEL
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
        """Return the class names; None for the binary target, whose names are not recorded here."""
        if self.config.target == "binary":
            return None
        listing = workspace.read("listing", ["label", "emotion"])
        labels = pc.unique(listing["label"]).drop_null().cast(pa.string()).to_pylist()
        grouped = listing["emotion"].null_count < listing.num_rows
        return self._targets(taxonomy_of(self._taxonomy, labels, grouped), labels).names

    def derive(self, engine: TableEngine, context: StageContext) -> dict[str, pa.Table]:  # noqa: ARG002
        """Count votes (listed lines) for the classes, and settle conflicts; see `Stage.run`."""
        engine.make(VOTES, stored=[*STORED])
        self._check_votes(engine)
        listed = _listed(engine)
        taxonomy = taxonomy_of(self._taxonomy, *listed)
        targets = self._targets(taxonomy, listed[0])
        engine.add("meanings", _meanings(listed[0], targets, self._excluded(taxonomy)))
        engine.make(TALLIES)
        engine.make(SETTLED, policy=self.config.conflicts, binary=self.config.target == "binary")
        engine.drop("tallies")
        engine.make(CHOSEN, drop=str(Decision.DROP), dropped=str(LabelVerdict.DROPPED))
        engine.make(HONORED, rule=BY_RULE, review=BY_REVIEW)
        engine.drop("settled")
        if total := engine.count(REVIEWS):
            ((unused,),) = engine.rows(UNUSED, drop=str(Decision.DROP))
            tell_unused(self.name, unused, total)
        return {"labels": engine.table(LABELS)}

    def _check_votes(self, engine: TableEngine) -> None:
        """Raise if no image is left, or none has a label."""
        ((votes, labeled),) = engine.rows("select count(*), count(label) from votes")
        if not votes:
            raise InputError(
                f"binarize: no image is left of {engine.count('listing')} listed rows; "
                f"'{typed('status')}' shows where they went"
            )
        if not labeled:
            raise InputError(
                "binarize: no picture has a label, and it needs some; name the table's column with "
                f"'{typed('fetch --label-column NAME')}', or list a folder with a folder for each "
                "label. filter-text and dedup work without labels"
            )

    def _excluded(self, taxonomy: Taxonomy) -> frozenset[str]:
        """Return the labels to leave out; a name that is also a class means the class."""
        return taxonomy.covered(self.config.exclude, LEVELS.get(self.config.target))

    def _targets(self, taxonomy: Taxonomy, labels: Sequence[str]) -> Targets:
        if self.config.target == "binary":
            return binary_targets(labels, taxonomy.covered(self.config.positive, self.config.level))
        counting = sorted(set(labels) - self._excluded(taxonomy))
        return class_targets(counting, taxonomy, self.config.target)


def taxonomy_of(name: str | None, labels: Sequence[str], grouped: bool) -> Taxonomy:
    """Return the label hierarchy of a listing's labels.

    Parameters
    ----------
    name : str, optional
        Name or file of the hierarchy, if given.
    labels : sequence of str
        The labels in the listing.
    grouped : bool
        Whether the listing fills `emotion`; without a named taxonomy only WEBEmo's lists do.

    Returns
    -------
    Taxonomy
        The named taxonomy, WEBEmo's, or the listed labels without groups.
    """
    if name is None and grouped:
        name = WEBEMO
    if name in (None, AS_LISTED):
        return flat_taxonomy(labels)
    return load_taxonomy(str(name))


def _listed(engine: TableEngine) -> tuple[list[str], bool]:
    """Return the listing's labels, sorted, and whether any of them has a group."""
    ((labels, grouped),) = engine.rows(LISTED)
    return sorted(labels or []), bool(grouped)


def _meanings(labels: Sequence[str], targets: Targets, excluded: frozenset[str]) -> pa.Table:
    """Return one row for each label: its class, whether it is left out, and its place by name."""
    return pa.table(
        {
            "label": pa.array(labels, pa.string()),
            "class": pa.array([targets.of_label.get(label) for label in labels], pa.int8()),
            "excluded": pa.array([label in excluded for label in labels], pa.bool_()),
            "place": pa.array(range(len(labels)), pa.int32()),
        }
    )
