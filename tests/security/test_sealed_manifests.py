"""A bit flipped in a manifest is seen at every read, and its seal tells any other change."""

import json
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.security.changes import flip as flip_bit
from tests.security.changes import manifest_changes
from webemo_curate import verification
from webemo_curate.errors import InputError
from webemo_curate.manifest import METADATA_KEY, Origin
from webemo_curate.manifest_scan import manifest_batches
from webemo_curate.parquet import is_sealed, read_footer, read_parquet, seal, write_parquet
from webemo_curate.workspace import Workspace


def test_an_emptied_manifest_of_what_is_shared_is_told(workspace: Workspace) -> None:
    row = {
        "path": "/elsewhere/x.png",
        "sha256": "a" * 64,
        "matched": "b" * 64,
        "group": "g",
        "method": "phash",
        "distance": 0.0,
        "threshold": 8.0,
        "correlation": 1.0,
        "sibling": False,
    }
    origin = Origin("shared", 1, {}, {})
    workspace.write_as("shared", "shared-emo", pa.Table.from_pylist([row]), origin)
    assert not [*verification._changed(workspace, "shared-emo")]
    path = workspace.manifest_path("shared-emo")
    pq.write_table(pq.read_table(path).slice(0, 0), path)
    (problem,) = verification._changed(workspace, "shared-emo")
    assert "has 0 rows, 1 were written" in problem


def test_a_flipped_bit_in_a_manifest_is_seen_at_every_read(tmp_path: Path) -> None:
    """Flip bits one by one over a file's pages: no read gives other values."""
    table = pa.table({"number": np.random.default_rng(0).integers(0, 2**40, 300)})
    path = tmp_path / "x.parquet"
    write_parquet(table, path)
    sound = path.read_bytes()
    pages = pq.read_metadata(path).row_group(0).column(0).total_compressed_size
    silent = 0
    for place in range(4, 4 + pages, 7):
        broken = bytearray(sound)
        broken[place] ^= 1 << (place % 8)
        path.write_bytes(broken)
        try:
            silent += not read_parquet(path).equals(table)
        except (OSError, ValueError, pa.ArrowException):
            continue
    assert silent == 0


def test_a_flipped_bit_of_a_sealed_file_is_never_silent(tmp_path: Path) -> None:
    """Flip a bit of each byte, of headers and the footer too: none passes for what was written."""
    path = tmp_path / "x.parquet"
    write_parquet(pa.table({"number": [3, 5, 8], "text": ["a", None, "b"]}), path)
    assert not is_sealed(path)
    seal(path)
    sound, table = path.read_bytes(), read_parquet(path)
    assert is_sealed(path)
    assert pq.read_table(path).equals(table)
    for place in range(len(sound)):
        path.write_bytes(sound)
        flip_bit(path, place, place % 8)
        assert not is_sealed(path), place
    for end in range(len(sound)):
        path.write_bytes(sound[:end])
        assert not is_sealed(path), end


@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.integers(0, 10**9), st.integers(0, 7))
def test_a_flipped_bit_of_a_footer_is_seen_at_every_read(
    tmp_path: Path, place: int, bit: int
) -> None:
    workspace = Workspace(tmp_path)
    rows = [
        {"sha256": f"{n:064}", "target": n % 2, "label": "a", "kept": True, "seed": 1}
        for n in range(50)
    ]
    workspace.write("sample", pa.Table.from_pylist(rows), Origin("sample", 1, {}, {}))
    path, sound = workspace.manifest_path("sample"), workspace.read("sample")
    with path.open("rb") as stream:
        footer = len(read_footer(stream)) - 8  # beyond it: its length, and the file's mark
    flip_bit(path, path.stat().st_size - 9 - place % footer, bit)
    with pytest.raises(InputError, match="not a sound"):
        workspace.read("sample")
    with pytest.raises(InputError, match="not a sound"):
        workspace.scan("sample", ["sha256"])
    with pytest.raises(InputError, match="not a sound"):
        list(manifest_batches(path, "sample", ["sha256"]))
    assert workspace.info("sample") is None
    assert sound.num_rows == len(rows)


def test_metadata_and_places_of_manifests_are_held_against_their_seals(
    workspace: Workspace,
) -> None:
    path = workspace.manifest_path("test")
    sound = path.read_bytes()
    assert workspace.change("test") is None
    for what, change in manifest_changes(path):
        change()
        try:
            assert workspace.change("test"), what
        except InputError:
            assert what.startswith("bit"), what
    path.write_bytes(workspace.manifest_path("train").read_bytes())
    assert workspace.change("test") == "is 'train' under another name"
    table, metadata = pq.read_table(path), pq.read_metadata(path).metadata
    said = json.loads(metadata[METADATA_KEY])
    earlier = {METADATA_KEY: json.dumps({k: v for k, v in said.items() if k != "name"}).encode()}
    pq.write_table(table.replace_schema_metadata(earlier), path)
    assert workspace.change("test") is None, "manifests of earlier versions have no seal"
    path.write_bytes(sound)


def test_every_manifest_has_checksums(workspace: Workspace) -> None:
    path = workspace.manifest_path("test")
    assert METADATA_KEY in pq.read_metadata(path).metadata
    flip_in_pages(path)
    with pytest.raises(InputError, match="not a sound"):
        workspace.read("test")


def flip_in_pages(path: Path) -> None:
    column = pq.read_metadata(path).row_group(0).column(0)
    start = column.dictionary_page_offset or column.data_page_offset
    content = bytearray(path.read_bytes())
    content[start + column.total_compressed_size - 3] ^= 1
    path.write_bytes(content)
