"""The workspace that is exported, made once."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.exports.shared_set import fill
from webemo_curate.config import ExportConfig, ExportFormat
from webemo_curate.exports.export import export
from webemo_curate.verdicts import Split
from webemo_curate.workspace import Workspace

Rows = dict[str, list[dict[str, object]]]
Export = Callable[..., Path]


def text(value: bytes | str) -> str:
    """Return a text of mlcroissant, which gives some as bytes."""
    return value.decode() if isinstance(value, bytes) else value


@pytest.fixture(scope="session")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """A workspace with splits; tests only read it."""
    return fill(Workspace(tmp_path_factory.mktemp("shared")))


@pytest.fixture(scope="session")
def rows(shared: Workspace) -> Rows:
    """What is exported, split by split."""
    return {str(split): shared.read(split).to_pylist() for split in Split}


@pytest.fixture
def exported(shared: Workspace, tmp_path: Path) -> Export:
    """Export the set into a new folder."""

    def write(form: str, name: str = "out", **settings: object) -> Path:
        config = ExportConfig.model_validate({"license": "cc-by-4.0"} | settings)
        export(shared, ExportFormat(form), tmp_path / name, config)
        return tmp_path / name

    return write


@pytest.fixture
def own(tmp_path: Path) -> Workspace:
    """A workspace that a test may spoil."""
    return fill(Workspace(tmp_path / "own"))


def write_export(workspace: Workspace, form: str, folder: Path, **settings: object) -> None:
    """Export a workspace under a license."""
    config = ExportConfig.model_validate({"license": "mit"} | settings)
    export(workspace, ExportFormat(form), folder, config)
