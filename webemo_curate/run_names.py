"""Names that people give to runs, in addition to the names of their folders."""

import re
from collections.abc import Sequence
from pathlib import Path, PurePosixPath
from typing import Final

from webemo_curate.errors import InputError
from webemo_curate.rooted import read_regular
from webemo_curate.storage.atomic import write_bytes
from webemo_curate.system_faults import raise_system_fault
from webemo_curate.workspace import RUNS, Workspace

NAME_FILE: Final = "name.txt"
FORM: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}")


def run_name(folder: Path) -> str:
    """Return a run's name: the given one, or else its folder's."""
    try:
        given = read_regular(folder / NAME_FILE, 64).decode("ascii").strip()
    except (OSError, ValueError) as error:
        raise_system_fault(error, str(folder / NAME_FILE))
        return folder.name
    return given if FORM.fullmatch(given) else folder.name


def name_run(folder: Path, name: str, workspace: Workspace) -> None:
    """Give a run a name.

    Parameters
    ----------
    folder : Path
        The run's folder.
    name : str
        The new name; see `check_name`.
    workspace : Workspace
        Holds the run.
    """
    write_bytes(folder / NAME_FILE, name.encode("ascii"))
    workspace.publish(folder / NAME_FILE)


def names_by_seed(name: str | None, seeds: Sequence[int]) -> dict[int, str | None]:
    """Return the name of each seed's run; of several seeds, the seed is appended to it.

    Parameters
    ----------
    name : str or None
        The name that was given; None for none.
    seeds : sequence of int
        One for each run.

    Returns
    -------
    dict of int to (str or None)
        Names, by seed.

    Raises
    ------
    InputError
        If one is no name of a run.
    """
    if name is None:
        return dict.fromkeys(seeds)
    names = {seed: f"{name}-seed{seed}" if len(seeds) > 1 else name for seed in seeds}
    for each in names.values():
        _check_form(each)
    return dict(names)


def check_name(name: str, folder: Path, workspace: Workspace) -> None:
    """Raise if a name is invalid, or taken by another run.

    Parameters
    ----------
    name : str
        The new name.
    folder : Path
        Folder of the run to be named.
    workspace : Workspace
        Holds the runs.

    Raises
    ------
    InputError
        If the name is invalid or taken.
    """
    _check_form(name)
    holder = named_runs(workspace).get(name)
    if holder is not None and holder != folder:
        raise InputError(f"--name {name}: the run {holder.name} has it; give another name")
    if (workspace.runs / name).is_dir() and name != folder.name:
        raise InputError(f"--name {name}: is the folder of a run; give another name")


def named_runs(workspace: Workspace) -> dict[str, Path]:
    """Return the local folders of runs, by the names given to them."""
    keys = [key for key in workspace.store.keys(RUNS) if PurePosixPath(key).name == NAME_FILE]
    folders = [workspace.store.local(key).parent for key in keys]
    return {run_name(folder): folder for folder in folders}


def _check_form(name: str) -> None:
    if not FORM.fullmatch(name):
        raise InputError(f"--name {name}: use letters, digits, '_', '-' and '.', at most 64")
