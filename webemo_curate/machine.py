"""Tell what this process may use of the machine: a container or a batch job may use a part."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from webemo_curate.errors import InputError

GROUPS: Final = Path("/sys/fs/cgroup")
MEMBERSHIP: Final = Path("/proc/self/cgroup")
"""Where Linux says which control groups there are, and which are this process's (cgroups(7))."""


def home_folder() -> Path:
    """Return the home folder of who runs this.

    Raises
    ------
    InputError
        If the system knows of none: no `HOME`, and a user number that no name belongs to.
    """
    try:
        return Path.home()
    except RuntimeError as error:
        raise InputError(
            "there is no home folder, where weights and copies are kept: the user has none here "
            "and HOME is not set; name a folder with 'export HOME=FOLDER'"
        ) from error


def at_home(path: Path) -> Path:
    """Return a path with a leading `~` replaced; see `home_folder` for what it raises.

    A shell has done so, unless the path was quoted or stands in a file. Arrow would do so itself,
    and write elsewhere than Python.
    """
    first, *rest = path.parts or ("",)
    return home_folder().joinpath(*rest) if first == "~" else path


def cache_folder() -> Path:
    """Return `$XDG_CACHE_HOME`, or `~/.cache`; see `home_folder` for what it raises."""
    named = os.environ.get("XDG_CACHE_HOME")
    return Path(named) if named else home_folder() / ".cache"


def usable_cores() -> int:
    """Return how many CPU cores this process may use, at least 1.

    Returns
    -------
    int
        Those that it may run on (`taskset`), or fewer if its control groups have less time of the
        processors, such as a container of `docker run --cpus 2`; parts of a core count whole.
    """
    quotas = [cores for group in _groups("cpu") if (cores := _quota(group))]
    return min([len(os.sched_getaffinity(0)), *quotas])


def usable_memory() -> int:
    """Return how many bytes of memory this process may use.

    Returns
    -------
    int
        The machine's, or the least limit of its control groups (`docker run --memory`).
    """
    limits = [limit for limit, _ in _memory_limits()]
    return min([_memory().total, *limits])


def free_memory() -> int:
    """Return how many bytes of memory are free for this process, at least 0.

    Returns
    -------
    int
        The machine's, or what the control groups have left. Pages of files that were read once
        count as free: the system drops them when the room is needed.
    """
    left = [limit - _used(group) for limit, group in _memory_limits()]
    return max(0, min([_memory().available, *left]))


def _memory() -> Any:
    """Return what the machine has and has free; see `psutil.virtual_memory`."""
    import psutil  # imported late: `curate --help` asks for none of it

    return psutil.virtual_memory()


def _groups(controller: str) -> Iterator[Path]:
    """Yield the folders of the control groups that this process is in, those around them too.

    Version 2 has one tree for all controllers, version 1 a tree each. In a container the tree may
    begin with its own group, whose name is then not found there.
    """
    for line in _text(MEMBERSHIP).splitlines():
        _, controllers, name = line.split(":", 2)
        if controllers and controller not in controllers.split(","):
            continue
        root = GROUPS / controller if controllers else GROUPS
        own = root / name.strip("/")
        yield from (group for group in (own, *own.parents) if group.is_relative_to(root))


def _quota(group: Path) -> int | None:
    """Return the cores that a group's time of the processors comes to; None if it has no limit."""
    words = _text(group / "cpu.max").split()
    words = words or [_text(group / f"cpu.cfs_{part}_us").strip() for part in ("quota", "period")]
    if not all(word.isdecimal() for word in words):  # `max`, or -1
        return None
    quota, period = map(int, words)
    return max(1, -(-quota // period))


def _memory_limits() -> Iterator[tuple[int, Path]]:
    """Yield each limit in bytes, and its group."""
    for group in _groups("memory"):
        said = _text(group / "memory.max") or _text(group / "memory.limit_in_bytes")
        if said.strip().isdecimal():
            yield int(said), group


def _used(group: Path) -> int:
    """Return the bytes that a group uses, without pages of files that were read once.

    A group that tells its limit alone counts as unused.
    """
    said = _text(group / "memory.current") or _text(group / "memory.usage_in_bytes") or "0"
    pages = dict(line.split() for line in _text(group / "memory.stat").splitlines())
    droppable = pages.get("total_inactive_file", pages.get("inactive_file", 0))
    return max(0, int(said) - int(droppable))


def _text(file: Path) -> str:
    """Return a file's text; empty if it cannot be read, as on other systems."""
    try:
        return file.read_text()
    except OSError:
        return ""
