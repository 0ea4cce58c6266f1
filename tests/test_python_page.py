"""docs/python.md: its snippets run as they stand, on the example manifests and a drawn run."""

import re
import shutil
from pathlib import Path

import pytest
from PIL import Image

from webemo_curate.workspace import Workspace

ROOT = Path(__file__).parents[1]
SNIPPETS = re.findall(r"```python\n(.*?)```", (ROOT / "docs/python.md").read_text(), re.DOTALL)


def test_the_page_has_its_snippets() -> None:
    assert len(SNIPPETS) == 2


def test_a_workspace_as_the_page_reads_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shutil.copytree(ROOT / "manifests", tmp_path / "webemo/manifests")
    monkeypatch.chdir(tmp_path)
    reading = SNIPPETS[0].replace("picture = ", "find = lambda: ")  # no images in the example
    names: dict[str, object] = {}
    exec(reading, names)
    assert len(names["train"])


def test_a_network_as_the_page_asks_it(
    trained: tuple[Workspace, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    workspace, run = trained
    shutil.copytree(workspace.root, tmp_path / "webemo")
    monkeypatch.chdir(tmp_path)
    for name in ("a.jpg", "b.jpg"):
        Image.new("RGB", (40, 40), "navy").save(name)
    asking = re.sub(r"webemo/data/runs/[\w-]+", f"webemo/data/runs/{run.name}", SNIPPETS[1])
    names: dict[str, object] = {}
    exec(asking, names)
    assert names["answer"].label in names["network"].classes
