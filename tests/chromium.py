"""Debian's Chromium, which the tests of pages drive; brought by apt where that can be done."""

import fcntl
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
from playwright.sync_api import Browser, sync_playwright

PACKAGES = ("chromium", "fonts-liberation")
FONTS = Path("/usr/share/fonts/truetype/liberation")
"""Of the second package: pages are drawn with these typefaces alone, so that views can be compared
whatever else is installed."""

FONTS_ALONE = f"""<?xml version="1.0"?>
<!DOCTYPE fontconfig SYSTEM "fonts.dtd">
<fontconfig><dir>{FONTS}</dir><cachedir prefix="xdg">fontconfig</cachedir></fontconfig>
"""
TRIED = Path(tempfile.gettempdir(), "webemo_curate-chromium")
"""Locked while apt runs, for several processes of one test run ask for it; written once it ran."""

APT_SECONDS = 200
"""Less than a test may take: without a network apt would try for longer."""


@contextmanager
def chromium() -> Iterator[Browser]:
    """Start the browser; a machine that has none and cannot get it skips the test, and says so."""
    place = _found()
    if place is None:
        pytest.skip("chromium is not here; 'apt-get install chromium' as root brings it")
    # Chromium runs as root, which containers are, without its sandbox alone.
    flags = ["--no-sandbox"] if os.geteuid() == 0 else []
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as driver:
        config = Path(folder, "fonts.conf")
        config.write_text(FONTS_ALONE, encoding="utf-8")
        fonts = {"FONTCONFIG_FILE": str(config)} if FONTS.is_dir() else {}
        environment = os.environ | fonts
        started = driver.chromium.launch(executable_path=place, args=flags, env=dict(environment))
        yield started
        started.close()


def needs_fonts() -> None:
    """Skip a comparison of views where the typefaces that they were drawn with are not here."""
    if not FONTS.is_dir():
        pytest.skip("views cannot be compared; 'apt-get install fonts-liberation' brings typefaces")


def _found() -> str | None:
    """Return the browser, installed from Debian's archive where it is lacking and root asks."""
    if not shutil.which(PACKAGES[0]) and os.geteuid() == 0 and shutil.which("apt-get"):
        with TRIED.open("a+") as tried:
            fcntl.flock(tried, fcntl.LOCK_EX)
            if not tried.tell():
                tried.write("tried")
                _install()
    return shutil.which(PACKAGES[0])


def _install() -> None:
    ask = f"apt-get update -qq; apt-get install -y -qq {' '.join(PACKAGES)}"
    with suppress(subprocess.TimeoutExpired):
        subprocess.run(
            ["sh", "-c", ask],
            check=False,
            capture_output=True,
            timeout=APT_SECONDS,
            env=os.environ | {"DEBIAN_FRONTEND": "noninteractive"},
        )
