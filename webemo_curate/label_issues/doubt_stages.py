"""The two stages of doubted labels: answers out of fold, which take long, and what they say.

No run of the pipeline includes them: they are made when asked for, and what they say is evidence
that people and `undersample --drop-worst` may use, as reviews are.
"""

from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from webemo_curate.config import LabelIssuesConfig, PipelineConfig, StageConfig
from webemo_curate.errors import InputError
from webemo_curate.label_issues.confident_learning import Doubts, doubt
from webemo_curate.optional_packages import require_package
from webemo_curate.runner.work_context import WorkContext
from webemo_curate.runs import check_weights, weights_digest
from webemo_curate.stages.binarize import BinarizeStage
from webemo_curate.stages.label_votes import count_votes
from webemo_curate.stages.stage import Build, Stage, StageContext, Tables, TableStage
from webemo_curate.stages.targets import recorded_classes, target_names
from webemo_curate.table_engine import TableEngine
from webemo_curate.verdicts import MOST_CLASSES, LabelVerdict
from webemo_curate.workspace import Workspace

LABELED = """
select cluster as sha256, path, label, target, "group"
from labels join images on images.sha256 = cluster join duplicates on duplicates.sha256 = cluster
where verdict = 'kept' order by cluster
"""

CLASS_LINES = """
create table counted as -- of each cluster; a person's word is not held against what was listed
select cluster, positive_votes + other_votes as total,
    case
        when "by" = 'review' then positive_votes + other_votes
        when $binary and target = 0 then other_votes
        else positive_votes
    end as own
from labels
"""

LABEL_LINES = """
create table counted as
select cluster, sum(votes.lines) as total,
    case
        when any_value("by") = 'review' then sum(votes.lines)
        else sum(votes.lines) filter (votes.label = labels.label)
    end as own
from votes join clusters using (number) join labels using (cluster)
group by cluster
"""

ASKED = """
select sha256, label, target, probability, coalesce(total, 0)::integer as lines,
    (coalesce(total, 0) - coalesce(own, 0))::integer as other_lines
from out_of_fold left join counted on cluster = sha256
order by sha256
"""


class OutOfFoldStage(Stage[LabelIssuesConfig]):
    """Trains a network for each fold on the others; it answers the images it has not seen.

    Parameters
    ----------
    config : PipelineConfig
        Its sections `label_issues` and `train` decide; others say how pictures are packed.
    """

    name = "out_of_fold"
    inputs: ClassVar = {
        "labels": ("cluster", "label", "target", "verdict"),
        "images": ("sha256", "path"),
        "duplicates": ("sha256", "group"),
    }
    outputs = ("out_of_fold",)

    def __init__(self, config: PipelineConfig) -> None:
        super().__init__(config.label_issues)
        self._pipeline = config
        self._train = config.train.model_copy(update={"tensorboard": False, "seeds": 1})

    def configuration(self) -> dict[str, Any]:
        """Return what decides the answers; a file of weights that is not here is said now."""
        check_weights(self._train)
        own = {"doubt": self.config.doubt, "folds": self.config.folds}
        return own | self._train.fingerprint()

    def extra_inputs(self) -> dict[str, str]:
        """Return the digest of the file of weights, if one is named."""
        digest = weights_digest(self._train)
        return {"weights": digest} if digest else {}

    def classes(self, workspace: Workspace) -> tuple[str, ...]:
        """Return the names of what is told apart: the classes, or the listed labels."""
        if self.config.doubt == "classes":
            return target_names(workspace)
        labels = workspace.read("labels", ["label", "verdict"])
        kept = pc.equal(labels["verdict"].cast(pa.string()), LabelVerdict.KEPT.value)
        return tuple(sorted(pc.unique(labels.filter(kept)["label"]).to_pylist()))

    def run(self, tables: Tables, context: StageContext) -> dict[str, pa.Table]:
        """Train fold by fold; see `Stage.run` and `FoldTraining`."""
        from webemo_curate.label_issues.fold_division import check_folds, divide_folds

        names = self.classes(context.workspace)
        if len(names) > MOST_CLASSES:
            raise InputError(
                f"label-issues: {len(names)} labels, and there can be {MOST_CLASSES}; give "
                "--doubt classes"
            )
        with TableEngine(context.workspace.root, tables, context.memory) as engine:
            rows = engine.table(LABELED)
        if self.config.doubt == "labels":
            numbers = pc.index_in(rows["label"], pa.array(names)).cast(pa.int8())
            rows = rows.set_column(rows.column_names.index("target"), "target", numbers)
        targets = rows["target"].to_numpy().astype(np.int64)
        seed = self._train.seed
        fold = divide_folds(rows["group"].to_pylist(), targets, self.config.folds, seed)
        check_folds(fold, targets, names)
        answers = self._answers(rows, fold, context, len(names))
        kind = pa.list_(pa.float32())
        table = rows.select(["sha256", "label", "target"]).append_column("fold", pa.array(fold))
        table = table.append_column("probability", pa.array(answers.tolist(), kind))
        return {"out_of_fold": table}

    def _answers(
        self, rows: pa.Table, fold: NDArray[np.int64], context: StageContext, classes: int
    ) -> NDArray[np.float32]:
        from webemo_curate.dataset.labeled_images import open_images
        from webemo_curate.label_issues.fold_training import FoldTraining
        from webemo_curate.models.devices import choose_device, make_reproducible

        device = choose_device(self._train.device)
        make_reproducible(device, deterministic=self._train.deterministic)
        work = WorkContext(context.workspace, self._pipeline)
        images = open_images(rows, self._train, work)
        folds = FoldTraining(
            *(context.workspace, self.name, context.fingerprint, self._train, device, classes)
        )
        return folds.answers(images, fold)


class LabelIssuesStage(TableStage[LabelIssuesConfig]):
    """Ranks the given labels by what confident learning makes of the answers; seconds."""

    name = "label_issues"
    inputs: ClassVar = {
        "out_of_fold": ("sha256", "label", "target", "probability"),
        "labels": ("cluster", "label", "target", "positive_votes", "other_votes", "by"),
    }
    outputs = ("label_issues", "label_noise")

    def configuration(self) -> dict[str, Any]:
        """Return what is doubted; what is dropped is decided by `undersample`."""
        require_package("cleanlab")
        return {"doubt": self.config.doubt}

    def reads(self) -> Mapping[str, tuple[str, ...]]:
        """Return `inputs`, and the listed lines where single labels are doubted."""
        listed = {
            "listing": ("url", "label"),
            "fetch": ("url", "status", "sha256"),
            "duplicates": ("sha256", "cluster"),
        }
        return {**self.inputs, **(listed if self.config.doubt == "labels" else {})}

    def classes(self, workspace: Workspace) -> tuple[str, ...] | None:
        """Return the names that the answers were made with."""
        answered = workspace.info("out_of_fold")
        return answered.classes if answered else None

    def derive(self, engine: TableEngine, context: StageContext) -> dict[str, pa.Table]:
        """Score and rank every label, and estimate the noise; see `Stage.run`."""
        names = self.classes(context.workspace) or ()
        if self.config.doubt == "labels":
            count_votes(engine)
            engine.make(LABEL_LINES)
        else:
            engine.make(CLASS_LINES, binary=recorded_classes(context.workspace) is None)
        asked = engine.table(ASKED)
        given = asked["target"].to_numpy().astype(np.int64)
        values = asked["probability"].combine_chunks().flatten().to_numpy()
        answers = values.reshape(-1, len(names)).astype(np.float64)
        lines, others = (asked[name].to_numpy() for name in ("lines", "other_lines"))
        found = doubt(given, answers, 1 - others / np.maximum(lines, 1))
        return {
            "label_issues": _ranked(asked, answers, found, np.array(names, object)),
            "label_noise": _noise(found.joint, names),
        }


def _ranked(
    asked: pa.Table, answers: NDArray[np.float64], found: Doubts, names: NDArray[Any]
) -> pa.Table:
    """Return the rows of `label_issues`, the most doubtful first; equal scores by hash."""
    given, rows = asked["target"].to_numpy().astype(np.int64), np.arange(asked.num_rows)
    order = np.argsort(found.score, kind="stable")
    table = asked.select(["sha256", "label", "lines", "other_lines"])
    columns = {
        "given": pa.array(names[given], pa.string()),
        "suggested": pa.array(names[found.suggested], pa.string()),
        "score": pa.array(found.score),
        "given_probability": pa.array(answers[rows, given]),
        "suggested_probability": pa.array(answers[rows, found.suggested]),
        "issue": pa.array(found.issue),
    }
    for name, column in columns.items():
        table = table.append_column(name, column)
    return table.take(pa.array(order)).append_column("rank", pa.array(rows + 1))


def _noise(joint: NDArray[np.float64], names: tuple[str, ...]) -> pa.Table:
    """Return the joint of given and likely labels, a row a pair."""
    count = len(names)
    return pa.table(
        {
            "given": pa.array(np.repeat(names, count), pa.string()),
            "likely": pa.array(np.tile(names, count), pa.string()),
            "share": pa.array(joint.ravel()),
        }
    )


def with_doubts(build: Build) -> Build:
    """Put the two stages after binarize into those that a function makes.

    Parameters
    ----------
    build : callable
        Makes the stages of a configuration, in their order.

    Returns
    -------
    callable
        Makes those and these.
    """

    def made(config: PipelineConfig) -> list[Stage[StageConfig]]:
        stages = build(config)
        place = [stage.name for stage in stages].index(BinarizeStage.name) + 1
        doubts: Any = [OutOfFoldStage(config), LabelIssuesStage(config.label_issues)]
        return [*stages[:place], *doubts, *stages[place:]]

    return made
