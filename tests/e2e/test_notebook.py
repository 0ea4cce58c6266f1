"""The quickstart notebook runs from its first cell to its last on a curated workspace."""

import shutil
import sys
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

NOTEBOOK = Path(__file__).parents[2] / "docs" / "quickstart.ipynb"


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_the_quickstart_runs_to_its_end(
    curated: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    workspace = shutil.copytree(curated, tmp_path / "workspace")
    monkeypatch.setenv("WORKSPACE", str(workspace))
    monkeypatch.setenv("PATH", str(Path(sys.executable).parent), prepend=":")
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    NotebookClient(notebook, timeout=600, resources={"metadata": {"path": tmp_path}}).execute()
    printed = {cell.id: _printed(cell) for cell in notebook.cells if cell.cell_type == "code"}
    assert "pictures bore text before" in printed["threshold"]
    assert "accuracy" in printed["train"]
    assert len(printed["predict"].splitlines()) == 4


def _printed(cell: nbformat.NotebookNode) -> str:
    """Return what a cell printed; warnings of libraries stand on the other stream."""
    streams = (output for output in cell.outputs if output.get("name") == "stdout")
    return "".join(output["text"] for output in streams)
