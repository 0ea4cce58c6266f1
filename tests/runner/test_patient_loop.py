"""The clock of an event loop counts what others take, not how late the loop is."""

import asyncio
import signal
import subprocess
import sys
import time
from contextlib import suppress

import pytest

from webemo_curate.runner.conversation import run_to_end
from webemo_curate.runner.patient_loop import LATE_SECONDS

SLACK = 4 * LATE_SECONDS


def now() -> float:
    return asyncio.get_running_loop().time()


def test_the_clock_stands_still_while_the_loop_works() -> None:
    async def work() -> list[float]:
        seen = [now()]
        for _ in range(3):
            time.sleep(0.3)
            seen.append(now())
            await asyncio.sleep(0)
            seen.append(now())
        return seen

    seen = run_to_end(work())
    assert seen == sorted(seen)
    assert seen[-1] - seen[0] <= 3 * LATE_SECONDS + SLACK / 2


def test_the_clock_goes_on_while_the_loop_waits() -> None:
    async def work() -> float:
        began = now()
        await asyncio.sleep(0.4)
        return now() - began

    began = time.monotonic()
    passed = run_to_end(work())
    assert 0.4 <= passed <= time.monotonic() - began


def test_a_limit_that_passed_while_the_loop_worked_is_not_over() -> None:
    async def work() -> str:
        async with asyncio.timeout(0.4):
            for _ in range(4):
                time.sleep(0.3)
                await asyncio.sleep(0)
        return "in time"

    assert run_to_end(work()) == "in time"
    with pytest.raises(TimeoutError):
        run_to_end(asyncio.wait_for(asyncio.sleep(5), 0.1))


def test_time_in_which_the_process_is_stopped_does_not_count() -> None:
    code = (
        "import asyncio; from webemo_curate.runner.conversation import run_to_end\n"
        "async def work():\n"
        "    now = asyncio.get_running_loop().time; began = now(); print('begun', flush=True)\n"
        "    for _ in range(4): await asyncio.sleep(.15)\n"
        "    return now() - began\n"
        "print(run_to_end(work()))"
    )
    process = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    assert process.stdout
    assert process.stdout.readline() == "begun\n"
    process.send_signal(signal.SIGSTOP)
    time.sleep(1.5)
    process.send_signal(signal.SIGCONT)
    said, _ = process.communicate(timeout=20)
    assert 0.6 <= float(said) <= 0.6 + SLACK + 0.3


@pytest.mark.parametrize("stubborn", [False, True])
def test_an_error_of_a_callback_ends_the_work_that_would_wait_for_it(stubborn: bool) -> None:
    async def work() -> str:
        asyncio.get_running_loop().call_later(0.01, {}.__getitem__, "turn")
        with suppress(asyncio.CancelledError if stubborn else ()):
            async with asyncio.TaskGroup() as group:
                await group.create_task(asyncio.sleep(60))
        return "done"

    began = time.monotonic()
    with pytest.raises(KeyError, match="turn"):
        run_to_end(work())
    assert time.monotonic() - began < 30
