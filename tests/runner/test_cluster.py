"""Ray on several nodes of one machine: whatever dies, the result is that of local processes."""

import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from benchmarks.photo_ocr import photo_rows, rapid_detector
from tests.download.several_hosts import base, fetch, lay_out, moved, targets
from tests.download.site import running
from tests.duplicates.test_pair_search import RADIUS, hashes, triples
from tests.duplicates.test_word_search import BLOCK, cropped_pictures
from tests.e2e.conftest import FEW, curate, few_curated, kill_in, prepare, world
from tests.e2e.test_invariants import LONG_STAGES, bytes_of
from tests.runner.cluster import leave_cluster
from webemo_curate.config import RunnerConfig
from webemo_curate.demo.server import DemoWorld
from webemo_curate.download import deal
from webemo_curate.duplicates import hamming, neighbors
from webemo_curate.duplicates.candidates import candidate_pairs
from webemo_curate.duplicates.hamming import pairs_within
from webemo_curate.duplicates.pair_search import PairSearch
from webemo_curate.duplicates.word_search import WordSearch
from webemo_curate.runner.job import Job, Runner
from webemo_curate.runner.local_runner import LocalRunner
from webemo_curate.runner.ray_cluster import LOCAL
from webemo_curate.runner.ray_runner import RayRunner
from webemo_curate.stages.ocr import OcrWorker
from webemo_curate.storage.checkpoints import Checkpoints
from webemo_curate.storage.folder import FolderStore
from webemo_curate.storage.image_files import ImageFiles

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

__all__ = ["few_curated", "world"]
"""Fixtures of the end-to-end tests, used here too."""

PHOTOS, PARTITION, NODES = 60, 4, 3


class Nodes:
    """A head without room for workers and `NODES` nodes with room for one each."""

    def __init__(self) -> None:
        os.environ.update(LOCAL | os.environ)  # nobody else's; read when Ray is imported
        from ray.cluster_utils import Cluster

        self._cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 0})
        self.nodes = [self._cluster.add_node(num_cpus=1) for _ in range(NODES)]
        self._cluster.wait_for_nodes()
        self.address = self._cluster.address

    def lose_one(self) -> None:
        self._cluster.remove_node(self.nodes.pop(), allow_graceful=False)

    def stop(self) -> None:
        self._cluster.shutdown()


@pytest.fixture
def nodes() -> Iterator[Nodes]:
    leave_cluster()
    cluster = Nodes()
    yield cluster
    leave_cluster()
    cluster.stop()


def ocr_job(photos: Path, folder: Path) -> Job:
    return Job(
        name="ocr",
        worker=OcrWorker(ImageFiles(Path("/")), "rapidocr", "0", rapid_detector(), 1),
        rows=photo_rows(photos, PHOTOS),
        checkpoints=Checkpoints(FolderStore(folder), "checkpoints"),
        partition_rows=PARTITION,
    )


@pytest.fixture(scope="module")
def photos(shared_data: Path) -> Path:
    return shared_data / "dev" / "web"


@pytest.fixture(scope="module")
def expected(photos: Path, tmp_path_factory: pytest.TempPathFactory) -> pa.Table:
    return LocalRunner(2).run(ocr_job(photos, tmp_path_factory.mktemp("local")))


def actor_processes() -> list[int]:
    """Return the processes of our actors at work."""
    listed = subprocess.run(["pgrep", "-f", "ray::_Actor"], capture_output=True, text=True)
    return [int(pid) for pid in listed.stdout.split()]


def disturbed_run(runner: Runner, job: Job, disturb: Callable[[], None]) -> pa.Table:
    """Run a job and disturb it once some partitions are done."""

    def wait_and_disturb() -> None:
        while len(job.checkpoints.finished()) < 2:
            time.sleep(0.1)
        disturb()

    thread = threading.Thread(target=wait_and_disturb)
    thread.start()
    result = runner.run(job)
    thread.join()
    return result


def test_killed_worker_processes_lose_nothing(
    nodes: Nodes, photos: Path, expected: pa.Table, tmp_path: Path
) -> None:
    def kill() -> None:
        os.kill(actor_processes()[0], signal.SIGKILL)

    runner = RayRunner(RunnerConfig(kind="ray", address=nodes.address))
    assert disturbed_run(runner, ocr_job(photos, tmp_path), kill).equals(expected)


def test_a_lost_node_loses_nothing(
    nodes: Nodes, photos: Path, expected: pa.Table, tmp_path: Path
) -> None:
    runner = RayRunner(RunnerConfig(kind="ray", address=nodes.address))
    found = disturbed_run(runner, ocr_job(photos, tmp_path), nodes.lose_one)
    assert found.equals(expected)


@contextmanager
def losing_a_node(nodes: Nodes, checkpoints: Checkpoints) -> Iterator[RayRunner]:
    """Yield a runner over the nodes, and lose one once some of its work is done."""

    def lose() -> None:
        while len(checkpoints.finished()) < 2:
            time.sleep(0.1)
        nodes.lose_one()

    losing = threading.Thread(target=lose)
    losing.start()
    yield RayRunner(RunnerConfig(kind="ray", address=nodes.address))
    losing.join()


def test_a_search_over_nodes_of_which_one_is_lost_finds_the_same(
    nodes: Nodes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    values, store = hashes(), FolderStore(tmp_path)
    wanted = triples(pairs_within(values, None, RADIUS))
    monkeypatch.setattr(hamming, "PASS_SECONDS", 1e-3)
    checkpoints = Checkpoints(store, "data/checkpoints/pairs")
    with losing_a_node(nodes, checkpoints) as runner:
        search = PairSearch(store, runner, checkpoints)
        (found,) = search([(values, None)], RADIUS)
    assert triples(found) == wanted


def test_local_features_over_nodes_of_which_one_is_lost_find_the_same(
    nodes: Nodes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pictures, store = cropped_pictures(), FolderStore(tmp_path)
    wanted = candidate_pairs(pictures)
    monkeypatch.setattr(neighbors, "BLOCK", BLOCK)
    checkpoints = Checkpoints(store, "data/checkpoints/pairs")
    with losing_a_node(nodes, checkpoints) as runner:
        found = candidate_pairs(pictures, meeting=WordSearch(store, runner, checkpoints))
    np.testing.assert_array_equal(found, wanted)


def test_every_stage_gives_the_same_bytes_on_both_engines(
    nodes: Nodes, few_curated: Path, world: DemoWorld, tmp_path: Path
) -> None:
    workspace = prepare(tmp_path / "ws", world, FEW)
    options = ["--engine", "ray", "--ray", f"address={nodes.address}", "--ray", "memory=1500000000"]
    curate("split", "--workspace", workspace, *options)
    assert bytes_of(workspace) == bytes_of(few_curated)


def test_a_killed_driver_goes_on(
    nodes: Nodes, few_curated: Path, world: DemoWorld, tmp_path: Path
) -> None:
    workspace = prepare(tmp_path / "ws", world, FEW)
    options = ["--engine", "ray", "--ray", f"address={nodes.address}", "--ray", "memory=1500000000"]
    kill_in("ocr", LONG_STAGES["ocr"], "split", "--workspace", workspace, *options)
    curate("split", "--workspace", workspace)  # the runner is remembered
    assert bytes_of(workspace) == bytes_of(few_curated)
    assert "Everything adds up." in curate("verify", "--workspace", workspace)


def owning_actors() -> list[int]:
    """Return the actors' processes that own hosts of a fetch."""
    listed = subprocess.run(["pgrep", "-f", "ray::_Talking"], capture_output=True, text=True)
    return [int(pid) for pid in listed.stdout.split()]


@pytest.mark.parametrize("lost", ["process", "node"])
def test_hosts_go_to_nodes_each_to_one_and_a_lost_one_loses_nothing(
    nodes: Nodes, tmp_path: Path, lost: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(deal, "URLS_A_PROCESS", 1)
    with ExitStack() as stack:
        hosts = [stack.enter_context(running(host=f"127.0.0.{2 + n}")) for n in range(4)]
        urls = lay_out(hosts, 150)
        hosts[0].answers["/0.jpg"] = moved(f"{base(hosts[1])}/1.jpg")

        def disturb() -> None:
            while sum(len(site.heads) for site in hosts) < 150:
                time.sleep(0.05)
            os.kill(owning_actors()[0], signal.SIGKILL) if lost == "process" else nodes.lose_one()

        thread = threading.Thread(target=disturb)
        thread.start()
        with closing(RayRunner(RunnerConfig(kind="ray", address=nodes.address))) as runner:
            rows = fetch(tmp_path, urls, runner, rate=60)
        thread.join()
    assert {row["status"] for row in rows.values()} == {"ok"}
    assert sum(targets(site)["/robots.txt"] for site in hosts) <= len(hosts) + 2
    again = [count for site in hosts for count in targets(site).values() if count > 1]
    assert len(again) < 150
