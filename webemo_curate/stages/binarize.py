"""The binarize stage: combine all labels of a picture into one class."""

from collections.abc import Sequence
from typing import ClassVar

import pyarrow as pa
import pyarrow.compute as pc

from webemo_curate import gates
from webemo_curate.config import BinarizeConfig
from webemo_curate.reviews.decided_reviews import BY_REVIEW, BY_RULE, REVIEWS, tell_unused
from webemo_curate.reviews.review import Decision, ReviewKind
from webemo_curate.stages.label_votes import check_votes, count_votes
from webemo_curate.stages.stage import StageContext, TableStage
from webemo_curate.stages.targets import LEVELS, Targets, binary_targets, class_targets
from webemo_curate.table_engine import TableEngine
from webemo_curate.taxonomies import AS_LISTED, WEBEMO, Taxonomy, flat_taxonomy, load_taxonomy
from webemo_curate.verdicts import LabelVerdict
from webemo_curate.workspace import Workspace

LISTED = """
select list(distinct label) filter (label is not null), count(emotion) > 0 from listing
"""

VERDICT_TYPE = f"create type verdict as enum {tuple(map(str, LabelVerdict))}"

MEANINGS = """
create table meanings as -- of each label: its class, and whether it is left out
select label::listed_label as label, class, excluded from meant
"""

TALLIES = """
create table tallies as -- how many lines give a cluster each class
select number, class, sum(lines)::bigint as lines
from votes join meanings using (label)
where not excluded
group by number, class
"""

SETTLED = """
create table settled as
with labeled as (
    select number, min(label) as label, count(label) as labels from votes group by number
), counted as (
    select number, sum(lines)::bigint as total, count(*) > 1 as conflict, max(lines) as most,
        arg_max(class, lines * 128 - class) as winner, -- the first class of those that have most
        arg_max(class, lines * 128 + class) as rival, -- the last of them
        coalesce(sum(lines) filter (class = 1), 0)::bigint as of_positive
    from tallies group by number
), judged as (
    select number, label, labels > 1 as several,
        case when $binary then coalesce(of_positive, 0) else coalesce(most, 0) end as ours,
        coalesce(total, 0) as total, coalesce(conflict, false) as conflict,
        case when $policy = 'positive' then (of_positive > 0)::tinyint else winner end as target,
        case
            when labels = 0 then 'unlabeled'
            when total is null then 'label_excluded'
            when conflict and $policy = 'drop' then 'label_conflict'
            when conflict and $policy = 'majority' and winner <> rival then 'label_conflict'
            else 'kept'
        end::verdict as verdict
    from labeled left join counted using (number)
)
select number, label, several, ours as positive_votes, total - ours as other_votes, conflict,
    verdict, case when verdict = 'kept' then target end as target
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
select number, label as chosen, class,
    case
        when label is null then $dropped
        when excluded then 'label_excluded'
        else 'kept'
    end::verdict as said
from said join clusters using (cluster)
    left join meanings on label = decision and decision <> $drop
"""

UNUSED = """
select count(*) from reviews
where sha256 not in (select sha256 from duplicates)
    or (decision <> $drop and decision not in (select label from meanings))
"""

HONORED = """
create view honored as -- and where they said nothing the rule's word
select settled.* exclude (verdict, target), chosen, coalesce(said, settled.verdict) as verdict,
    case when said is null then settled.target when said = 'kept' then class end as target,
    settled.target as ruled_target, if(said is null, null, settled.verdict) as ruled
from settled left join chosen using (number)
"""

TOLD = """
create table told as
with speaking as ( -- a label speaks for its cluster's target, or counts at all if there is none
    select number, votes.label, lines, enum_code(votes.label)::integer as place,
        not excluded and (target is null or class = target) as speaks,
        not excluded and (ruled_target is null or class = ruled_target) as spoke
    from votes join meanings using (label) join honored using (number)
    where several
), deciding as ( -- the commonest that speaks, the first by name of those
    select number, list_sort(list(label)) as labels,
        arg_max(label, (speaks, lines, -place)) as speaker,
        arg_max(label, (spoke, lines, -place)) as ruled_speaker
    from speaking group by number
)
select number, coalesce(labels, if(label is null, [], [label])) as labels,
    coalesce(chosen, speaker, label) as label, target, positive_votes, other_votes, conflict,
    verdict, ruled, if(ruled is null, null, coalesce(ruled_speaker, label)) as ruled_label
from honored left join deciding using (number)
"""

LABELS = """
select cluster, labels::varchar[] as labels, label::varchar as label, target, positive_votes,
    other_votes, conflict, verdict::varchar as verdict,
    case when (select count(*) from chosen) > 0
        then if(ruled is null, $rule, $review) end as "by",
    ruled::varchar as ruled, ruled_label::varchar as ruled_label
from told join clusters using (number)
where number > $after and number <= $up_to
order by number
"""


SPAN = 2**20
"""Clusters whose names are sorted at a time: of more, a sort spills most of what it holds."""


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
        listed = _listed(engine)
        engine.make(VERDICT_TYPE)
        count_votes(engine)
        check_votes(engine)
        taxonomy = taxonomy_of(self._taxonomy, *listed)
        targets = self._targets(taxonomy, listed[0])
        engine.add("meant", _meanings(listed[0], targets, self._excluded(taxonomy)))
        engine.make(MEANINGS)
        engine.make(TALLIES)
        engine.make(SETTLED, policy=self.config.conflicts, binary=self.config.target == "binary")
        engine.drop("tallies")
        engine.make(CHOSEN, drop=str(Decision.DROP), dropped=str(LabelVerdict.DROPPED))
        engine.make(HONORED)
        if total := engine.count(REVIEWS):
            ((unused,),) = engine.rows(UNUSED, drop=str(Decision.DROP))
            tell_unused(self.name, unused, total)
        engine.make(TOLD)
        engine.drop("votes")
        spans = [{"after": n, "up_to": n + SPAN} for n in range(0, engine.count("clusters"), SPAN)]
        return {"labels": engine.table(LABELS, spans, rule=BY_RULE, review=BY_REVIEW)}

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
    """Return one row for each label: its class, and whether it is left out."""
    return pa.table(
        {
            "label": pa.array(labels, pa.string()),
            "class": pa.array([targets.of_label.get(label) for label in labels], pa.int8()),
            "excluded": pa.array([label in excluded for label in labels], pa.bool_()),
        }
    )
