"""The public surface: what README and docs/python.md promise of `import webemo_curate`."""

import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

import webemo_curate
from tests.trainable import make_workspace
from webemo_curate.errors import InputError
from webemo_curate.workspace import Workspace

EXAMPLE = Path(__file__).parents[1]


def test_importing_the_package_loads_nothing_heavy() -> None:
    code = "import webemo_curate, sys; print([n for n in ('pandas', 'torch') if n in sys.modules])"
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert out.stdout.strip() == "[]"
    assert sorted(webemo_curate.__all__) == [
        "CuratedWorkspace",
        "TrainedNetwork",
        "__version__",
        "load_network",
        "open_workspace",
    ]


def test_manifests_come_as_arrow_and_as_pandas_with_whole_numbers() -> None:
    example = webemo_curate.open_workspace(EXAMPLE)
    assert {"listing", "fetch", "train"} <= {*example.manifests}
    table = example.arrow("images", ["sha256", "phash"])
    frame = example.pandas("images", ["sha256", "phash"])
    assert frame["phash"].tolist() == table["phash"].to_pylist()
    assert example.funnel()[0].entered == len(example.arrow("listing"))
    assert "split" in example.status()


def test_pictures_by_hash(tmp_path: Path) -> None:
    make_workspace(tmp_path)
    place = webemo_curate.open_workspace(tmp_path)
    with pytest.raises(InputError, match="no such manifest"):
        place.image("0" * 64)


def test_a_network_answers_for_files_and_pictures(trained: tuple[Workspace, Path]) -> None:
    workspace, run = trained
    network = webemo_curate.load_network(run, "cpu")
    file = workspace.root / workspace.read("test", ["path"])["path"][0].as_py()
    by_file, in_memory = network.predict([file, Image.open(file)])
    assert network.classes == ("others", "sadness")
    assert by_file.label in network.classes
    assert by_file.probability == in_memory.probability
    assert (by_file.path, in_memory.path) == (file, None)


def test_no_run_is_said(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no finished run"):
        webemo_curate.load_network(tmp_path)
