"""The base of stages: named tables in, named tables out, run through a context."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
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
        Holds images and earlier manifests.
    runner
        Runs row-local work.
    fingerprint
        Digest of what this run computes; identifies its checkpoints.
    memory
        Bytes that work on whole tables may hold; None for a share of the machine's memory.
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
        Unique name; also that of its manifest, if it writes only one.
    version
        Raised whenever equal inputs and configuration would give another result.
    inputs
        The manifests read, each with the columns to load.
    outputs
        Names of the manifests written.
    gate
        Where its verdicts let rows pass or leave; None if no row leaves here.
    reviewed
        The kind of people's decisions that it honors; None if it honors none.
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
        """Return digests of inputs other than manifests, by name."""
        return {}

    def reads(self) -> Mapping[str, tuple[str, ...]]:
        """Return `inputs`, and further inputs that the configuration requires."""
        return self.inputs

    def reviews(self, workspace: Workspace) -> dict[str, pa.Table]:
        """Return the people's decisions that it honors, under their name among its tables."""
        return {} if self.reviewed is None else {REVIEWS: decided(workspace, self.reviewed)}

    def review_inputs(self, workspace: Workspace) -> dict[str, str]:
        """Return the digest of those decisions; empty if there are none."""
        return reviews_digest(self.reviews(workspace)[REVIEWS]) if self.reviewed else {}

    def load(self, workspace: Workspace) -> Tables:
        """Read only the declared columns of the inputs, because they determine the memory used."""
        tables = {name: workspace.read(name, [*columns]) for name, columns in self.reads().items()}
        return tables | self.reviews(workspace)

    def classes(self, workspace: Workspace) -> tuple[str, ...] | None:  # noqa: ARG002
        """Return the names of the targets in its outputs; None if rows have no target."""
        return None

    def demand(self, workspace: Workspace) -> str | None:  # noqa: ARG002
        """Say why the stage must run although it is current (a requested retry, say)."""
        return None

    @abstractmethod
    def run(self, tables: Tables, context: StageContext) -> dict[str, pa.Table]:
        """Compute the outputs.

        Parameters
        ----------
        tables : Mapping of str to pa.Table
            The manifests named in `inputs`, with at least the columns named there; `reviews`, if
            there are any.
        context : StageContext
            Workspace and runner.

        Returns
        -------
        dict of str to pa.Table
            A table for each name in `outputs`; the pipeline sorts, checks and writes them.
        """


Build = Callable[[PipelineConfig], list[Stage[StageConfig]]]
"""Makes the stages of a configuration, in the order in which they run."""


class TableStage(Stage[ConfigT]):
    """A stage whose tables need not fit in memory: an engine reads, joins and sorts them."""

    def load(self, workspace: Workspace) -> Tables:
        """Open the declared columns of the inputs, which the engine reads as needed."""
        tables = {name: workspace.scan(name, columns) for name, columns in self.reads().items()}
        return tables | self.reviews(workspace)

    def run(self, tables: Tables, context: StageContext) -> dict[str, pa.Table]:
        """Derive the outputs; see `Stage.run`."""
        from webemo_curate.table_engine import TableEngine  # loads pandas

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
        """Compute the outputs by queries over the inputs, which have their manifests' names.

        Parameters
        ----------
        engine : TableEngine
            Runs the queries.
        context : StageContext
            Workspace and runner.

        Returns
        -------
        dict of str to pa.Table
            See `Stage.run`.
        """


class RowLocalStage(Stage[ConfigT]):
    """A stage whose output rows each come from one input row; a runner runs it in partitions."""

    seconds_a_row: ClassVar[float]
    """Approximate time a core takes for a row; used only to estimate the time left."""

    form: ClassVar[str] = ""
    """Distinguishes its partial results from those of an earlier release, which lack columns
    although their fingerprint is the same, because the manifest is."""

    @property
    def resources(self) -> Resources:
        """Resources that a worker needs."""
        return Resources()

    @property
    @abstractmethod
    def partition_rows(self) -> int:
        """Rows handed to a worker at a time."""

    @abstractmethod
    def select(self, tables: Tables) -> pa.Table:
        """Return the rows to process.

        Each has the `path` of an image; a worker also gets the `place` to read it from.
        """

    @abstractmethod
    def worker(self, context: StageContext) -> Worker:
        """Return the picklable worker."""

    def run(self, tables: Tables, context: StageContext) -> dict[str, pa.Table]:
        """Run the worker over the selected rows; see `Stage.run`."""
        (output,) = self.outputs
        return {output: self.work(tables, context)}

    def work(self, tables: Tables, context: StageContext) -> pa.Table:
        """Return the worker's results for the selected rows, in order."""
        worker = self.worker(context)
        rows = self.select(tables)
        places = context.workspace.images.places(rows["path"].combine_chunks())
        job = Job(
            name=self.name,
            worker=worker,
            # Neighbors are read together, so they are processed together.
            rows=rows.append_column("place", places).sort_by("place"),
            checkpoints=context.workspace.checkpoints(self.name, context.fingerprint + self.form),
            partition_rows=self.partition_rows,
            resources=self.resources,
        )
        return conform(context.runner.run(job), worker.output_schema)
