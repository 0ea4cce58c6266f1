"""Columns that came later leave the files of earlier collections as they were, to the byte."""

from pathlib import Path

import pytest

from webemo_curate.config import BinarizeConfig, ListingConfig
from webemo_curate.manifest import content_digest, read_info, read_manifest, write_manifest
from webemo_curate.schemas import MANIFESTS

EXAMPLE = Path(__file__).parents[1] / "manifests"


@pytest.mark.parametrize("name", MANIFESTS)
def test_a_manifest_of_lists_is_written_as_before(name: str, tmp_path: Path) -> None:
    file = EXAMPLE / f"{name}.parquet"
    info, table = read_info(file), read_manifest(file, name)
    assert info is not None
    assert content_digest(table) == info.digest
    written = write_manifest(tmp_path / "again.parquet", name, table, info.origin, info.classes)
    assert written.digest == info.digest
    assert (tmp_path / "again.parquet").read_bytes() == file.read_bytes()


def test_what_lists_are_made_of_says_the_same_settings() -> None:
    for name, config in (("listing", ListingConfig()), ("labels", BinarizeConfig())):
        info = read_info(EXAMPLE / f"{name}.parquet")
        assert info is not None
        assert config.fingerprint() == {
            key: list(value) if isinstance(value, tuple) else value
            for key, value in info.origin.configuration.items()
        }
