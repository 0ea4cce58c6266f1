"""One process runs the networks, helpers do the rest, and nothing of that shows in the rows."""

import time
from concurrent.futures import ThreadPoolExecutor

import psutil
import pyarrow as pa
import pytest

from tests.ocr.feeding.toy import FAILS, FILES, INPUT, KILLS, LACKS, OUTPUT, Toy
from webemo_curate.ocr.asking import OwnNetworks, served_by
from webemo_curate.ocr.feeding.fed_worker import FedWorker
from webemo_curate.runner.job import Job, Resources
from webemo_curate.runner.local_runner import LocalRunner
from webemo_curate.runner.scheduler import run_job
from webemo_curate.storage.checkpoints import Checkpoints
from webemo_curate.storage.folder import FolderStore
from webemo_curate.system_faults import SystemFaultError


def fed(helpers=2, rows_at_once=3):
    return FedWorker("toy", Toy(), FILES, helpers, rows_at_once, 2**20, "cpu")


def numbers(values):
    return pa.RecordBatch.from_pylist([{"number": value} for value in values], schema=INPUT)


def alone(batch):
    """Return the rows of the worker, its networks its own."""
    with served_by(OwnNetworks(FILES, "cpu")):
        worker = Toy()
        worker.setup()
        return worker.process(batch)


@pytest.fixture(scope="module")
def worker():
    worker = fed()
    worker.setup()
    yield worker
    worker.close()


def test_rows_are_those_of_the_worker_alone_whatever_the_helpers(worker):
    batch = numbers(range(20, 50))

    assert worker.process(batch).equals(alone(batch))
    assert worker.process(batch.slice(7, 11)).equals(alone(batch).slice(7, 11))


def test_helpers_are_kept_from_one_batch_to_the_next(worker):
    worker.process(numbers(range(20, 50)))
    before = {child.pid for child in psutil.Process().children(recursive=True)}

    worker.process(numbers(range(20, 50)))

    assert {child.pid for child in psutil.Process().children(recursive=True)} == before


def test_rows_that_kill_their_helper_cost_no_other(worker):
    values = [*range(20, 30), KILLS, *range(30, 35)]

    found = worker.process(numbers(values)).to_pylist()

    assert [row["number"] for row in found] == values
    assert [row["by"] for row in found] == ["crash" if n == KILLS else "network" for n in values]


def test_helpers_that_die_at_rest_cost_no_row():
    before = processes()
    worker = fed(rows_at_once=1)
    worker.setup()
    worker.process(numbers(range(20, 40)))
    for helper in processes() - before:
        if "spawn_main" in " ".join(helper.cmdline()):  # not the tracker of what they share
            helper.kill()
    time.sleep(0.2)

    found = worker.process(numbers(range(20, 40)))

    assert found["by"].to_pylist() == ["network"] * 20
    worker.close()


def test_rows_on_which_the_network_fails_cost_no_other(worker):
    values = [*range(20, 30), FAILS, *range(30, 35)]

    found = worker.process(numbers(values)).to_pylist()

    assert [row["doubled"] for row in found] == [-1 if n == FAILS else 2 * n for n in values]
    assert found[10]["by"] == "ValueError: thirteen"


def test_what_the_machine_lacks_is_no_verdict_on_a_row():
    worker = fed()
    worker.setup()

    with pytest.raises(SystemFaultError):
        worker.process(numbers([20, LACKS, 21]))

    worker.close()


def test_a_runner_runs_it_as_any_other_and_its_helpers_end_with_it(tmp_path):
    values = range(14, 60)
    job = Job(
        "toy",
        fed(),
        pa.Table.from_batches([numbers(values)]),
        Checkpoints(FolderStore(tmp_path), "checkpoints"),
        partition_rows=20,
        resources=Resources(cpus=3, gpus=1),
    )

    before = processes()

    found = LocalRunner(2).run(job)

    assert found.schema.equals(OUTPUT)
    assert found["doubled"].to_pylist() == [2 * value for value in values]
    assert len(job.checkpoints.finished()) == 3
    assert ended(before)
    # Its checkpoints are found again, whoever makes them up.
    again = run_job(job, fail)
    assert again.equals(found)


def fail():
    raise AssertionError("everything is there already")


def test_one_that_is_killed_is_started_again_and_its_helpers_are_gone(tmp_path):
    values = range(14, 200)
    job = Job(
        "toy",
        fed(),
        pa.Table.from_batches([numbers(values)]),
        Checkpoints(FolderStore(tmp_path), "checkpoints"),
        partition_rows=20,
        resources=Resources(cpus=3, gpus=1),
    )
    before = processes()
    with ThreadPoolExecutor() as pool:
        killing = pool.submit(kill_the_first, job.checkpoints)
        found = LocalRunner(2).run(job)
        killing.result()

    assert found["doubled"].to_pylist() == [2 * value for value in values]
    assert ended(before)


def kill_the_first(checkpoints):
    """Kill the process that runs the networks once it has finished some of its work."""
    while not checkpoints.finished():
        time.sleep(0.01)
    parents = [each for each in psutil.Process().children() if each.children()]
    (child,) = (each for each in parents if "spawn_main" in " ".join(each.cmdline()))
    child.kill()


def processes():
    """Return the processes below this one."""
    return set(psutil.Process().children(recursive=True))


def ended(before):
    """Tell whether those that came since are gone, waiting a while for those that are ending."""
    for _ in range(200):
        if processes() <= before:
            return True
        time.sleep(0.05)
    return False
