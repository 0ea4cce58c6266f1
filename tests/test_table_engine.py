"""Whole tables: equal bytes whatever the bounds; spills are bounded and go away."""

import os
import signal
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pyarrow as pa
import pytest

from tests.stages.tables import manifest, sha
from webemo_curate.config.pipeline_config import MIN_MEMORY
from webemo_curate.errors import CurateError, InputError
from webemo_curate.manifest import ROW_GROUP_ROWS, Origin, write_manifest
from webemo_curate.manifest_scan import scan_manifest
from webemo_curate.storage.whole_folder import hidden_folder
from webemo_curate.system_faults import SystemFaultError
from webemo_curate.table_engine import TableEngine
from webemo_curate.workspace import Workspace

ROWS = 800_000
SMALL = 48 * 2**20
MANY = """
select sha256(range::varchar) as sha256, 1::tinyint as target, 'zest' as label,
    range % 3 = 0 as kept, range as seed
from range(800000) order by sha256
"""
ORIGIN = Origin("sample", 1, {}, {})


def written(folder: Path, memory: int | None, threads: int) -> bytes:
    with TableEngine(folder, {}, memory, threads) as engine:
        table = engine.table(MANY)
    assert {chunk.nbytes > 0 for chunk in table["sha256"].chunks} == {True}
    assert len(table["sha256"].chunk(0)) == ROW_GROUP_ROWS
    write_manifest(folder / "sample.parquet", "sample", table, ORIGIN)
    return (folder / "sample.parquet").read_bytes()


def test_bytes_are_equal_over_threads_limits_and_chunks(tmp_path: Path) -> None:
    first = written(tmp_path, None, 1)
    assert written(tmp_path, None, 2) == first
    assert written(tmp_path, SMALL, 2) == first
    # A table in memory, in one chunk and in no order, makes the same file.
    with TableEngine(tmp_path, {}) as engine:
        whole = engine.table(MANY).combine_chunks()
    turned = pa.concat_tables([whole.slice(1000), whole.slice(0, 1000)])
    write_manifest(tmp_path / "again.parquet", "sample", turned, ORIGIN)
    assert (tmp_path / "again.parquet").read_bytes() == first
    assert not (tmp_path / "data").exists()  # nothing else was in it


@pytest.mark.parametrize(("memory", "threads"), [(None, 4), (SMALL, 2)])
def test_rows_are_counted_as_they_come_out_of_a_sort(
    tmp_path: Path, memory: int | None, threads: int
) -> None:
    """`CLEAN` of the comparing stages counts rows so, whatever the bounds."""
    counted = f"with ordered as ({MANY}) select sha256, row_number() over () as place from ordered"
    with TableEngine(tmp_path, {}, memory, threads) as engine:
        engine.make(f"create table counted as {counted}")
        places = engine.table("select place from counted order by sha256")["place"]
    assert places.to_pylist() == [*range(1, ROWS + 1)]


def test_what_does_not_fit_is_spilled_and_gone_afterwards(tmp_path: Path) -> None:
    with TableEngine(tmp_path, {}, SMALL) as engine:
        engine.make(f"create table many as {MANY}")
        ((spilled,),) = engine.rows("select sum(size) from duckdb_temporary_files()")
        assert spilled > 0
        assert engine.count("many") == ROWS
    assert not (tmp_path / "data").exists()  # nothing else was in it


def test_the_least_memory_is_enough_however_many_cores_there_are(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What each thread holds is not spilled: with 32 of them this sort ends for lack of memory."""
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(32)))
    rows = 1_500_000
    with TableEngine(tmp_path, {}, MIN_MEMORY) as engine:
        engine.make(
            f"""create table named as select range as number, sha256(range::varchar) as name,
            sha256((range + 1)::varchar) as other from range({rows})"""
        )
        engine.make("create table ordered as select * from named order by name")
        assert engine.count("ordered") == rows
        ((threads,),) = engine.rows("select current_setting('threads')")
    assert threads == 2


def test_too_little_memory_is_said_with_its_option(tmp_path: Path) -> None:
    with (
        TableEngine(tmp_path, {}, 4 * 2**20) as engine,
        pytest.raises(CurateError, match=r"larger --memory and run the same command again"),
    ):
        engine.table("select list(range) as all from range(3000000)")


def test_too_little_memory_is_said_while_rows_are_read(tmp_path: Path) -> None:
    """The first rows are there when it is found: Arrow passes on what DuckDB says."""
    long = "select repeat('x', if(range < 200000, 1, 3000000)) as text from range(250000)"
    with (
        TableEngine(tmp_path, {}, 16 * 2**20, 1) as engine,
        pytest.raises(CurateError, match=r"larger --memory and run the same command again"),
    ):
        engine.table(long)


def test_a_full_disk_is_said(tmp_path: Path) -> None:
    small = tmp_path / "small"
    small.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=8m", "tmpfs", str(small)], check=False
    )
    if mounted.returncode:
        pytest.skip("no file system can be mounted here")
    try:
        for memory in (SMALL, None):  # what is spilled has no room, and what is made
            with (
                TableEngine(small, {}, memory) as engine,
                pytest.raises(SystemFaultError, match="No space left on device; free some space"),
            ):
                engine.table(MANY)
    finally:
        subprocess.run(["umount", str(small)], check=True)


HOLDS = """
import sys, time
from pathlib import Path
from webemo_curate.table_engine import TableEngine
with TableEngine(Path(sys.argv[1]), {}, 24 * 2**20) as engine:
    engine.make("create table many as select sha256(range::varchar) as s from range(500000)")
    print("spilled", flush=True)
    time.sleep(60)
"""


def test_spills_of_a_killed_command_go_with_the_next(tmp_path: Path) -> None:
    running = subprocess.Popen(
        [sys.executable, "-c", HOLDS, str(tmp_path)], stdout=subprocess.PIPE, text=True
    )
    assert running.stdout is not None
    assert running.stdout.readline() == "spilled\n"
    workspace = Workspace(tmp_path)
    workspace.sweep()
    assert spills(tmp_path)  # of a living command
    os.kill(running.pid, signal.SIGKILL)
    running.wait()
    assert spills(tmp_path)
    workspace.sweep()
    assert not spills(tmp_path)


def test_an_interrupt_ends_a_query_as_it_ends_python(tmp_path: Path) -> None:
    asking = threading.Timer(0.3, os.kill, (os.getpid(), signal.SIGINT))
    with TableEngine(tmp_path, {}) as engine:
        asking.start()
        with pytest.raises(KeyboardInterrupt):
            engine.table("select sha256(range::varchar) as s from range(30000000) order by s")
    assert not spills(tmp_path)


def spills(root: Path) -> list[Path]:
    return [path for path in (root / "data").rglob("*") if path.is_file()]


def test_an_abandoned_folder_is_removed_by_the_next_engine(tmp_path: Path) -> None:
    with hidden_folder(tmp_path / "data/spill") as folder:
        pass
    folder.mkdir()
    (folder / "1.arrow").write_bytes(b"rest")
    with TableEngine(tmp_path, {}):
        assert not folder.exists()


def test_makers_of_hidden_folders_do_not_sweep_one_anothers_away(tmp_path: Path) -> None:
    def make(_: int) -> None:
        for number in range(100):
            with hidden_folder(tmp_path / "spill") as folder:
                (folder / str(number)).write_bytes(b"")
                assert (folder / str(number)).exists()

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(make, range(8)))
    assert not [*tmp_path.iterdir()]


def test_a_flipped_bit_of_an_input_is_told_with_its_file(tmp_path: Path) -> None:
    rows = [{"sha256": sha(n), "target": 1, "label": "zest"} for n in range(500)]
    path = tmp_path / "sample.parquet"
    write_manifest(path, "sample", manifest("sample", rows), ORIGIN)
    content = bytearray(path.read_bytes())
    content[200] ^= 1
    path.write_bytes(content)
    scanned = scan_manifest(path, "sample", ["sha256", "label"])
    with (
        TableEngine(tmp_path, {"sample": scanned}) as engine,
        pytest.raises(InputError, match=r"sample.parquet: not a sound 'sample' manifest"),
    ):
        engine.table("select sha256, label from sample order by sha256")


def test_queries_reach_no_other_file(tmp_path: Path) -> None:
    other = tmp_path / "other.csv"
    other.write_text("a\n1\n")
    with TableEngine(tmp_path, {}) as engine, pytest.raises(Exception, match="disabled"):
        engine.rows(f"select * from read_csv('{other}')")
