"""The base of stages: named tables in, named tables out, run through a context."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Generic, TypeVar

import pyarrow as pa

from webemo_curate.config import PipelineConfig, StageConfig
from webemo_curate.conform import conform
from webemo_curate.gates import Gate
from webemo_curate.reviews.decided_reviews import DECIDED, REVIEWS, decided, reviews_digest
from webemo_curate.reviews.review import ReviewKind
from webemo_curate.runner.job import Job, Resources, Runner, Worker
from webemo_curate.workspace import Workspace

if TYPE_CHECKING:
    from webemo_curate.table_engine import TableEngine

ConfigT = TypeVar("ConfigT", bound=StageConfig)
Tables = Mapping[str, pa.Table]


@dataclass(frozen=True)
class StageContext:
    """What a stage may use besides its input tables.

    Attributes
    ----------
    workspace
        Images and earlier manifests.
    runner
        Runs row-local work.
    fingerprint
        Digest of what this run computes; keys its checkpoints.
    memory
        Bytes that work on whole tables may hold; None for a part of the machine's.
    """

    workspace: Workspace
    runner: Runner
    fingerprint: str
    memory: int | None = None


class Stage(ABC, Generic[ConfigT]):
    """A step of the pipeline.

    Parameters
    ----------
    config : StageConfig
        The stage's own configuration.

    Attributes
    ----------
    name
        Unique name; also that of the manifest where the stage writes one alone.
    version
        Raised whenever equal inputs and configuration would give another result.
    inputs
        The manifests read, each with the columns that are loaded of it.
    outputs
        Names of the manifests written.
    gate
        Where its verdicts let rows pass or leave; None if no row leaves here.
    reviewed
        The kind of people's decisions that it honors; None if none concern it.
    """

    name: ClassVar[str]
    version: ClassVar[int] = 1
    inputs: ClassVar[Mapping[str, tuple[str, ...]]]
    outputs: ClassVar[tuple[str, ...]]
    gate: ClassVar[Gate | None] = None
    reviewed: ClassVar[ReviewKind | None] = None

    def __init__(self, config: ConfigT) -> None:
        self.config = config

    def configuration(self) -> dict[str, Any]:
        """Return the settings that can change the result; they enter the fingerprint."""
        return self.config.fingerprint()

    def sections(self, config: PipelineConfig) -> list[str]:
        """Return the sections of a configuration that it works by, or by a part of."""
        own = tuple(type(value) for value in vars(self).values() if isinstance(value, StageConfig))
        return [
            name for name in type(config).model_fields if isinstance(getattr(config, name), own)
        ]

    def extra_inputs(self) -> dict[str, str]:
        """Return digests of inputs that are no manifests, by name."""
        return {}

    def reads(self) -> Mapping[str, tuple[str, ...]]:
        """Return `inputs`, with what is read besides as it is configured."""
        return self.inputs

    def reviews(self, workspace: Workspace) -> dict[str, pa.Table]:
        """Return the decisions of people that it honors, under their name among its tables."""
        return {} if self.reviewed is None else {REVIEWS: decided(workspace, self.reviewed)}

    def review_inputs(self, workspace: Workspace) -> dict[str, str]:
        """Return the digest of those decisions; where there are none, they are no input."""
        return reviews_digest(self.reviews(workspace)[REVIEWS]) if self.reviewed else {}

    def load(self, workspace: Workspace) -> Tables:
        """Read the declared columns of the inputs, and no others: they decide the memory."""
        tables = {name: workspace.read(name, [*columns]) for name, columns in self.reads().items()}
        return tables | self.reviews(workspace)

    def classes(self, workspace: Workspace) -> tuple[str, ...] | None:  # noqa: ARG002
        """Return the names of the targets in its outputs; None where rows have no target."""
        return None

    def demand(self, workspace: Workspace) -> str | None:  # noqa: ARG002
        """Say why the stage must run although it is current (a retry asked for, say)."""
        return None

    @abstractmethod
    def run(self, tables: Tables, context: StageContext) -> dict[str, pa.Table]:
        """Compute the outputs.

        Parameters
        ----------
        tables : Mapping of str to pa.Table
            The manifests named in `inputs`, at least with the columns named there, and `reviews`
            where there are some.
        context : StageContext
            Workspace and runner.

        Returns
        -------
        dict of str to pa.Table
            A table for each name in `outputs`; the pipeline sorts, checks and writes them.
        """


class TableStage(Stage[ConfigT]):
    """A stage whose tables an engine reads, joins and sorts: they need not fit in memory."""

    def load(self, workspace: Workspace) -> Tables:
        """Open the declared columns of the inputs; the engine reads them as it needs them."""
        tables = {name: workspace.scan(name, columns) for name, columns in self.reads().items()}
        return tables | self.reviews(workspace)

    def run(self, tables: Tables, context: StageContext) -> dict[str, pa.Table]:
        """Derive the outputs; see `Stage.run`."""
        from webemo_curate.table_engine import TableEngine  # it loads pandas

        declared = {
            name: tables[name].select([*columns])
            if isinstance(tables[name], pa.Table)
            else tables[name]
            for name, columns in self.reads().items()
        }
        if self.reviewed is not None:
            reviews = tables.get(REVIEWS, DECIDED.empty_table())
            entries = pa.array(range(reviews.num_rows), pa.int64())
            declared[REVIEWS] = reviews.append_column("entry", entries)
        with TableEngine(context.workspace.root, declared, context.memory) as engine:
            return self.derive(engine, context)

    @abstractmethod
    def derive(self, engine: "TableEngine", context: StageContext) -> dict[str, pa.Table]:
        """Compute the outputs by queries over the inputs, which are there under their names.

        Parameters
        ----------
        engine : TableEngine
            Runs them.
        context : StageContext
            Workspace and runner.

        Returns
        -------
        dict of str to pa.Table
            As of `Stage.run`.
        """


class RowLocalStage(Stage[ConfigT]):
    """A stage whose every output row comes from one input row: run by a runner, in partitions."""

    seconds_a_row: ClassVar[float]
    """How long a core takes, about: what is said of the time left is made of it, nothing else."""

    form: ClassVar[str] = ""
    """Tells its partial results from those of an earlier release that lack columns, whose
    fingerprint is the same since the manifest is."""

    @property
    def resources(self) -> Resources:
        """What a worker needs."""
        return Resources()

    @property
    @abstractmethod
    def partition_rows(self) -> int:
        """Rows handed to a worker at a time."""

    @abstractmethod
    def select(self, tables: Tables) -> pa.Table:
        """Return the rows to work on.

        Each has the `path` of an image; a worker gets it with the `place` to read it from.
        """

    @abstractmethod
    def worker(self, context: StageContext) -> Worker:
        """Return the picklable worker."""

    def run(self, tables: Tables, context: StageContext) -> dict[str, pa.Table]:
        """Run the worker over the selected rows; see `Stage.run`."""
        (output,) = self.outputs
        return {output: self.work(tables, context)}

    def work(self, tables: Tables, context: StageContext) -> pa.Table:
        """Return what the worker makes of the selected rows, in their order."""
        worker = self.worker(context)
        rows = self.select(tables)
        places = context.workspace.images.places(rows["path"].combine_chunks())
        job = Job(
            name=self.name,
            worker=worker,
            # Neighbors are read together, so they are worked on together.
            rows=rows.append_column("place", places).sort_by("place"),
            checkpoints=context.workspace.checkpoints(self.name, context.fingerprint + self.form),
            partition_rows=self.partition_rows,
            resources=self.resources,
        )
        return conform(context.runner.run(job), worker.output_schema)
