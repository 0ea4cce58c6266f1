"""Build the configured runner."""

from webemo_curate.config import PipelineConfig
from webemo_curate.runner.job import Runner
from webemo_curate.runner.local_runner import LocalRunner


def make_runner(config: PipelineConfig) -> Runner:
    """Make the runner of row-local stages; nothing starts before its first job.

    Parameters
    ----------
    config : PipelineConfig
        Its `runner` section and `workers` are used.

    Returns
    -------
    Runner
        For processes on this machine, or actors of a Ray cluster.

    Raises
    ------
    InputError
        If Ray is requested but not installed.
    """
    if config.runner.kind == "local":
        return LocalRunner(config.workers)
    from webemo_curate.runner.ray_runner import RayRunner

    return RayRunner(config.runner, config.workers)
