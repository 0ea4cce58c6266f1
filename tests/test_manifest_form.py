"""Columns that came later leave the files of earlier collections as they were, to the byte."""

from pathlib import Path

import pyarrow.parquet as pq
import pytest

from webemo_curate import manifest_scan
from webemo_curate.config import BinarizeConfig, ListingConfig
from webemo_curate.manifest import (
    ROW_GROUP_ROWS,
    content_digest,
    read_info,
    read_manifest,
    write_manifest,
)
from webemo_curate.parquet import SEAL_BYTES, read_footer, read_parquet, write_parquet

EXAMPLE = Path(__file__).parents[1] / "manifests"


def footer_of(file: Path) -> bytes:
    with file.open("rb") as stream:
        return read_footer(stream)


@pytest.mark.parametrize("name", ["listing", "fetch"])
def test_a_manifest_of_lists_is_written_as_before(name: str, tmp_path: Path) -> None:
    file = EXAMPLE / f"{name}.parquet"
    info, table = read_info(file), read_manifest(file, name)
    assert info is not None
    assert content_digest(table) == info.digest
    written = write_manifest(tmp_path / "again.parquet", name, table, info.origin, info.classes)
    assert written.digest == info.digest
    # As the file itself says its columns: what is written with them, without looking at schemas.
    write_parquet(read_parquet(file), tmp_path / "plain.parquet", row_group_size=ROW_GROUP_ROWS)
    again, plain = tmp_path / "again.parquet", tmp_path / "plain.parquet"
    pages = plain.read_bytes()[: -len(footer_of(plain))]
    assert again.read_bytes()[: -len(footer_of(again)) - SEAL_BYTES] == pages
    assert pq.read_schema(again).equals(pq.read_schema(plain))


def test_labels_are_declared_as_always_there_where_they_are(tmp_path: Path) -> None:
    file = EXAMPLE / "labels.parquet"
    info = read_info(file)
    assert info is not None
    table = read_manifest(file, "labels")
    write_manifest(tmp_path / "again.parquet", "labels", table, info.origin)
    assert not pq.read_schema(tmp_path / "again.parquet").field("label").nullable


def test_what_lists_are_made_of_says_the_same_settings() -> None:
    for name, config in (("listing", ListingConfig()), ("labels", BinarizeConfig())):
        info = read_info(EXAMPLE / f"{name}.parquet")
        assert info is not None
        assert config.fingerprint() == {
            key: list(value) if isinstance(value, tuple) else value
            for key, value in info.origin.configuration.items()
        }


@pytest.mark.parametrize("rows", [1, 7, 64])
@pytest.mark.parametrize("file", sorted(EXAMPLE.glob("*.parquet")), ids=lambda file: file.stem)
def test_the_digest_is_the_same_however_many_rows_are_read_at_a_time(
    file: Path, rows: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(manifest_scan, "DIGEST_ROWS", rows)
    table = read_manifest(file, file.stem)
    assert manifest_scan.stored_digest(file, file.stem) == (table.num_rows, content_digest(table))
