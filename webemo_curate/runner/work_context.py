"""The context of work on a workspace: its place, its configuration, its runner."""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass

from webemo_curate.config import PipelineConfig
from webemo_curate.runner.factory import make_runner
from webemo_curate.runner.job import Runner
from webemo_curate.workspace import Workspace


@dataclass(frozen=True)
class WorkContext:
    """A workspace and the settings for work on it; made once by a command and passed down.

    Attributes
    ----------
    workspace
        Manifests, images and runs.
    config
        The workspace's configuration, with the changes from the command line.
    """

    workspace: Workspace
    config: PipelineConfig

    @property
    def max_pixels(self) -> int:
        """Largest width times height decoded."""
        return self.config.decoding.max_pixels

    @contextmanager
    def running(self) -> Iterator[Runner]:
        """Yield the configured runner while the block runs; nothing starts before its first job."""
        with closing(make_runner(self.config)) as runner:
            yield runner
