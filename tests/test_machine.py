"""What a container or a batch job may use of a machine."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from webemo_curate import machine
from webemo_curate.engine_bounds import default_memory

GIB = 2**30
NO_LIMIT = "9223372036854771712"
"""Of version 1 of control groups."""


def lay_out(root: Path, monkeypatch: pytest.MonkeyPatch, membership: str, **files: str) -> None:
    """Write files of control groups, and the membership of this process."""
    for name, text in files.items():
        place = root / "groups" / name.replace("__", "/").replace("_dot_", ".")
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(text + "\n")
    (root / "own").write_text(membership)
    monkeypatch.setattr(machine, "GROUPS", root / "groups")
    monkeypatch.setattr(machine, "MEMBERSHIP", root / "own")
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(64)))


@pytest.mark.parametrize(
    ("quota", "cores"), [("max", 64), ("200000", 2), ("150000", 2), ("5000", 1), ("6400001", 64)]
)
def test_a_containers_cores_are_those_that_its_time_comes_to(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, quota: str, cores: int
) -> None:
    lay_out(tmp_path, monkeypatch, "0::/\n", cpu_dot_max=f"{quota} 100000")
    assert machine.usable_cores() == cores


def test_the_least_limit_around_a_job_counts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = {
        "slurm__job__cpu_dot_max": "max 100000",
        "slurm__cpu_dot_max": "400000 100000",
        "slurm__job__memory_dot_max": str(3 * GIB),
        "slurm__memory_dot_max": str(2 * GIB),
        "slurm__job__memory_dot_current": str(GIB),
        "slurm__memory_dot_current": str(GIB),
        "slurm__job__memory_dot_stat": f"anon 5\ninactive_file {GIB // 2}",
        "slurm__memory_dot_stat": f"anon 5\ninactive_file {GIB // 2}",
    }
    lay_out(tmp_path, monkeypatch, "0::/slurm/job\n", **files)
    assert machine.usable_cores() == 4
    assert machine.usable_memory() == 2 * GIB
    assert machine.free_memory() == 2 * GIB - GIB // 2
    assert default_memory() == GIB // 2


def test_version_1_has_a_tree_for_each_controller(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = {
        "cpu__cpu_dot_cfs_quota_us": "300000",
        "cpu__cpu_dot_cfs_period_us": "100000",
        "memory__memory_dot_limit_in_bytes": NO_LIMIT,
        "memory__memory_dot_usage_in_bytes": str(GIB),
        "memory__docker__a1__memory_dot_limit_in_bytes": str(GIB),
        "memory__docker__a1__memory_dot_usage_in_bytes": str(2 * GIB),
    }
    own = "5:cpu,cpuacct:/docker/not-below\n4:memory:/docker/a1\n1:name=systemd:/\n0::/\n"
    lay_out(tmp_path, monkeypatch, own, **files)
    assert machine.usable_cores() == 3
    assert machine.usable_memory() == GIB
    assert machine.free_memory() == 0


def test_a_group_that_tells_its_limit_alone_is_not_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lay_out(tmp_path, monkeypatch, "0::/\n", memory_dot_max=str(GIB))
    assert 0 < machine.free_memory() <= GIB


def test_without_control_groups_the_machine_itself_counts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lay_out(tmp_path, monkeypatch, "")
    assert machine.usable_cores() == 64
    assert machine.usable_memory() == psutil.virtual_memory().total
    assert 0 < machine.free_memory() <= psutil.virtual_memory().total


@pytest.fixture
def group(tmp_path: Path) -> Iterator[Path]:
    """A control group of this machine, with 1 GiB."""
    place = machine.GROUPS / f"memory/{tmp_path.name}"
    try:
        place.mkdir()
    except OSError as error:
        pytest.skip(f"control groups cannot be made here: {error}")
    (place / "memory.limit_in_bytes").write_text(str(GIB))
    yield place
    place.rmdir()


def test_a_real_group_is_found(group: Path) -> None:
    code = (
        f"open({str(group / 'cgroup.procs')!r}, 'w').write('0')\n"
        "from webemo_curate.machine import free_memory, usable_memory\n"
        "print(usable_memory(), free_memory())"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True)
    usable, free = map(int, done.stdout.split())
    assert usable == GIB
    assert GIB // 2 < free < GIB
