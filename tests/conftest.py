"""Fixtures that every test may use."""

import logging
import os
import shutil
import signal
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import settings

if TYPE_CHECKING:
    from xdist.remote import Producer
    from xdist.scheduler import Scheduling

    from tests.storage.server import Faulty
    from webemo_curate.storage.bucket import BucketStore
    from webemo_curate.workspace import Workspace

# Threads that wait for others sleep: several processes of tests share the cores, and threads that
# spin meanwhile took most of the processor time of what runs networks. Results are the same.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

# A shell starts its background jobs with Ctrl-C ignored, and so would be what tests start.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

# How long an example takes says more of what else the machine does than of the code.
settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")

SHARED_DATA = Path(__file__).resolve().parents[2] / "shared" / "data"


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Real images and lists that lie beside the project; where CI runs they must be there."""
    if not SHARED_DATA.is_dir():
        if os.environ.get("CI") == "true":
            pytest.fail(f"{SHARED_DATA} is missing, and CI needs it")
        pytest.skip(f"{SHARED_DATA} is not here")
    return SHARED_DATA


@pytest.fixture(scope="session")
def served() -> "Iterator[Faulty]":
    """An S3 server for all tests of a process."""
    from tests.storage.server import s3_server  # seconds to import

    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    with s3_server() as application:
        yield application


@pytest.fixture
def s3(served: "Faulty", monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> "Faulty":
    """Point this process, and those it starts, at the server; with a cache of their own."""
    from tests.storage.server import credentials

    for name, value in credentials(served.url).items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    served.fail(503, 0)
    served.requests.clear()
    return served


@pytest.fixture
def url(s3: "Faulty") -> str:
    """A prefix of its own for each test."""
    return f"s3://{s3.bucket}/{uuid.uuid4().hex}"


@pytest.fixture
def store(url: str) -> "BucketStore":
    """A store on that prefix."""
    from webemo_curate.storage.bucket import BucketStore

    return BucketStore(url)


@pytest.fixture
def workspace(tmp_path: Path) -> "Workspace":
    """A small workspace of drawn pictures with split manifests, ready to train on."""
    from tests.trainable import make_workspace  # imports what many tests do without

    return make_workspace(tmp_path / "ws")


@pytest.fixture(scope="session")
def trained_once(tmp_path_factory: pytest.TempPathFactory) -> "tuple[Workspace, str]":
    """A workspace and the name of its one run, of one epoch; `trained` gives a copy."""
    from tests.trainable import TINY, make_workspace
    from tests.work import work_on
    from webemo_curate.training.fit import train

    made = make_workspace(tmp_path_factory.mktemp("trained") / "ws")
    (run,) = train(TINY.model_copy(update={"epochs": 1}), work_on(made))
    return made, run.folder.name


@pytest.fixture
def trained(trained_once: "tuple[Workspace, str]", tmp_path: Path) -> "tuple[Workspace, Path]":
    """A workspace of the test's own and the folder of its run of one epoch."""
    from webemo_curate.workspace import Workspace

    made, name = trained_once
    mine = Workspace(shutil.copytree(made.root, tmp_path / "trained"))
    return mine, mine.runs / name


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: "Producer") -> "Scheduling":
    """Keep a file's tests in one process, and all that share the curated world in one too.

    The slow end-to-end tests take so long that two worlds cost less than one process.
    """
    from xdist.scheduler import LoadScopeScheduling

    one_world = config.getoption("markexpr") != "slow"

    class ByWorld(LoadScopeScheduling):
        def _split_scope(self, nodeid: str) -> str:
            file, _, _ = nodeid.partition("::")
            return "e2e" if one_world and file.startswith("tests/e2e/") else file

    return ByWorld(config, log)
