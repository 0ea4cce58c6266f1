"""The context of one command: its workspace, what was given, and how it ends."""

import json
import logging
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TextIO

from webemo_curate.config import Overrides, PipelineConfig, override
from webemo_curate.remedies import typed

if TYPE_CHECKING:
    from webemo_curate.runner.work_context import WorkContext
    from webemo_curate.workspace import Workspace

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Call:
    """What every command is given.

    Attributes
    ----------
    workspace
        Where it works.
    place
        The workspace as the user named it.
    given
        Settings named on the command line.
    results
        Where the answer as JSON goes; None if it is not wanted.
    """

    workspace: "Workspace"
    place: str
    given: Overrides
    results: TextIO | None

    def config(self) -> PipelineConfig:
        """Return the workspace's configuration with what was given now."""
        return override(self.workspace.config(), self.given)

    def work(self) -> "WorkContext":
        """Return what commands below this one are passed: the workspace and its configuration."""
        from webemo_curate.runner.work_context import WorkContext  # it loads pyarrow and asyncio

        return WorkContext(self.workspace, self.config())

    def remember(self, section: str) -> None:
        """Keep what was given of a section for the commands that follow: this one ended well."""
        config = self.config()
        with self.workspace.lock():
            self.workspace.remember(config, [section])

    def end(self, *said: str, lies: object = None, then: str | None = None) -> None:
        """Print how the command ended: the result in words, where it lies, what comes next.

        Parameters
        ----------
        *said : str
            The result, in lines.
        lies : object, optional
            The file or folder that was written.
        then : str, optional
            The next command, without `curate`.
        """
        for line in self._closing(*said, lies=lies, then=then):
            print(line, flush=True)

    def say(self, *said: str, lies: object = None, then: str | None = None) -> None:
        """End as `end` does, on standard error: what was printed is a table that programs read."""
        for line in self._closing(*said, lies=lies, then=then):
            logger.info("%s", line)

    def _closing(self, *said: str, lies: object, then: str | None) -> Iterator[str]:
        yield from said
        if lies is not None:
            yield f"Written: {lies}"
        if then is not None and logger.isEnabledFor(logging.INFO):
            yield f"Next: {self.typed(then)}"

    def answer(self, **document: Any) -> None:
        """Print the answer as one JSON object if that is wanted."""
        if self.results:
            print(json.dumps(document, default=str), file=self.results)

    def typed(self, command: str) -> str:
        """Return a command as it is typed for this workspace."""
        return typed(command, self.place)
