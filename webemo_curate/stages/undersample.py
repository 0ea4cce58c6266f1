"""The undersample stage: leave out images of the larger classes until the shares are right."""

from collections.abc import Mapping
from fractions import Fraction
from typing import Any, ClassVar

import pyarrow as pa

from webemo_curate import gates
from webemo_curate.config import LabelIssuesConfig, UndersampleConfig
from webemo_curate.errors import InputError
from webemo_curate.gates import LABEL_ISSUE
from webemo_curate.reviews.decided_reviews import BY_REVIEW
from webemo_curate.sampling import draw
from webemo_curate.stages.class_sizes import check_kept, class_sizes, wanted_shares
from webemo_curate.stages.stage import StageContext, TableStage
from webemo_curate.stages.targets import recorded_classes, target_names
from webemo_curate.table_engine import TableEngine
from webemo_curate.workspace import Workspace

JUDGED = """
create table judged as -- labels that stand as they were when doubted, but those a person decided
select cluster, labels.target, labels.label, score,
    row_number() over (order by score, cluster) as place
from labels join label_issues on sha256 = cluster
where verdict = 'kept' and "by" is distinct from $review and labels.label = label_issues.label
"""

DOUBTED = """
create table doubted as -- the worst scores; the first that stays is what they had to reach
select cluster, target, label, score,
    (select min(score) from judged where place > $worst) as threshold
from judged where place <= $worst
"""

NONE_DOUBTED = """
create table doubted (
    cluster varchar, target tinyint, label varchar, score double, threshold double
)
"""

CANDIDATES = """
create table candidates as -- numbered as they stand in the manifest, which is by their names
select row_number() over () as place, cluster, target, label from labels
where verdict = 'kept' and cluster not in (select cluster from doubted)
"""

COUNTS = "select target, count(*) from candidates group by target"

RANKED = """
create table ranked as
with drawn as ( -- every image has a number of its own, whatever images stand beside it
    select place, target, label, unhex(substr(sha256($draw || cluster), 1, 16)) as number
    from candidates join wanted using (target) where size < available
), shared as ( -- by it each has a fraction of its label
    select *, (row_number() over (partition by target, label order by number, place) - 0.5::double)
        / count(*) over (partition by target, label) as share
    from drawn
) -- the lowest fractions are kept: every label keeps its share to within one image
select place, row_number() over (partition by target order by share, number, place) as rank
from shared
"""

SAMPLE = """
select cluster as sha256, target, label,
    coalesce(rank <= size, true) as kept, -- a class that is kept whole needs no draw
    $seed::bigint as seed, null as reason, null::double as score, null::double as threshold
from candidates join wanted using (target) left join ranked using (place)
union all
select cluster, target, label, false, $seed::bigint, $issue, score, threshold from doubted
order by sha256
"""


class UndersampleStage(TableStage[UndersampleConfig]):
    """Draws the sample, stratified over the labels within each class.

    Parameters
    ----------
    config : UndersampleConfig
        How the classes are balanced.
    doubts : LabelIssuesConfig, optional
        Whether images leave first for labels that a network doubts; default none do.
    """

    name = "undersample"
    inputs: ClassVar = {"labels": ("cluster", "target", "label", "verdict")}
    gate = gates.UNDERSAMPLE
    outputs = ("sample",)

    def __init__(self, config: UndersampleConfig, doubts: LabelIssuesConfig | None = None) -> None:
        super().__init__(config)
        self._doubts = doubts or LabelIssuesConfig()

    def configuration(self) -> dict[str, Any]:
        """Return the settings; where none leave for their label, as before such were doubted."""
        worst = self._doubts.drop_worst
        return super().configuration() | ({} if worst is None else {"drop_worst": worst})

    def reads(self) -> Mapping[str, tuple[str, ...]]:
        """Return `inputs`, and the doubts where images leave for them."""
        if self._doubts.drop_worst is None:
            return self.inputs
        labels = {"labels": (*self.inputs["labels"], "by")}
        return {**labels, "label_issues": ("sha256", "label", "score")}

    def classes(self, workspace: Workspace) -> tuple[str, ...] | None:
        """Return the class names; None for the binary target."""
        return recorded_classes(workspace)

    def derive(self, engine: TableEngine, context: StageContext) -> dict[str, pa.Table]:
        """Keep as many of each class as the shares and the size require; see `Stage.run`."""
        names = target_names(context.workspace)
        self._doubt(engine, context.workspace)
        engine.make(CANDIDATES)
        found = dict(engine.rows(COUNTS))
        counts = {name: found.get(number, 0) for number, name in enumerate(names)}
        binary = self.classes(context.workspace) is None
        shares = wanted_shares(self.config, counts, binary=binary)
        # What no size mends is said first: a class without images.
        for size in (None, self.config.size):
            wanted = class_sizes(counts, shares, size)
            check_kept(counts, wanted, binary=binary)
        numbers = pa.array(range(len(names)), pa.int8())
        sizes = {"size": [wanted[n] for n in names], "available": [counts[n] for n in names]}
        engine.add("wanted", pa.table({"target": numbers, **sizes}))
        seed = self.config.seed
        engine.make(RANKED, draw=draw(seed, self.name))
        return {"sample": engine.table(SAMPLE, seed=seed, issue=LABEL_ISSUE)}

    def _doubt(self, engine: TableEngine, workspace: Workspace) -> None:
        """Find the images that leave for their label: a share of those that have a score."""
        worst = self._doubts.drop_worst
        if worst is None:
            engine.make(NONE_DOUBTED)
            return
        _check_classes(workspace)
        engine.make(JUDGED, review=BY_REVIEW)
        count = int(Fraction(str(worst)) * engine.count("judged") / 100)
        engine.make(DOUBTED, worst=count)


def _check_classes(workspace: Workspace) -> None:
    """Refuse doubts of other classes than are told apart now."""
    doubts, names = workspace.info("label_issues"), target_names(workspace)
    if doubts is None or doubts.origin.configuration.get("doubt") != "classes":
        return
    if doubts.classes != names:
        raise InputError(
            f"{workspace.where('label_issues')}: doubts the classes "
            f"{', '.join(doubts.classes or ())}, and the set has {', '.join(names)}; run "
            f"'{workspace.writing('label_issues')}' again, or give --drop-worst none"
        )
