"""Debian's Chromium, which the tests of pages drive; brought by apt where that can be done."""

import fcntl
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Browser, sync_playwright

CHROMIUM = "chromium"
LOCK = Path(tempfile.gettempdir(), "webemo_curate-chromium.lock")
"""Held while apt runs: several processes of one test run ask for it."""


@contextmanager
def chromium() -> Iterator[Browser]:
    """Start the browser; a machine that has none and cannot get it skips the test, and says so."""
    place = _found()
    if place is None:
        pytest.skip("chromium is not here; 'apt-get install chromium' as root brings it")
    # Chromium runs as root, which containers are, without its sandbox alone.
    flags = ["--no-sandbox"] if os.geteuid() == 0 else []
    with sync_playwright() as driver:
        started = driver.chromium.launch(executable_path=place, args=flags)
        yield started
        started.close()


def _found() -> str | None:
    """Return the browser, installed from Debian's archive where it is lacking and root asks."""
    if not shutil.which(CHROMIUM) and os.geteuid() == 0 and shutil.which("apt-get"):
        with LOCK.open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not shutil.which(CHROMIUM):
                for command in (["update", "-qq"], ["install", "-y", "-qq", CHROMIUM]):
                    subprocess.run(["apt-get", *command], check=False, capture_output=True)
    return shutil.which(CHROMIUM)
