"""Bound the processor time and memory of one picture, in a process that may be killed for it.

Errors are separated too: anything but a `DecodeError` is a fault of this program.
"""

import hashlib
import signal
import threading
from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, TypeVar

from webemo_curate.config import BOUNDS
from webemo_curate.imaging.decode_errors import DecodeError
from webemo_curate.imaging.thread_clock import ended_after
from webemo_curate.own_faults import OwnFaultError, described
from webemo_curate.system_faults import SystemFaultError, memory_limited, raise_system_fault

Given = ParamSpec("Given")
Result = TypeVar("Result")

_seconds: list[float] = []
"""Processor seconds for a picture in this process; empty while unbounded."""


def guard_process(seconds: float = BOUNDS.seconds) -> None:
    """Let this process be killed if a picture takes too much processor time.

    For worker processes, whose parent notices the death and records the picture. From this call on,
    each picture's memory is bounded too; a picture beyond the bound ends as `too_large`.

    Parameters
    ----------
    seconds : float, optional
        Processor seconds for one file.
    """
    _seconds[:] = [seconds]
    signal.signal(signal.SIGPROF, signal.SIG_DFL)


def guarded(decode: Callable[Given, Result]) -> Callable[Given, Result]:
    """Apply the bounds to a function that decodes one file; they act in a guarded process only.

    Time is enforced by a signal that kills the process, because a library's decoder may run for any
    time before Python regains control. In threads other than the main thread only the time is
    bounded, by the thread's own clock: a memory limit would also count other threads, and could
    fail an OCR engine.
    """

    @wraps(decode)
    def judged(*args: Given.args, **options: Given.kwargs) -> Result:
        try:
            return within_bounds(*args, **options)
        except (DecodeError, SystemFaultError):
            raise
        except Exception as error:
            raise_system_fault(error)
            what = error.what if isinstance(error, OwnFaultError) else described(error)
            raise OwnFaultError(what, name_of(*args[:1])) from error

    def within_bounds(*args: Given.args, **options: Given.kwargs) -> Result:
        if not _seconds:
            return decode(*args, **options)
        if threading.current_thread() is not threading.main_thread():
            with ended_after(_seconds[0]):
                return decode(*args, **options)
        signal.setitimer(signal.ITIMER_PROF, _seconds[0])
        try:
            with memory_limited(BOUNDS.memory_bytes):
                return decode(*args, **options)
        finally:
            signal.setitimer(signal.ITIMER_PROF, 0)

    return judged


def name_of(content: object = None) -> str:
    """Name a file by its hash, as its file name in a workspace does."""
    digest = hashlib.sha256(content).hexdigest() if isinstance(content, bytes) else "?"
    return f"the picture with SHA-256 {digest}"
