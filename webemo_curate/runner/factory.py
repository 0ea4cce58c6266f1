"""Build the runner that a configuration means."""

from webemo_curate.config import PipelineConfig
from webemo_curate.runner.job import Runner
from webemo_curate.runner.local_runner import LocalRunner


def make_runner(config: PipelineConfig) -> Runner:
    """Make the runner that runs row-local stages; nothing starts before its first job.

    Parameters
    ----------
    config : PipelineConfig
        Its `runner` section, and `workers`.

    Returns
    -------
    Runner
        Processes of this machine, or actors of a Ray cluster.

    Raises
    ------
    InputError
        If Ray is asked for and not installed.
    """
    if config.runner.kind == "local":
        return LocalRunner(config.workers)
    from webemo_curate.runner.ray_runner import RayRunner

    return RayRunner(config.runner, config.workers)
