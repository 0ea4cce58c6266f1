"""End the process once one thread has used its processor time; on Linux."""

import ctypes
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, ClassVar, Final

THREAD_CPUTIME: Final = 3
"""CLOCK_THREAD_CPUTIME_ID (linux/time.h)."""

NOTIFY_BY_SIGNAL: Final = 0
"""SIGEV_SIGNAL (asm-generic/siginfo.h)."""


class _Event(ctypes.Structure):
    """`struct sigevent` of 64 bytes (sigevent(7))."""

    _fields_: ClassVar[list[tuple[str, Any]]] = [
        ("value", ctypes.c_void_p),
        ("signal", ctypes.c_int),
        ("notify", ctypes.c_int),
        ("rest", ctypes.c_char * 48),
    ]


class _Times(ctypes.Structure):
    """`struct itimerspec`: period and first expiry, seconds and nanoseconds each."""

    _fields_: ClassVar[list[tuple[str, Any]]] = [
        ("period", ctypes.c_long * 2),
        ("first", ctypes.c_long * 2),
    ]


@contextmanager
def ended_after(seconds: float) -> Iterator[None]:
    """End this process by SIGPROF once this thread has used its processor time in the block.

    Parameters
    ----------
    seconds : float
        Processor seconds of this thread alone; not enforced on systems other than Linux.
    """
    if sys.platform != "linux":
        yield
        return
    system = ctypes.CDLL(None, use_errno=True)
    timer = ctypes.c_void_p()
    event = _Event(signal=signal.SIGPROF, notify=NOTIFY_BY_SIGNAL)
    if system.timer_create(THREAD_CPUTIME, ctypes.byref(event), ctypes.byref(timer)):
        raise OSError(ctypes.get_errno(), "no timer is available")
    whole = int(seconds)
    times = _Times(first=(whole, int((seconds - whole) * 1e9)))
    try:
        system.timer_settime(timer, 0, ctypes.byref(times), None)
        yield
    finally:
        system.timer_delete(timer)
