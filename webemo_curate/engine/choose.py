"""Which engine a configuration means."""

from webemo_curate.config import PipelineConfig
from webemo_curate.engine.base import Engine
from webemo_curate.engine.local import LocalEngine


def make_engine(config: PipelineConfig) -> Engine:
    """Make the engine that runs row-local stages; nothing starts before its first job.

    Parameters
    ----------
    config : PipelineConfig
        Its `engine` section, and `workers`.

    Returns
    -------
    Engine
        Processes of this machine, or actors of a Ray cluster.

    Raises
    ------
    InputError
        If Ray is asked for and not installed.
    """
    if config.runner.kind == "local":
        return LocalEngine(config.workers)
    from webemo_curate.engine.ray import RayEngine

    return RayEngine(config.runner, config.workers)
