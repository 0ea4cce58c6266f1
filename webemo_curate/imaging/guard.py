"""Bound what one picture may take of a process that may end for it: processor time and memory.

And what it may be blamed for: whatever else than a `DecodeError` comes out is no finding of it.
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
"""Processor time for a picture in this process; empty where it is not bounded."""


def guard_process(seconds: float = BOUNDS.seconds) -> None:
    """Let this process end if a picture takes too much processor time.

    For workers, whose driver sees their death and records the picture; from now on each picture's
    memory is bounded too, so that it ends as `too_large`.

    Parameters
    ----------
    seconds : float, optional
        For one file.
    """
    _seconds[:] = [seconds]
    signal.signal(signal.SIGPROF, signal.SIG_DFL)


def guarded(decode: Callable[Given, Result]) -> Callable[Given, Result]:
    """Make a function that decodes one file keep to the bounds, in a guarded process.

    A signal ends it and nothing less: decoders of libraries run for as long as they like before
    Python has a word. In threads beside the main one only the time is bounded, by the thread's own
    clock: the memory of the others would count as well, and an engine run out of it.
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
    """Name a file by its hash, as it lies in a workspace."""
    digest = hashlib.sha256(content).hexdigest() if isinstance(content, bytes) else "?"
    return f"the picture with SHA-256 {digest}"
