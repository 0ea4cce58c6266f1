"""Tables and tars of few bytes that ask for terabytes, or lie of what they hold, are refused."""

import struct
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.cli.command import curate
from webemo_curate import system_faults
from webemo_curate.errors import InputError
from webemo_curate.parquet import read_parquet
from webemo_curate.sources import parquet_tables
from webemo_curate.sources.shards import Shard
from webemo_curate.system_faults import SystemFaultError

BLOCK = 512
ROWS = 60_000
LONG = "x" * 2**22
"""So often, a quarter of a terabyte; in the file, a kilobyte."""


def repeated(value: str, rows: int = ROWS) -> pa.Array:
    return pa.DictionaryArray.from_arrays(pa.array(np.zeros(rows, np.int32)), pa.array([value]))


def lists(values: pa.Array) -> pa.Array:
    return pa.ListArray.from_arrays(pa.array(np.arange(len(values) + 1, dtype=np.int32)), values)


URLS = pa.array(["http://127.0.0.1:9/1.jpg"] * ROWS)


def listed(folder: Path, table: pa.Table, *, typed: bool = True) -> tuple[int, str]:
    """List a Parquet file with the command; return its code and what it says."""
    pq.write_table(table, folder / "x.parquet", compression="zstd", store_schema=typed)
    options = ("--limit", 1, "--passes", 1, "--retries", 0, "--timeout", 1)
    place = ("--workspace", folder / "ws")
    said = curate("fetch", "--lists", folder / "x.parquet", *options, *place)
    return said.code, said.rest


@pytest.mark.parametrize("typed", [True, False], ids=["dictionaries", "texts"])
@pytest.mark.parametrize(
    "table",
    [
        pa.table({"url": repeated(LONG), "label": repeated("joy")}),
        pa.table({"url": URLS, "label": lists(repeated(LONG))}),
    ],
    ids=["url", "labels"],
)
def test_a_kilobyte_that_asks_for_a_terabyte_is_refused(
    tmp_path: Path, table: pa.Table, *, typed: bool
) -> None:
    code, rest = listed(tmp_path, table, typed=typed)
    assert code == 2, rest
    assert "x.parquet: no sound Parquet file" in rest
    assert (tmp_path / "x.parquet").stat().st_size < 2**20


def test_more_rows_than_are_read_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(parquet_tables, "MAX_ROWS", ROWS - 1)
    code, rest = listed(tmp_path, pa.table({"url": URLS, "label": repeated("joy")}))
    assert code == 2
    assert "it says it has 60,000 rows, and at most 59,999 are read" in rest


def test_labels_in_dictionaries_are_read_as_any(tmp_path: Path) -> None:
    table = pa.table({"url": repeated("http://127.0.0.1:9/1.jpg"), "label": lists(repeated("joy"))})
    code, rest = listed(tmp_path, table)
    assert code == 0, rest


def test_a_table_larger_than_the_free_memory_is_one_message(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "x.parquet"
    pq.write_table(pa.table({"text": repeated(LONG, 1000)}), path, store_schema=False)
    monkeypatch.setattr(system_faults, "free_memory", lambda: 2**30)
    with pytest.raises(SystemFaultError, match=r"x\.parquet: Cannot allocate memory"):
        read_parquet(path)


def header(size: bytes, kind: bytes = b"0", name: bytes = b"000.jpg") -> bytes:
    """Return a tar's header, its sum right."""
    made = bytearray(BLOCK)
    for at, text in ((0, name), (100, b"0000644\0"), (124, size), (156, kind)):
        made[at : at + len(text)] = text
    made[257:265] = b"ustar\x0000"
    made[148:156] = b" " * 8
    made[148:156] = b"%06o\0 " % sum(made)
    return bytes(made)


def extended(body: bytes) -> bytes:
    """Return a tar of one member whose extended header is this."""
    head = header(b"%011o\0" % len(body), b"x", b"p")
    return head + body.ljust(-(-len(body) // BLOCK) * BLOCK, b"\0") + header(b"00000000010\0")


SPARSE = b"22 GNU.sparse.major=1\n22 GNU.sparse.minor=0\n26 GNU.sparse.name=000.jpg\n"
TARS = {
    "negative": header(b"\xff" * 12),
    "a length of no number": extended(b"99999999999999999999 a=b\n"),
    "a map of no numbers": extended(SPARSE) + b"9" * (BLOCK - 1) + b"\n",
    "a name of gigabytes": header(b"77777777777\0", b"L"),
    "a size of no number": extended(b"9 size=x\n"),
    "cut": header(b"00000000010\0")[:300],
}


@pytest.mark.timeout(60)
@pytest.mark.parametrize("name", TARS)
def test_odd_tars_are_refused_or_hold_nothing(tmp_path: Path, name: str) -> None:
    pq.write_table(
        pa.table({"url": ["x"], "key": ["000"], "status": ["success"]}), tmp_path / "x.parquet"
    )
    (tmp_path / "x.tar").write_bytes(TARS[name] + b"\0" * 4 * BLOCK)
    try:
        shard = Shard.beside(tmp_path / "x.parquet", ["url", "key", "status"])
        found = list(shard.pictures(["x/000.jpg"], tmp_path)) if shard else []
    except InputError as error:
        assert "x.tar: no sound tar" in str(error)  # noqa: PT017 - or it holds nothing
        return
    assert all(content is None or isinstance(content, bytes) for _, content in found)


def test_a_schema_of_a_thousand_levels_is_refused(tmp_path: Path) -> None:
    """Write a footer by hand: groups in groups, with a text in the last."""
    group = b"\x35\x02\x18\x01g\x15\x02\x00"
    schema = b"\x48\x01s\x15\x02\x00" + group * 1000 + b"\x15\x0c\x25\x02\x18\x01l\x00"
    elements = b"\xfc" + bytes((1002 & 0x7F | 0x80, 1002 >> 7)) + schema
    footer = b"\x15\x02\x19" + elements + b"\x16\x00\x19\x0c\x00"
    path = tmp_path / "x.parquet"
    path.write_bytes(b"PAR1" + footer + struct.pack("<I", len(footer)) + b"PAR1")
    said = curate("fetch", "--lists", path, "--workspace", tmp_path / "ws")
    assert said.code == 2, said
    assert "x.parquet" in said.rest
