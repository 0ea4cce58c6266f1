"""The stage that places pictures on the map; no run of the pipeline includes it."""

from contextlib import suppress
from pathlib import Path
from typing import Any, ClassVar

import pyarrow as pa

from webemo_curate.config import LOOKS, MapConfig, PipelineConfig, StageConfig
from webemo_curate.errors import InputError
from webemo_curate.likeness.projection import lay_out
from webemo_curate.likeness.stored_looks import COLUMNS, looks_of
from webemo_curate.optional_packages import require_package
from webemo_curate.runner.work_context import WorkContext
from webemo_curate.runs import find_run, finished_runs
from webemo_curate.stages.decoded_images import decoded_rows
from webemo_curate.stages.stage import Build, Stage, StageContext, Tables
from webemo_curate.workspace import Workspace


class MapStage(Stage[MapConfig]):
    """Places pictures by a network's features or by their looks, those alike near each other.

    Parameters
    ----------
    config : PipelineConfig
        Its section `map` says how many pictures.
    run : Path, optional
        Folder of the run whose network is asked; without one the looks decide.
    """

    name = "map"
    inputs: ClassVar = {"images": COLUMNS}
    outputs = ("map",)

    def __init__(self, config: PipelineConfig, run: Path | None) -> None:
        super().__init__(config.map)
        self._pipeline = config
        self._run = run

    def configuration(self) -> dict[str, Any]:
        """Return what decides the places; a package that is not here is said now."""
        require_package("openTSNE")
        # A run's folder is named after all that made its network.
        return super().configuration() | {"by": self._run.name if self._run else LOOKS}

    def run(self, tables: Tables, context: StageContext) -> dict[str, pa.Table]:
        """Describe the pictures and lay them out; see `Stage.run`."""
        # Manifests are sorted by hash, and a hash is as good as a drawn number.
        images = decoded_rows(tables["images"]).slice(0, self.config.pictures)
        if self._run is None:
            vectors = looks_of(images)
        else:
            from webemo_curate.likeness.network_features import NetworkFeatures  # loads torch

            work = WorkContext(context.workspace, self._pipeline)
            vectors = NetworkFeatures(self._run, work).of(images)
        places = lay_out(vectors)
        columns = {"sha256": images["sha256"], "x": places[:, 0], "y": places[:, 1]}
        return {self.name: pa.table(columns)}


def with_map(build: Build, run: Path | None) -> Build:
    """Put the map after the stages that a function makes.

    Parameters
    ----------
    build : callable
        Makes the stages of a configuration, in their order.
    run : Path, optional
        See `MapStage`.

    Returns
    -------
    callable
        Makes those and this.
    """

    def made(config: PipelineConfig) -> list[Stage[StageConfig]]:
        placing: Any = MapStage(config, run)
        return [*build(config), placing]

    return made


def with_placed_map(build: Build, config: PipelineConfig, workspace: Workspace) -> Build:
    """Put the map after the stages that a function makes, if pictures were placed.

    Parameters
    ----------
    build : callable
        See `with_map`.
    config : PipelineConfig
        Says which run places them.
    workspace : Workspace
        May have a map.

    Returns
    -------
    callable
        That function itself without a map, or if the run that would place them is gone.
    """
    if workspace.has(MapStage.name):
        with suppress(InputError):
            return with_map(build, placing_run(config.map.run, workspace))
    return build


def placed_by(workspace: Workspace) -> str:
    """Return the name of the run that placed the pictures; `LOOKS` where none that is there did."""
    info = workspace.info(MapStage.name) if workspace.has(MapStage.name) else None
    by = str(info.origin.configuration.get("by", LOOKS)) if info else LOOKS
    return by if by in {run.name for run in finished_runs(workspace)} else LOOKS


def placing_run(asked: str | None, workspace: Workspace) -> Path | None:
    """Return the run whose network places the pictures.

    Parameters
    ----------
    asked : str or None
        Its name, or `LOOKS`; None for the latest run.
    workspace : Workspace
        Holds the runs.

    Returns
    -------
    Path or None
        Its folder; None where the looks decide.

    Raises
    ------
    InputError
        If there is no such run.
    """
    if asked == LOOKS or (asked is None and not finished_runs(workspace)):
        return None
    return find_run(asked, workspace)
