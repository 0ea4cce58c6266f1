"""The undersample stage: leave out images of the larger classes until the shares are right."""

from typing import ClassVar

import pyarrow as pa

from webemo_curate import gates
from webemo_curate.config import UndersampleConfig
from webemo_curate.sampling import draw
from webemo_curate.stages.class_sizes import check_kept, class_sizes, wanted_shares
from webemo_curate.stages.stage import StageContext, TableStage
from webemo_curate.stages.targets import recorded_classes, target_names
from webemo_curate.table_engine import TableEngine
from webemo_curate.workspace import Workspace

COUNTS = "select target, count(*) from labels where verdict = 'kept' group by target"

SAMPLE = """
with drawn as ( -- every image has a number of its own, whatever images stand beside it
    select cluster as sha256, target, label,
        unhex(substr(sha256($draw || cluster), 1, 16)) as number
    from labels where verdict = 'kept'
), placed as ( -- by it each has its place in its label, as a fraction of the label
    select *, (row_number() over (partition by target, label order by number, sha256) - 0.5::double)
        / count(*) over (partition by target, label) as share
    from drawn
), ranked as ( -- the lowest fractions are kept: every label keeps its share to within one image
    select *, row_number() over (partition by target order by share, number, sha256) as rank
    from placed
)
select sha256, target, label, rank <= size as kept, $seed::bigint as seed
from ranked join wanted using (target)
order by sha256
"""


class UndersampleStage(TableStage[UndersampleConfig]):
    """Draws the sample, stratified over the labels within each class."""

    name = "undersample"
    inputs: ClassVar = {"labels": ("cluster", "target", "label", "verdict")}
    gate = gates.UNDERSAMPLE
    outputs = ("sample",)

    def classes(self, workspace: Workspace) -> tuple[str, ...] | None:
        """Return the names of the classes; None of the binary target."""
        return recorded_classes(workspace)

    def derive(self, engine: TableEngine, context: StageContext) -> dict[str, pa.Table]:
        """Keep as many of each class as the shares and size ask for; see `Stage.run`."""
        names = target_names(context.workspace)
        found = dict(engine.rows(COUNTS))
        counts = {name: found.get(number, 0) for number, name in enumerate(names)}
        binary = self.classes(context.workspace) is None
        shares = wanted_shares(self.config, counts, binary=binary)
        wanted = class_sizes(counts, shares, self.config.size)
        check_kept(counts, wanted, binary=binary)
        numbers = pa.array(range(len(names)), pa.int8())
        sizes = pa.array([wanted[name] for name in names], pa.int64())
        engine.add("wanted", pa.table({"target": numbers, "size": sizes}))
        seed = self.config.seed
        return {"sample": engine.table(SAMPLE, seed=seed, draw=draw(seed, self.name))}
