"""Every change of a workspace is seen by `verify`, or does no harm for a reason that is said."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.security.changes import Change, file_changes, manifest_changes
from tests.trainable import TINY, draw_set
from tests.work import work_on
from webemo_curate.errors import CurateError
from webemo_curate.evaluation.evaluate import evaluate
from webemo_curate.runs import DONE_FILE
from webemo_curate.schemas import MANIFESTS
from webemo_curate.sources.added import add_folder
from webemo_curate.training.fit import train
from webemo_curate.verification import verify
from webemo_curate.workspace import Workspace

FURTHER = ("emo", "shared-emo")
UNCHECKED = {
    "curate.yaml": "settings: each manifest says those it was made with, and `status` compares",
    "lock": "holds nothing",
    "report.html": "made anew by each `report`, from what is checked",
    "name.txt": "a run's name as its user likes it, shown beside its folder's",
}
"""Files that may be changed, and why no number of a command's changes by it."""

HARMLESS_IF_GONE = {
    ".npy": "packed anew",
    "done.json": "then the run is not finished: no command shows or uses it",
    "metrics": "then the run was not measured on that set",
}
"""What may be missing, and why."""


@pytest.fixture(scope="module")
def whole(curated: Path, tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """Give a workspace with an added set that shares pictures, two runs and their figures."""
    folder = tmp_path_factory.mktemp("whole")
    workspace = Workspace(shutil.copytree(curated, folder / "ws"))
    emo = draw_set(folder / "emo")
    for path in workspace.read("train", ["path"])["path"].to_pylist()[:3]:
        shutil.copy(workspace.root / path, emo / "joy" / Path(path).name)
    with workspace.lock():
        add_folder(emo, "emo", work_on(workspace))
    config = TINY.model_copy(update={"epochs": 1, "seeds": 2})
    for run in train(config, work_on(workspace)):
        for name in ("test", "emo"):
            evaluate(run.folder, name, work_on(workspace), "cpu")
    assert workspace.read_as("shared", "shared-emo").num_rows >= 3
    return workspace


def unseen(workspace: Workspace, path: Path, changes: Iterator[Change]) -> list[str]:
    """Make each change in turn; returns those after which `verify` does not name the file."""
    content, missed = path.read_bytes(), []
    for what, change in changes:
        change()
        try:
            found = verify(workspace, files=path.suffix != ".parquet" or "runs" in path.parts)
        except CurateError as error:
            found = [str(error)]
        # A run's mark in the place of another's is told by the files that it does not know.
        named = path.parent if path.name == DONE_FILE else path
        if not any(str(named) in problem for problem in found):
            missed.append(what)
        path.unlink(missing_ok=True)
        path.write_bytes(content)
    return missed


@pytest.mark.slow
@pytest.mark.parametrize("name", [*MANIFESTS, *FURTHER])
def test_every_change_of_a_manifest_is_named(whole: Workspace, name: str) -> None:
    assert not verify(whole)
    path = whole.manifest_path(name)
    assert unseen(whole, path, manifest_changes(path)) == []
    assert not verify(whole)


@pytest.mark.slow
@pytest.mark.parametrize(("one", "other"), [("train", "test"), ("validation", "emo")])
def test_a_manifest_in_the_place_of_another_is_named(
    whole: Workspace, one: str, other: str
) -> None:
    path = whole.manifest_path(one)
    content = whole.manifest_path(other).read_bytes()
    assert unseen(whole, path, iter([(other, lambda: path.write_bytes(content))])) == []


@pytest.mark.slow
def test_every_change_of_another_file_is_named_or_does_no_harm(whole: Workspace) -> None:
    files = [path for path in sorted(whole.root.rglob("*")) if path.is_file()]
    files = [path for path in files if path.parent.name != "manifests"]
    images = [path for path in files if "images" in path.parts]
    for path in [*images[::30], *(path for path in files if path not in images)]:
        if path.name in UNCHECKED:
            continue
        missed = unseen(whole, path, file_changes(path, _another(path, files)))
        gone = any(kind in path.name for kind in HARMLESS_IF_GONE)
        assert missed == (["gone"] if gone else []), path
    assert not verify(whole)


def _another(path: Path, files: list[Path]) -> Path | None:
    """Return a file of the same kind, of another run or set, whose content differs."""
    kinds = [
        file for file in files if file.suffix == path.suffix and file.name[:7] == path.name[:7]
    ]
    if "images" in path.parts:
        kinds = [file for file in files if file.suffix == path.suffix and "images" in file.parts]
    content = path.read_bytes()
    return next((file for file in kinds if file.read_bytes() != content), None)
