"""A file that the engine reads itself has the pages that were written, whatever lies in it."""

from collections import Counter
from contextlib import suppress
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.stages.tables import manifest, sha
from webemo_curate.errors import CurateError
from webemo_curate.manifest import Origin, write_manifest
from webemo_curate.manifest_scan import scan_manifest
from webemo_curate.page_checksums import are_whole, column_chunks
from webemo_curate.table_engine import TableEngine
from webemo_curate.thrift_values import read_structure

ROWS = 700
COLUMNS = ("hash", "label", "labels", "width", "kept", "score")


def table() -> pa.Table:
    """Return columns of the kinds that manifests have, some with missing values."""
    random = np.random.default_rng(0)
    return pa.table(
        {
            "hash": [sha(number) for number in range(ROWS)],
            "label": pa.array(["zest", "awe", None] * (ROWS // 3) + ["zest"]).dictionary_encode(),
            "labels": [["zest"] * (number % 4) for number in range(ROWS)],
            "width": pa.array([None if n % 7 == 0 else n for n in range(ROWS)], pa.int32()),
            "kept": [number % 3 == 0 for number in range(ROWS)],
            "score": random.random(ROWS),
        }
    )


@pytest.mark.parametrize("version", ["1.0", "2.0"])
@pytest.mark.parametrize("dictionary", [True, False])
@pytest.mark.parametrize("compression", ["zstd", "none"])
def test_pages_as_written_are_whole(
    tmp_path: Path, version: str, dictionary: bool, compression: str
) -> None:
    path = tmp_path / "x.parquet"
    form = {"data_page_version": version, "use_dictionary": dictionary, "compression": compression}
    pq.write_table(
        table(), path, write_page_checksum=True, row_group_size=300, data_page_size=512, **form
    )
    assert are_whole(path, COLUMNS)
    pq.write_table(table(), path, **form)
    assert not are_whole(path, COLUMNS), "without checksums"


def test_only_the_pages_of_the_columns_asked_for_count(tmp_path: Path) -> None:
    path = tmp_path / "x.parquet"
    pq.write_table(table(), path, write_page_checksum=True)
    *_, score = column_chunks(path)
    content = bytearray(path.read_bytes())
    content[score.end - 1] ^= 1
    path.write_bytes(content)
    assert are_whole(path, COLUMNS[:-1])
    assert not are_whole(path, COLUMNS)


def test_no_flipped_bit_gives_other_values(tmp_path: Path) -> None:
    """Flip bits over a manifest without a seal: its pages, their headers, and its footer."""
    rows = [
        {"sha256": sha(n), "target": n % 2, "label": "awe" if n % 3 else "zest", "seed": n}
        for n in range(60)
    ]
    whole, path = tmp_path / "sample.parquet", tmp_path / "x.parquet"
    write_manifest(whole, "sample", manifest("sample", rows), Origin("sample", 1, {}, {}))
    pq.write_table(pq.read_table(whole), path, write_page_checksum=True, compression="zstd")
    sound, written = path.read_bytes(), read(path)
    pages = max(chunk.end for chunk in column_chunks(path))
    seen = Counter[str]()
    for place in range(4, pages, 23):
        content = bytearray(sound)
        content[place] ^= 1 << (place % 8)
        path.write_bytes(content)
        try:
            seen["same" if read(path) == written else "other"] += 1
        except CurateError as error:
            told = "x.parquet: not a sound 'sample' manifest" in str(error)
            seen["refused" if told else "not told"] += 1
    assert not seen["other"] + seen["not told"]
    assert seen["refused"] > seen["same"]


def read(path: Path) -> list[tuple[object, ...]]:
    tables = {"sample": scan_manifest(path, "sample", ["sha256", "target", "label", "seed"])}
    with TableEngine(path.parent, tables) as engine:
        return engine.rows("select * from sample order by sha256")


@settings(max_examples=200, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.binary(min_size=1, max_size=300), st.integers(0, 2000))
def test_any_bytes_between_pages_end_the_look(tmp_path: Path, odd: bytes, place: int) -> None:
    path = tmp_path / "x.parquet"
    pq.write_table(table(), path, write_page_checksum=True)
    content = path.read_bytes()
    begins = 4 + place
    path.write_bytes(content[:begins] + odd + content[begins + len(odd) :])
    assert isinstance(are_whole(path, COLUMNS), bool)


def test_a_footer_that_contradicts_itself_is_refused(tmp_path: Path) -> None:
    """Flip bits of a footer without a seal: pyarrow itself would end the process on some."""
    rows = [{"sha256": sha(n), "target": 1, "label": "awe", "seed": n} for n in range(3)]
    whole, path = tmp_path / "sample.parquet", tmp_path / "x.parquet"
    write_manifest(whole, "sample", manifest("sample", rows), Origin("sample", 1, {}, {}))
    pq.write_table(pq.read_table(whole).replace_schema_metadata(None), path)
    sound = path.read_bytes()
    begins = len(sound) - int.from_bytes(sound[-8:-4], "little") - 8
    for place in range(begins, len(sound), 11):
        content = bytearray(sound)
        content[place] ^= 1 << place % 8
        path.write_bytes(content)
        with suppress(CurateError):
            read(path)


@settings(max_examples=500, deadline=None)
@given(st.binary(max_size=120))
def test_bytes_that_say_nothing_are_refused_and_raise_nothing_else(content: bytes) -> None:
    with suppress(ValueError):
        read_structure(content)
