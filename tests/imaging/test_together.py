"""Several files go to a process with one message, and each gets its own answer."""

import asyncio
import errno
import hashlib
import os
import resource
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.imaging.drawn import encode, picture
from webemo_curate.imaging import DecodeError, Examiner, ExamineWorker, Facts, Made, picture_process
from webemo_curate.imaging.apart import TRIES, Apart
from webemo_curate.imaging.picture_process import SHARED_BYTES, SHARED_FROM
from webemo_curate.imaging.together import MOST_BYTES, MOST_FILES, Together
from webemo_curate.verdicts import DecodeStatus, FetchStatus

SLEEP_SECONDS = 4.0


@dataclass(frozen=True)
class OddTask:
    """Says what a file holds and which process reads it; some files do worse."""

    seconds: float = 10.0

    def __call__(self, content: bytes, _: Facts) -> Made:
        if content == b"crash":
            os.kill(os.getpid(), signal.SIGSEGV)
        if content == b"lie":
            picture_process.packed = lambda *_: b"\0\0\0\2{}"
        if content == b"sleep":
            time.sleep(SLEEP_SECONDS)
        if content == b"nap":
            time.sleep(SLEEP_SECONDS / 2)
        return Made({"held": content.decode(), "pid": os.getpid()})


@dataclass(frozen=True)
class EchoTask:
    """Gives a file back, and says its digest."""

    seconds: float = 10.0

    def __call__(self, content: bytes, _: Facts) -> Made:
        return Made({"digest": hashlib.sha256(content).hexdigest()}, content)


async def ask(files: Together, contents: list[bytes]) -> list[Made | BaseException]:
    asked = (files.ask_together(content) for content in contents)
    return await asyncio.gather(*asked, return_exceptions=True)


def test_each_of_many_files_gets_its_own_answer() -> None:
    contents = [str(number).encode() for number in range(3 * MOST_FILES + 1)]
    with Together(OddTask(), gathering=0.02) as files:
        answers = asyncio.run(ask(files, contents))
    assert [answer.facts["held"].encode() for answer in answers] == contents
    assert len({answer.facts["pid"] for answer in answers}) == 1, "one process keeps up"


def test_files_of_any_size_arrive_whole() -> None:
    """Some go through shared memory, alone or side by side, and some through the pipe."""
    around = SHARED_FROM // 3, SHARED_FROM, MOST_BYTES, SHARED_BYTES
    sizes = [0, 1, *(size + more for size in around for more in (-1, 0, 1))]
    contents = [np.random.default_rng(size).bytes(size) for size in sizes]
    digests = [hashlib.sha256(content).hexdigest() for content in contents]
    with Together(EchoTask(), gathering=0.02) as files:
        assert [files.ask(content).content for content in contents] == contents
        answers = asyncio.run(ask(files, contents[::-1] + contents))
    assert [answer.facts["digest"] for answer in answers] == digests[::-1] + digests


def test_a_long_name_of_the_folder_for_temporary_files_is_no_hindrance(tmp_path: Path) -> None:
    folder = tmp_path / "long" / ("x" * 100)
    folder.mkdir(parents=True)
    content = encode(picture(), "PNG")
    script = (
        "import sys; from webemo_curate.imaging import Examiner, ExamineWorker; "
        "print(Examiner(ExamineWorker(10**6)).examine_now(sys.stdin.buffer.read()).suffix)"
    )
    command = [sys.executable, "-c", script]
    environment = os.environ | {"TMPDIR": str(folder)}
    run = subprocess.run(command, input=content, env=environment, capture_output=True, check=True)
    assert run.stdout == b".png\n"


@pytest.mark.parametrize("bad", [b"crash", b"lie"])
def test_a_file_that_ends_its_process_condemns_no_other(bad: bytes) -> None:
    contents = [str(number).encode() for number in range(10)]
    contents[4] = bad
    with Together(OddTask(), gathering=0.02) as files:
        answers = asyncio.run(ask(files, contents))
    crashed = answers.pop(4)
    assert isinstance(crashed, DecodeError)
    assert crashed.status is DecodeStatus.CRASHED
    del contents[4]
    assert [answer.facts["held"].encode() for answer in answers] == contents


def kill(answers: list[Made]) -> None:
    """Kill the processes that gave these answers, which wait for the next file now."""
    pids = {answer.facts["pid"] for answer in answers}
    assert len(pids) == TRIES
    for pid in pids:
        os.kill(pid, signal.SIGKILL)
    time.sleep(0.2)


def test_processes_that_die_at_rest_condemn_no_file() -> None:
    async def use(files: Apart) -> Made:
        naps = (files.ask_aside(b"nap") for _ in range(TRIES))
        kill(await asyncio.gather(*naps))
        return await files.ask_aside(b"sound")

    with Apart(OddTask()) as files:
        assert asyncio.run(use(files)).facts["held"] == "sound"


def test_processes_that_die_at_rest_condemn_none_of_many_files() -> None:
    async def use(files: Together) -> Made:
        first = asyncio.create_task(files.ask_together(b"nap"))
        await asyncio.sleep(0.1)  # the second does not go with it
        kill([await files.ask_together(b"nap"), await first])
        return await files.ask_together(b"sound")

    with Together(OddTask()) as files:
        assert asyncio.run(use(files)).facts["held"] == "sound"


def test_all_who_wait_hear_that_no_process_can_be_started() -> None:
    async def starve(files: Together) -> list[Made | BaseException]:
        limits = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (0, limits[1]))  # what is open stays open
        try:
            # Timers and readers start it: what they raise goes to nobody by itself.
            return await asyncio.wait_for(ask(files, [b"one", b"two"]), 20)
        finally:
            resource.setrlimit(resource.RLIMIT_NOFILE, limits)

    # No process is kept from another task like it.
    with Together(OddTask(seconds=9.0), gathering=0.02) as files:
        for error in asyncio.run(starve(files)):
            assert isinstance(error, OSError)
            assert error.errno == errno.EMFILE


def test_a_slow_file_blocks_no_other_for_long() -> None:
    async def race(files: Together) -> None:
        await files.ask_together(b"first")
        slow = asyncio.create_task(files.ask_together(b"sleep"))
        await asyncio.sleep(0.1)
        await asyncio.gather(*(files.ask_together(b"%d" % number) for number in range(40)))
        assert not slow.done()
        await slow

    with Together(OddTask()) as files:
        asyncio.run(race(files))


def test_each_file_of_a_message_gets_its_own_verdict() -> None:
    good, slow = encode(picture(), "PNG"), encode(Image.new("L", (6000, 6000)), "PNG")
    contents = [good, good[:-30], slow, b"no picture", encode(picture(), "JPEG")]

    async def examine() -> list[FetchStatus]:
        worker = ExamineWorker(10**8, measure=True, seconds=0.05)
        with Examiner(worker, gathering=0.02) as examiner:
            found = await asyncio.gather(*map(examiner.examine, contents))
            return [each.status for each in found]

    assert asyncio.run(examine()) == [
        FetchStatus.OK,
        FetchStatus.CORRUPT,
        FetchStatus.TOO_LARGE,
        FetchStatus.NOT_IMAGE,
        FetchStatus.OK,
    ]
