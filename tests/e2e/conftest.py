"""A small drawn world, served once for all end-to-end tests."""

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from fcntl import LOCK_EX, flock
from pathlib import Path

import pytest
import yaml

from webemo_curate.config import DemoConfig
from webemo_curate.demo import demo_world
from webemo_curate.demo.server import DemoWorld

CURATE = Path(sys.executable).with_name("curate")
PICTURES, SEED = 140, 7
FEW = 60
"""URLs of its list that suffice where a run is repeated, to be disturbed."""


@pytest.fixture(scope="session")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DemoWorld]:
    with demo_world(
        DemoConfig(pictures=PICTURES, seed=SEED), tmp_path_factory.mktemp("w")
    ) as served:
        yield served


def prepare(
    workspace: Path, world: DemoWorld, limit: int | None = None, **sections: object
) -> Path:
    """Write the workspace's configuration, pointed at the served world."""
    workspace.mkdir(parents=True, exist_ok=True)
    (workspace / "curate.yaml").write_text(yaml.safe_dump(settings(world, limit) | sections))
    return workspace


def settings(world: DemoWorld, limit: int | None = None) -> dict[str, object]:
    """Return a configuration pointed at the served world, with partitions small enough to cut."""
    return {
        "listing": {"lists": [str(world.lists)]},
        "fetch": {"mirror": world.mirror, "rate": 500.0, "ignore_robots": True, "limit": limit},
        "images": {"partition_rows": 16},
        "features": {"partition_rows": 16},
        "filter_text": {"partition_rows": 8},
    }


def curate(*arguments: object) -> str:
    """Run the command; returns all it said, results last; fails with it if it failed."""
    result = subprocess.run(
        [str(CURATE), *map(str, arguments)], capture_output=True, text=True, check=False
    )
    assert result.returncode == 0, result.stdout + result.stderr
    return result.stderr + result.stdout


@pytest.fixture(scope="session")
def curated(tmp_path_factory: pytest.TempPathFactory, world: DemoWorld) -> Path:
    """Give a workspace that has been curated once, undisturbed; tests only read it."""
    return curated_once("curated", tmp_path_factory, world)


@pytest.fixture(scope="session")
def few_curated(tmp_path_factory: pytest.TempPathFactory, world: DemoWorld) -> Path:
    """Give a workspace of the first `FEW` URLs that has been curated once; tests only read it."""
    return curated_once("few", tmp_path_factory, world, FEW)


def curated_once(
    name: str, places: pytest.TempPathFactory, world: DemoWorld, limit: int | None = None
) -> Path:
    """Curate the world, or copy what another process of these tests has curated."""
    own, shared = places.mktemp(name), places.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        shared = shared.parent  # what the processes of one run have in common
    with (shared / f"{name}.lock").open("w") as held:
        flock(held, LOCK_EX)
        first = shared / f"{name}-shared"
        if not (first / "manifests/decisions.parquet").exists():
            shutil.rmtree(first, ignore_errors=True)
            curate("split", "--workspace", prepare(first, world, limit))
    shutil.copytree(first, own, dirs_exist_ok=True)
    return prepare(own, world, limit)


def kill_in(stage: str, seconds: float, *arguments: object) -> None:
    """Run the command and kill it some seconds into a stage."""
    process = subprocess.Popen(
        [str(CURATE), *map(str, arguments)],
        stderr=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        text=True,
    )
    assert process.stderr
    for line in process.stderr:
        if line.startswith(f"{stage}: runs"):
            time.sleep(seconds)
            os.kill(process.pid, signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL
