"""What the tests of the stages share."""

import pytest

from webemo_curate.engine.local import LocalEngine
from webemo_curate.stages.base import StageContext
from webemo_curate.workspace import Workspace


@pytest.fixture
def context(tmp_path):
    """A context with an empty workspace and one worker process."""
    return StageContext(Workspace(tmp_path / "workspace"), LocalEngine(1), "0" * 64)
