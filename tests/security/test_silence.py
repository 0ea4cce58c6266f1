"""Nothing is sent that the user did not ask for: commands run where there is no network at all.

Each command runs in a network namespace without a route, under strace, which sees native code's
sockets too. Any address that is tried but those named fails the test; so does a `.ses` file.
"""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from tests.cli.test_every_command import EVERY
from tests.trainable import TINY, draw_set, write_experiment
from webemo_curate.workspace import Workspace

CURATE = Path(sys.executable).with_name("curate")
ISOLATED = ["unshare", "--user", "--map-root-user", "--net"]
TRACED = ["strace", "-ff", "--seccomp-bpf", "-e", "trace=network", "-o"]
"""Stops a process at calls of the network alone: it runs at its own pace elsewhere."""
TRIED = re.compile(r"\b(?:connect|sendto|sendmsg|sendmmsg)\(.*sa_family=(AF_INET6?), (.*?)\}")
LISTED = "https://listed.example/1.jpg"

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(600),
    pytest.mark.skipif(shutil.which("strace") is None, reason="strace is not here"),
]


@pytest.fixture(autouse=True)
def _isolated() -> None:
    if subprocess.run([*ISOLATED, "true"], capture_output=True, check=False).returncode:
        pytest.skip("this system gives no network namespace")


@pytest.fixture
def traces(tmp_path: Path) -> Iterator[Path]:
    """Give the folder of traces, and one for temporary files in which nothing may be left."""
    for name in ("traces", "tmp"):
        (tmp_path / name).mkdir()
    yield tmp_path / "traces"
    assert not list((tmp_path / "tmp").rglob(".ses")), "a library has left its mark"


def tried(
    traces: Path, *arguments: object, ended: int = 0, program: str | Path = CURATE
) -> set[str]:
    """Run a command without a network; returns the addresses that it tried to reach."""
    for old in traces.iterdir():
        old.unlink()
    command = [*TRACED, str(traces / "t")]
    temporary = traces.parent / "tmp"
    result = subprocess.run(
        [*ISOLATED, *command, str(program), *map(str, arguments)],
        capture_output=True,
        text=True,
        check=False,
        env=os.environ | {"TMPDIR": str(temporary), "CUDA_VISIBLE_DEVICES": ""},
    )
    assert result.returncode == ended, result.stdout + result.stderr
    return {
        found.group(2)
        for trace in traces.iterdir()
        for line in trace.read_text(errors="replace").splitlines()
        if (found := TRIED.search(line))
    }


def test_no_command_reaches_out_by_itself(
    traces: Path, trained: tuple[Workspace, Path], tmp_path: Path
) -> None:
    workspace, run = trained
    pictures = draw_set(tmp_path / "emo")
    place = ["--workspace", workspace.root]
    picture = next(pictures.rglob("*.png"))
    commands: list[tuple[object, ...]] = [
        ("--help",),
        ("status", *place),
        ("add-folder", pictures, "--name", "emo", *place),
        ("evaluate", run.name, "--on", pictures, *place),
        ("predict", run.name, picture, "--figure", tmp_path / "sheet.png", *place),
        ("export-model", run.name, tmp_path / "out", *place),
        ("report", *place),
    ]
    for command in commands:
        assert tried(traces, *command) == set(), command
    training = ("train-model", "--only", "--from-scratch", "--epochs", 1, "--image-size", 32)
    small = ("--batch-size", 8, "--device", "cpu", *place)
    assert tried(traces, *training, *small) == set()
    assert tried(traces, "verify", *place, ended=2) == set()


def test_no_stage_pipeline_or_experiment_reaches_out_by_itself(
    traces: Path, tmp_path: Path
) -> None:
    """What the other tests leave out, on a folder of pictures, which is asked of nobody."""
    pictures, place = draw_set(tmp_path / "emo", 12), ["--workspace", tmp_path / "ws"]
    training = TINY.model_dump(mode="json", exclude_unset=True) | {"epochs": 1}
    listing = {"listing": {"source": [str(pictures)]}, "binarize": {"positive": ["sadness"]}}
    (tmp_path / "run.yaml").write_text(yaml.safe_dump(listing | {"train": training}))
    commands: list[tuple[object, ...]] = [
        ("fetch", "--lists", pictures, *place),
        ("filter-text", "--cpu", *place),
        ("flag-quality", *place),
        ("dedup", *place),
        ("binarize", "--positive", "sadness", *place),
        ("undersample", *place),
        ("split", *place),
        ("pack", "--image-size", 32, *place),
        ("experiment", write_experiment(tmp_path), *place),
        ("run", tmp_path / "run.yaml", "--workspace", tmp_path / "piped"),
        ("export", "csv", "--to", tmp_path / "lists", *place),
        ("release", tmp_path / "release", "--license", "unknown", *place),
        ("rebuild", tmp_path / "release", "--pictures", pictures, "--workspace", tmp_path / "re"),
        ("config", "show", *place),
        ("runs", "list", *place),
        ("taxonomy", "show", "webemo"),
    ]
    for command in commands:
        assert tried(traces, *command) == set(), command


SEVERAL = """
import sys
from tests.cli.command import curate

place, picture, sheet = sys.argv[1:]
for command in (
    ("describe-model", "--steps", 0),
    ("show-augmentation", picture, "--to", sheet),
    ("review", "--list"),
    ("runs", "compare", "first", "first"),
    ("config", "set", "split.seed", 4),
    ("config", "unset", "split.seed"),
    ("doctor",),
    ("label-issues",),
    ("map",),
    ("similar", picture),
):
    said = curate(*command, "--workspace", place)
    print(command, said)
"""
"""One process for many commands: starting Python under strace takes longer than they do."""


def test_no_command_that_shows_or_settles_something_reaches_out(
    traces: Path, trained: tuple[Workspace, Path], tmp_path: Path
) -> None:
    workspace, _ = trained
    picture = next((workspace.root / "data/images").rglob("*.png"))
    code = ("-c", SEVERAL, workspace.root, picture, tmp_path / "sheet.png")
    assert tried(traces, *code, program=sys.executable) == set()
    assert (tmp_path / "sheet.png").is_file()


def test_a_download_of_weights_asks_whom_it_was_told_to(traces: Path, tmp_path: Path) -> None:
    mirror = ("get-weights", "easyocr", "--mirror", "http://192.0.2.7", "--models", tmp_path)
    addresses = tried(traces, *mirror, "--workspace", tmp_path / "ws", ended=1)
    assert addresses
    assert all('"192.0.2.7"' in address for address in addresses), addresses


def test_every_command_is_run_here() -> None:
    here = Path(__file__).read_text()
    named = [", ".join(f'"{part}"' for part in name.split()) for name in EVERY]
    assert [each for each in named if each not in here] == []


def test_the_runtime_of_the_text_filter_reaches_out_to_nobody(traces: Path, tmp_path: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from webemo_curate.onnx_runtime import open_session;"
        "import webemo_curate.ocr.overlay as o;"
        "open_session(next(Path(o.__file__).parent.glob('*.onnx'))); import time; time.sleep(5)"
    )
    command = [*TRACED, str(traces / "t")]
    subprocess.run(
        [*ISOLATED, *command, sys.executable, "-c", code],
        check=True,
        env=os.environ | {"TMPDIR": str(tmp_path / "tmp")},
    )
    for trace in traces.iterdir():
        assert not TRIED.search(trace.read_text(errors="replace"))


def test_a_fetch_tries_what_is_listed_alone(traces: Path, tmp_path: Path) -> None:
    """The names of hosts are asked of the system's resolver; without a route it gives nothing."""
    (tmp_path / "test25.txt").write_text("http://192.0.2.7/1.jpg 3\n")
    fetch = ("fetch", "--lists", tmp_path / "test25.txt", "--retries", 0, "--timeout", 5)
    addresses = tried(traces, *fetch, "--passes", 1, "--workspace", tmp_path / "ws")
    assert addresses
    assert all('"192.0.2.7"' in address for address in addresses), addresses
