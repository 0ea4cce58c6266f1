"""Environments of their own, for readers that do not install beside the rest."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

UNREACHABLE = ("No matching distribution", "Could not find a version", "Connection", "Max retries")


def python_with(folder: Path, variable: str, *packages: str) -> Path:
    """Return a Python that has some packages, installed for this test; skip if they cannot be got.

    Parameters
    ----------
    folder : Path
        Where the environment is made.
    variable : str
        Environment variable that may name such a Python that is there already.
    *packages : str
        For pip.
    """
    if given := os.environ.get(variable):
        return Path(given)
    subprocess.run([sys.executable, "-m", "venv", folder], check=True)
    pip = [folder / "bin" / "python", "-m", "pip", "install", "--quiet", *packages]
    done = subprocess.run(pip, capture_output=True, text=True, check=False)
    if done.returncode:
        said = done.stderr.strip().splitlines()[-1:]
        if any(words in done.stderr for words in UNREACHABLE):
            pytest.skip(f"{', '.join(packages)} cannot be got from the registry: {said}")
        pytest.fail(f"pip cannot install {packages}: {done.stderr}")
    return folder / "bin" / "python"
