"""The local runner starts as many processes as the machine has cores; one of them holds a GPU."""

import multiprocessing
import os
import signal
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from multiprocessing.connection import Connection

import psutil
import pytest

from webemo_curate.config import FilterTextConfig
from webemo_curate.machine import usable_cores
from webemo_curate.ocr.feeding.fed_worker import FedWorker
from webemo_curate.runner import local_runner as local
from webemo_curate.runner.job import Job, Resources, Staffed
from webemo_curate.runner.local_runner import LocalRunner
from webemo_curate.runner.messages import Died
from webemo_curate.runner.worker_process import WorkerProcess
from webemo_curate.stages.ocr import OcrStage


@pytest.fixture
def started(monkeypatch):
    """Return, of the jobs run meanwhile, their workers and how many of them there are."""
    jobs = []

    def run_job(job, assemble):
        with assemble() as pool:
            jobs.append((job.worker, pool.size))

    monkeypatch.setattr(local, "run_job", run_job)
    return jobs


@dataclass(frozen=True)
class Rows:
    """As many rows as a job needs to be asked about."""

    num_rows = 10**6


def job(worker, **needs):
    return Job("job", worker, Rows(), None, 128, Resources(**needs))


def test_without_a_gpu_each_core_has_a_worker(started):
    LocalRunner().run(job("worker"))
    LocalRunner(3).run(job("worker"))

    assert started == [("worker", usable_cores()), ("worker", 3)]


def test_one_process_holds_the_gpu_and_others_on_every_core_prepare_its_work(monkeypatch, started):
    monkeypatch.setattr(local, "usable_cores", lambda: 16)
    worker = FedWorker("job", None, {}, helpers=7, rows_at_once=32, helper_bytes=0)
    LocalRunner().run(job(worker, gpus=1))
    LocalRunner(4).run(job(worker, gpus=1))

    assert isinstance(worker, Staffed)
    assert [(found.helpers, size) for found, size in started] == [
        (local.AROUND_A_GPU * 16, 1),
        (4, 1),
    ]


def test_the_stage_asks_for_a_gpu_and_cores_for_those_around_it():
    needs = OcrStage(FilterTextConfig(device="gpu"), elsewhere=True).resources

    assert needs.gpus == 1
    assert needs.cpus > 1
    assert OcrStage(FilterTextConfig(device="cpu")).resources.gpus == 0


class Interrupting:
    """A worker during whose start somebody presses Ctrl-C."""

    def __reduce__(self):
        os.kill(os.getpid(), signal.SIGINT)
        return Interrupting, ()


def test_ctrl_c_waits_until_a_process_has_started_whole(capfd):
    # A signal that the main thread blocks goes to another one, if there is one.
    ended = threading.Event()
    other = threading.Thread(target=ended.wait)
    other.start()
    before = set(multiprocessing.active_children())
    with pytest.raises(KeyboardInterrupt):
        WorkerProcess(Interrupting())
    ended.set()
    other.join()
    (child,) = set(multiprocessing.active_children()) - before
    child.terminate()
    child.join()
    assert "Traceback" not in capfd.readouterr().err


def say_variable(connection: Connection, name: str) -> None:
    connection.send(os.environ.get(name))


def test_a_copied_process_has_the_environment_of_now(monkeypatch):
    for value in ("one", "two"):  # the process that both are copies of was started with "one"
        monkeypatch.setenv("OF_THE_DRIVER", value)
        process = WorkerProcess("OF_THE_DRIVER", say_variable, modules=(__name__,))
        assert process.receive() == value
        process.kill()


def test_a_copied_process_ends_with_a_signal_that_is_told():
    process = WorkerProcess("", die, modules=(__name__,))
    assert process.receive() == Died(signal=signal.SIGKILL)
    process.kill()


def test_a_process_starts_though_the_server_of_copies_is_killed_meanwhile():
    WorkerProcess("", die, modules=(__name__,)).kill()
    servers = [each for each in psutil.Process().children() if "forkserver" in str(each.cmdline())]
    for server in servers:
        server.suspend()  # it would have answered before it is killed
    with ThreadPoolExecutor() as pool:
        starting = pool.submit(WorkerProcess, "PATH", say_variable, modules=(__name__,))
        time.sleep(0.5)
        for server in servers:
            server.kill()
        process = starting.result()
    assert process.receive() == os.environ["PATH"]
    process.kill()


def die(_: Connection, __: str) -> None:
    os.kill(os.getpid(), signal.SIGKILL)
