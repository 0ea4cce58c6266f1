"""A workspace on an object store: the same pipeline, the same manifests, from any machine."""

import json
import subprocess
import time
from pathlib import Path

import pytest
import yaml

from tests.e2e.conftest import CURATE, FEW, curate, kill_in, settings
from tests.e2e.test_invariants import BYTE_IDENTICAL, LONG_STAGES
from tests.review_page.asking import ask
from tests.storage.server import Faulty
from webemo_curate.demo.server import DemoWorld
from webemo_curate.schemas import MANIFESTS
from webemo_curate.table_digest import content_digest
from webemo_curate.workspace import Workspace, open_workspace

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]
DEMO = Path(__file__).parents[2] / "pipelines" / "demo.yaml"
SMALL = ["--from-scratch", "--image-size", 32, "--epochs", 2, "--batch-size", 8, "--device", "cpu"]

BUSY_REQUESTS, BUSY_EVERY_SECONDS = 2, 8
"""Longer than a client waits before its third attempt: it must not meet the next refusals."""


@pytest.fixture
def place(url: str, world: DemoWorld) -> str:
    """A bucket's prefix whose configuration points at the served world."""
    document = yaml.safe_dump(settings(world, FEW))
    open_workspace(url).store.write("curate.yaml", document.encode())
    return url


@pytest.fixture
def elsewhere(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Go on as another machine would: nothing is cached here."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "another machine"))


def contents(workspace: Workspace) -> dict[str, bytes]:
    return {
        name: workspace.store.local(f"manifests/{name}.parquet").read_bytes()
        for name in BYTE_IDENTICAL
    }


@pytest.mark.parametrize("engine", ["local", "ray"])
def test_manifests_are_those_of_a_folder(
    place: str, few_curated: Path, s3: Faulty, engine: str
) -> None:
    curate("split", "--workspace", place, "--engine", engine)
    assert contents(open_workspace(place)) == contents(Workspace(few_curated))
    assert "Everything adds up." in curate("verify", "--workspace", place)
    assert "Nothing to do" in curate("split", "--workspace", place)
    images = [line for line in s3.requests if "/data/images/" in line]
    assert not images, "an object an image would cost a request an image"


@pytest.mark.parametrize("stage", ["fetch", "images", "ocr"])
def test_killed_it_goes_on_from_another_machine(
    place: str, few_curated: Path, stage: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    kill_in(stage, LONG_STAGES[stage], "split", "--workspace", place)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "another machine"))
    curate("split", "--workspace", place)
    there, here = open_workspace(place), Workspace(few_curated)
    for name in MANIFESTS:
        assert content_digest(there.read(name)) == content_digest(here.read(name))
    assert "Everything adds up." in curate("verify", "--workspace", place)


def test_a_store_that_is_busy_for_a_while_changes_nothing(
    place: str, few_curated: Path, s3: Faulty
) -> None:
    process = subprocess.Popen(
        [str(CURATE), "split", "--workspace", place], stdout=subprocess.DEVNULL
    )
    refused = 0
    while process.poll() is None:
        refused += s3.left == 0
        s3.fail(503, BUSY_REQUESTS)
        time.sleep(BUSY_EVERY_SECONDS)
    assert refused > 1, "it was over before the store was busy"
    assert process.returncode == 0
    s3.fail(503, 0)
    assert contents(open_workspace(place)) == contents(Workspace(few_curated))


def test_a_network_trained_there_is_used_from_another_machine(
    place: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, s3: Faulty
) -> None:
    curate("train-model", "--workspace", place, *SMALL)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "another machine"))
    s3.requests.clear()
    assert "current" in curate("train-model", "--workspace", place, *SMALL)
    said = curate("evaluate", "--workspace", place, "--json")
    assert json.loads(said.splitlines()[-1])["images"] > 0
    curate("report", "--workspace", place)
    store = open_workspace(place).store
    assert b"accuracy" in store.local("report.html").read_bytes()
    packed = [line for line in s3.requests if line.startswith("GET") and ".npy" in line]
    assert len(packed) == len(set(packed)), "packed images are copied once a machine"


def test_pictures_there_are_reviewed_on_a_page_here(place: str) -> None:
    curate("split", "--workspace", place)
    command = [str(CURATE), "review", "--no-browser", "--margin", "1", "--workspace", place]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        address = process.stdout.readline().split()[-1]
        (case,) = json.loads(ask(address, "cases?numbers=0").content)
        shown = ask(address, f"picture/{case['pictures'][0]['sha256']}")
        assert shown.content.startswith(b"\xff\xd8")
        decision = {"numbers": [0], "decision": case["answers"][-1]}
        assert ask(address, "decide", document=decision).status == 200
        ask(address, "done", document={})
        assert "Decisions made: 1" in process.communicate(timeout=60)[0]
    assert case["answers"][-1] in curate("review", "--list", "--workspace", place)


def test_the_whole_demo(url: str, tmp_path: Path) -> None:
    document = yaml.safe_load(DEMO.read_text())
    document["demo"]["pictures"] = 150  # a part of the demo's: the store is what is tried
    document["train"]["epochs"] = 2
    smaller = tmp_path / "demo.yaml"
    smaller.write_text(yaml.safe_dump(document))
    said = curate("run", smaller, "--workspace", url)
    assert f"Written: {url}/report.html" in said
    assert "accuracy" in said
    assert "Everything adds up." in curate("verify", "--workspace", url)
