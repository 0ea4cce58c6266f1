"""What functions that work on a workspace are passed in tests."""

from webemo_curate.config import PipelineConfig
from webemo_curate.runner.work_context import WorkContext
from webemo_curate.workspace import Workspace


def work_on(workspace: Workspace, config: PipelineConfig | None = None) -> WorkContext:
    """Return the context of a workspace, by default configured as its last command was."""
    return WorkContext(workspace, config or workspace.config())
