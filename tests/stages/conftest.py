"""What the tests of the stages share."""

import pytest

from webemo_curate.runner.local_runner import LocalRunner
from webemo_curate.stages.stage import StageContext
from webemo_curate.workspace import Workspace


@pytest.fixture
def context(tmp_path):
    """A context with an empty workspace and one worker process."""
    return StageContext(Workspace(tmp_path / "workspace"), LocalRunner(1), "0" * 64)
