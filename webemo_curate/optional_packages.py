"""Packages that a single command or option needs: checked before its work, named if missing."""

from importlib.util import find_spec
from typing import Final

from webemo_curate.errors import InputError

NEEDED_BY: Final = {
    "ray": "--run-on ray",
    "tensorboard": "--tensorboard",
    "cleanlab": "label-issues",
    "openTSNE": "map",
}
"""Packages by the extras of pyproject.toml, and what needs each."""


def missing_packages() -> list[str]:
    """Return those that are not installed."""
    return [package for package in NEEDED_BY if find_spec(package) is None]


def require_package(package: str, otherwise: str = "") -> None:
    """Check, before long work, that a package is there.

    Parameters
    ----------
    package : str
        One of `NEEDED_BY`.
    otherwise : str, default ''
        What can be done without it, as the message's end.

    Raises
    ------
    InputError
        If it is not installed.
    """
    if find_spec(package) is None:
        raise InputError(
            f"{NEEDED_BY[package]}: the package {package} is not here; install it with 'pip "
            f"install {package}'{otherwise}"
        )
