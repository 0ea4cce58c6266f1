"""The stage graph: find out which stages are stale and why, and run them in order."""

import json
import logging
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass

import pyarrow as pa

from webemo_curate.accounting import FunnelStep, funnel
from webemo_curate.config import PUBLISHED, PipelineConfig, StageConfig
from webemo_curate.errors import CurateError, InputError
from webemo_curate.machine import usable_cores
from webemo_curate.manifest import ManifestInfo, Origin
from webemo_curate.progress import work_ahead
from webemo_curate.runner.factory import make_runner
from webemo_curate.runner.job import Runner
from webemo_curate.sources.published_lists import KEPT, has_published_lists, published_lists
from webemo_curate.sources.resolve import check_there
from webemo_curate.stages.binarize import BinarizeStage
from webemo_curate.stages.decisions import DecisionsStage
from webemo_curate.stages.dedup import DedupStage
from webemo_curate.stages.expected_time import ExpectedTime
from webemo_curate.stages.features import FeaturesStage
from webemo_curate.stages.fetch import FetchStage
from webemo_curate.stages.images import ImagesStage
from webemo_curate.stages.listing import ListingStage
from webemo_curate.stages.ocr import OcrStage
from webemo_curate.stages.pairs import PairsStage
from webemo_curate.stages.quality import QualityStage
from webemo_curate.stages.split import SplitStage
from webemo_curate.stages.stage import Build, Stage, StageContext
from webemo_curate.stages.text import TextStage
from webemo_curate.stages.undersample import UndersampleStage
from webemo_curate.staleness import changed_classes, difference
from webemo_curate.system_faults import raise_file_limit
from webemo_curate.taxonomies import AS_LISTED, load_taxonomy
from webemo_curate.workspace import CHECKPOINTS, Workspace

logger = logging.getLogger(__name__)

LAST_STAGE = DecisionsStage.name

RUN = ("runner", "workers", "memory", "report", "demo")
"""Sections that belong to no stage."""


@dataclass(frozen=True)
class StageOutcome:
    """The result of one stage in a run.

    Attributes
    ----------
    stage
        Name of the stage.
    reason
        Why it ran; None if it was current.
    rows
        Number of rows in each manifest that it writes.
    seconds
        Wall time it took.
    """

    stage: str
    reason: str | None
    rows: dict[str, int]
    seconds: float


def build_stages(config: PipelineConfig) -> list[Stage[StageConfig]]:
    """Make all stages, in the order in which they run.

    Parameters
    ----------
    config : PipelineConfig
        Holds the section of each stage.

    Returns
    -------
    list of Stage
        The inputs of each stage are outputs of earlier stages.
    """
    by_quality = bool(config.quality.drop)
    stages: list[Stage] = [  # type: ignore[type-arg]  # each has a config type of its own
        ListingStage(config.listing),
        FetchStage(config.fetch, config.decoding, config.listing),
        ImagesStage(config.images, config.decoding),
        QualityStage(config.quality),
        OcrStage(config.filter_text.ocr, elsewhere=config.runner.elsewhere),
        TextStage(config.filter_text.rule),
        FeaturesStage(config.features, config.decoding),
        PairsStage(config.dedup.matching, config.decoding, by_quality=by_quality),
        DedupStage(config.dedup, by_quality=by_quality),
        BinarizeStage(config.binarize, config.listing.taxonomy),
        UndersampleStage(config.undersample, config.label_issues),
        SplitStage(config.split),
        DecisionsStage(StageConfig(), by_quality=by_quality),
    ]
    return stages


class Pipeline:
    """All stages on one workspace.

    Parameters
    ----------
    workspace : Workspace
        Holds manifests and images.
    config : PipelineConfig
        Settings of all stages.
    runner : Runner, optional
        Runs row-local stages; by default the configured one.
    stages : callable, default build_stages
        Makes the stages, in their order.
    """

    def __init__(
        self,
        workspace: Workspace,
        config: PipelineConfig,
        runner: Runner | None = None,
        stages: Build = build_stages,
    ) -> None:
        self.workspace = workspace
        self.config = config
        self._build = stages
        self._runner = runner or make_runner(config)
        self._current: list[str] = []  # stages found current but not yet reported

    def run(self, target: str = LAST_STAGE, *, only: bool = False) -> Iterator[StageOutcome]:
        """Run a stage and every stale stage before it; leave current stages as they are.

        Parameters
        ----------
        target : str
            The last stage to run.
        only : bool, default False
            Run only the target, on the existing manifests.

        Yields
        ------
        StageOutcome
            The result of each stage, in order, as soon as it is done.

        Raises
        ------
        CurateError
            If a stage fails; finished work is kept.
        """
        raise_file_limit()
        if not only:
            self._check_places()
        with self.workspace.lock(), closing(self._runner):
            self.workspace.sweep()
            if PUBLISHED in self.config.listing.lists and not only:
                published_lists(self.workspace.place(KEPT))
            config = self._with_lists()
            stages = _up_to(self._build(config), target)
            wanted = [stage for stage in stages if not only or stage.name == target]
            for stage in wanted:
                # Report a missing GPU or file now, not after hours of fetching.
                stage.configuration()
            ahead = self._stale_of(wanted)
            time_left, rows = ExpectedTime(self._workers()), 0
            for stage in wanted:
                ahead = [later for later in ahead if later is not stage]
                resumed = any(self.workspace.store.keys(f"{CHECKPOINTS}/{stage.name}"))
                with work_ahead(time_left.of(ahead, rows)):
                    outcome = self._bring_up_to_date(stage)
                rows = next(iter(outcome.rows.values()))
                if outcome.reason is None:
                    self._current.append(stage.name)
                elif not resumed:
                    time_left.saw(stage, rows, outcome.seconds)
                self.workspace.remember(self.config, stage.sections(config))
                yield outcome
            self._say_current()
            self.workspace.remember(self.config, RUN)

    def status(self) -> Iterator[tuple[str, str | None]]:
        """Determine for each stage why it would run, without running it.

        Yields
        ------
        tuple of str and (str or None)
            Name of the stage, and the reason why it is stale; None if it is current.
        """
        stale_outputs: set[str] = set()
        for stage in self._build(self._with_lists()):
            above = sorted(stale_outputs.intersection(stage.reads()))
            reason = f"'{above[0]}' is stale" if above else self._reason_without_run(stage)
            if reason:
                stale_outputs.update(stage.outputs)
            yield stage.name, reason

    def funnel(self) -> list[FunnelStep]:
        """Count what each stage took in, dropped and passed on; see `accounting.funnel`."""
        return funnel(self.workspace, self.config.memory)

    def _stale_of(self, stages: list[Stage[StageConfig]]) -> list[Stage[StageConfig]]:
        """Return the stages that will probably run."""
        reasons = dict(self.status())
        return [stage for stage in stages if reasons.get(stage.name)]

    def _workers(self) -> int:
        return self.config.workers or usable_cores()

    def _check_places(self) -> None:
        """Raise if the user has named nothing to read, or it does not exist."""
        places = self._with_lists().listing.places
        for place in places:
            if place != PUBLISHED:
                check_there(place)
        if self.config.listing.taxonomy not in (None, AS_LISTED):
            load_taxonomy(str(self.config.listing.taxonomy))
        if not places:
            raise InputError(
                "no images are named; give --lists FILE (a list, a table or a folder of your own), "
                "or --lists webemo for WEBEmo's published lists, which are then downloaded"
            )

    def _with_lists(self) -> PipelineConfig:
        """Replace the name of the published lists by their folder."""
        listing, kept = self.config.listing, self.workspace.place(KEPT)
        there = has_published_lists(kept)
        lists = tuple(kept if p == PUBLISHED and there else p for p in listing.lists)
        if there and not listing.places:
            lists = (kept,)
        update = {"listing": listing.model_copy(update={"lists": lists})}
        return self.config.model_copy(update=update)

    def _reason_without_run(self, stage: Stage[StageConfig]) -> str | None:
        try:
            return self._staleness(stage, self._origin(stage))
        except InputError as error:
            return str(error)

    def _bring_up_to_date(self, stage: Stage[StageConfig]) -> StageOutcome:
        origin = self._origin(stage)
        reason = self._staleness(stage, origin)
        started = time.monotonic()
        if reason:
            self._say_current()
            logger.info("%s: runs, as %s", stage.name, reason)
            self._execute(stage, origin)
        rows = {name: self._sound_info(name).rows for name in stage.outputs}
        return StageOutcome(stage.name, reason, rows, time.monotonic() - started)

    def _say_current(self) -> None:
        """Log the stages that were current in one line, before what follows them."""
        if self._current:
            logger.info("current      %s", ", ".join(self._current))
            self._current.clear()

    def _execute(self, stage: Stage[StageConfig], origin: Origin) -> None:
        memory = self.config.memory
        context = StageContext(self.workspace, self._runner, origin.fingerprint, memory)
        outputs: dict[str, pa.Table] = stage.run(stage.load(self.workspace), context)
        classes = stage.classes(self.workspace)
        for name in stage.outputs:
            self.workspace.write(name, outputs[name], origin, classes)
        self.workspace.clear_checkpoints(stage.name)

    def _origin(self, stage: Stage[StageConfig]) -> Origin:
        inputs = {name: self._sound_info(name).digest for name in stage.reads()}
        configuration = json.loads(json.dumps(stage.configuration()))  # tuples as lists, as read
        inputs |= stage.extra_inputs() | stage.review_inputs(self.workspace)
        return Origin(stage.name, stage.version, configuration, inputs)

    def _sound_info(self, name: str) -> ManifestInfo:
        info = self.workspace.info(name)
        if info is None:
            present = self.workspace.has(name)
            what = "is not readable; delete it and run" if present else "is not there; run"
            where = self.workspace.where(name)
            raise InputError(f"{where}: the manifest {what} '{self.workspace.writing(name)}'")
        return info

    def _staleness(self, stage: Stage[StageConfig], origin: Origin) -> str | None:
        for name in stage.outputs:
            info = self.workspace.info(name)
            if info is None:
                return f"'{name}' is not there"
            if info.origin != origin:
                return difference(info.origin, origin, stage.config)
            classes = stage.classes(self.workspace)
            if reason := changed_classes(info.classes, classes):
                return reason
        return stage.demand(self.workspace)


def _up_to(stages: list[Stage[StageConfig]], target: str) -> list[Stage[StageConfig]]:
    names = [stage.name for stage in stages]
    if target not in names:
        raise CurateError(f"no stage '{target}'; there are: {', '.join(names)}")
    return stages[: names.index(target) + 1]
