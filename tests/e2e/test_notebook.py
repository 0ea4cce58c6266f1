"""The quickstart notebook runs from its first cell to its last on a curated workspace.

What it leaves is a trained workspace: its report is held against the picture in the docs.
"""

import shutil
import sys
from dataclasses import dataclass
from pathlib import Path

import nbformat
import numpy as np
import pytest
from nbclient import NotebookClient
from numpy.typing import NDArray
from PIL import Image

from tests.chromium import needs_fonts
from tests.e2e.conftest import curate
from tools.report_picture import NAME, VIEWS, views

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]

DOCS = Path(__file__).parents[2] / "docs"
NOTEBOOK = DOCS / "quickstart.ipynb"

BLOCK = 20
"""Pixels a side of what is compared as one mean: edges are drawn a little otherwise elsewhere."""

ALIKE = 0.9
"""Least correlation of these means with the picture in the docs."""


@dataclass(frozen=True)
class Finished:
    """What the notebook has left: a workspace, and what each cell printed."""

    workspace: Path
    printed: dict[str, str]


@pytest.fixture(scope="module")
def finished(curated: Path, tmp_path_factory: pytest.TempPathFactory) -> Finished:
    """Run the notebook as a person would."""
    place = tmp_path_factory.mktemp("notebook")
    workspace = shutil.copytree(curated, place / "workspace")
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    with pytest.MonkeyPatch.context() as set_:
        set_.setenv("WORKSPACE", str(workspace))
        set_.setenv("PATH", str(Path(sys.executable).parent), prepend=":")
        NotebookClient(notebook, timeout=600, resources={"metadata": {"path": place}}).execute()
    printed = {cell.id: _printed(cell) for cell in notebook.cells if cell.cell_type == "code"}
    return Finished(workspace, printed)


def test_the_quickstart_runs_to_its_end(finished: Finished) -> None:
    assert "pictures bore text before" in finished.printed["threshold"]
    assert "accuracy" in finished.printed["train"]
    assert len(finished.printed["predict"].splitlines()) == 4


def test_the_report_looks_as_in_the_docs(finished: Finished) -> None:
    needs_fonts()
    curate("report", "--workspace", finished.workspace)
    shown, wanted = views(finished.workspace / "report.html"), Image.open(DOCS / NAME)
    assert shown.size == wanted.size
    width, height = (side // 2 for side in shown.size)
    for number, view in enumerate(VIEWS[:-1]):  # the last depends on how a CPU rounds
        left, top = number % 2 * width, number // 2 * height
        box = (left, top, left + width, top + height)
        likeness = np.corrcoef(_means(shown.crop(box)), _means(wanted.crop(box)))[0, 1]
        assert likeness >= ALIKE, f"{view}: python -m tools.report_picture docs"


def _means(view: Image.Image) -> NDArray[np.float64]:
    """Return the mean colors of a view's blocks."""
    return np.asarray(view.convert("RGB").reduce(BLOCK), np.float64).ravel()


def _printed(cell: nbformat.NotebookNode) -> str:
    """Return what a cell printed; warnings of libraries stand on the other stream."""
    streams = (output for output in cell.outputs if output.get("name") == "stdout")
    return "".join(output["text"] for output in streams)
