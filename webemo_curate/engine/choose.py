"""Which engine a configuration asks for."""

from importlib.util import find_spec

from webemo_curate.config import PipelineConfig
from webemo_curate.engine.base import Engine
from webemo_curate.engine.local import LocalEngine
from webemo_curate.errors import InputError

NO_RAY = "--engine ray: Ray is not installed; pip install 'webemo-curate[ray]'"


def make_engine(config: PipelineConfig) -> Engine:
    """Make the engine that runs row-local work.

    Parameters
    ----------
    config : PipelineConfig
        Its `engine` section and `workers` are used.

    Returns
    -------
    Engine
        To be closed by the caller when the command is done.

    Raises
    ------
    InputError
        If Ray is asked for and not installed.
    """
    if config.engine.kind == "local":
        return LocalEngine(config.workers)
    if find_spec("ray") is None:
        raise InputError(NO_RAY)
    from webemo_curate.engine.ray import RayEngine

    return RayEngine(config.engine, config.workers)
