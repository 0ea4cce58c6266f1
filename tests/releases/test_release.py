"""What a release tells, what it does not, and what it never tells again."""

import random
import re
import subprocess
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from benchmarks.release_size import decisions, images, row_bytes
from tests.exports.conftest import text
from tests.exports.shared_set import HOST, TEXT_FROM, TWIN_FROM, Drawn, drawn, fill
from tests.exports.test_export import files_of
from tests.releases.conftest import LICENSE
from webemo_curate.config import ExportConfig, ExportFormat, load_pipeline
from webemo_curate.errors import InputError
from webemo_curate.exports.export import export
from webemo_curate.exports.removals import url_digest
from webemo_curate.releases.release import release
from webemo_curate.verdicts import Split
from webemo_curate.workspace import Workspace


@pytest.fixture
def own(tmp_path: Path) -> Workspace:
    """A workspace that a test may change."""
    return fill(Workspace(tmp_path / "own"), drawn())


def urls_told(folder: Path) -> set[str]:
    images = pq.read_table(folder / "images.parquet").to_pylist()
    decisions = pq.read_table(folder / "decisions.parquet").to_pylist()
    return {url for row in images for url in [row["url"], *row["urls"]]} | {
        row["url"] for row in decisions
    }


def test_every_listed_url_is_told_once(curated: Workspace, released: Path) -> None:
    images = pq.read_table(released / "images.parquet").to_pylist()
    decisions = pq.read_table(released / "decisions.parquet").to_pylist()
    told = [url for row in images for url in row["urls"]]
    told += [row["url"] for row in [*images, *decisions]]
    assert sorted(told) == sorted(set(curated.read("listing")["url"].to_pylist()))


def test_images_are_those_of_the_splits(curated: Workspace, released: Path) -> None:
    told = {row["sha256"]: row for row in pq.read_table(released / "images.parquet").to_pylist()}
    rows = {
        row["sha256"]: row | {"split": str(split)}
        for split in Split
        for row in curated.read(split).to_pylist()
    }
    facts = {row["sha256"]: row for row in curated.read("images").to_pylist()}
    assert told.keys() == rows.keys()
    for sha256, row in told.items():
        for key in ("url", "label", "labels", "target", "split", "width", "height"):
            assert row[key] == rows[sha256][key]
        # Its own hash, told a second time, would be a quarter of the file.
        own = rows[sha256]["group"] == sha256
        assert row["group"] == (None if own else rows[sha256]["group"])
        for key in ("bytes", "pixel_hash", "phash"):
            assert row[key] == facts[sha256][key]


def test_every_column_is_nullable_and_hashes_are_hex(released: Path) -> None:
    table = pq.read_table(released / "images.parquet")
    assert all(field.nullable for field in table.schema)
    assert all(re.fullmatch("[0-9a-f]{64}", value) for value in table["sha256"].to_pylist())


def test_a_row_takes_little_more_than_its_hashes(tmp_path: Path) -> None:
    drawn = random.Random(0)
    for table, most in ((images(2000, drawn), 140), (decisions(2000, drawn), 80)):
        each, columns = row_bytes(table, tmp_path / "rows.parquet")
        assert each < most, columns


def test_near_duplicates_name_their_keeper(released: Path, pictures: list[Drawn]) -> None:
    decisions = pq.read_table(released / "decisions.parquet").to_pylist()
    told = {row["url"]: row for row in decisions}
    for one in pictures[TWIN_FROM:]:
        row = told[one.url]
        assert (row["stage"], row["reason"]) == ("dedup", "near_duplicate")
        assert (row["sha256"], row["keeper"]) == (
            one.sha256,
            pictures[one.number - TWIN_FROM].sha256,
        )
        assert (row["score"], row["threshold"]) == (4.0, 10.0)


def test_no_text_that_was_read_and_no_place_of_this_machine_is_told(
    curated: Workspace, released: Path
) -> None:
    for name, content in files_of(released).items():
        assert b"Jane Doe" not in content, name
        assert str(curated.root).encode() not in content, name
    decisions = pq.read_table(released / "decisions.parquet").to_pylist()
    assert sum(row["reason"] == "text" for row in decisions) == TWIN_FROM - TEXT_FROM


def test_the_same_set_gives_the_same_bytes(
    curated: Workspace, released: Path, tmp_path: Path
) -> None:
    release(curated, tmp_path / "again", LICENSE)
    assert files_of(tmp_path / "again") == files_of(released)
    release(curated, tmp_path / "again", LICENSE)
    assert files_of(tmp_path / "again") == files_of(released)


def test_sha256sum_finds_the_sums_right(released: Path) -> None:
    done = subprocess.run(
        ["sha256sum", "-c", "SHA256SUMS"], cwd=released, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    named = {line.split(": ")[0] for line in done.stdout.splitlines()}
    assert named | {"SHA256SUMS"} == {file.name for file in released.iterdir()}


def test_the_pipeline_file_is_read_back(curated: Workspace, released: Path) -> None:
    config = load_pipeline(released / "curate.yaml")
    assert config.binarize == curated.config().binarize
    assert config.fetch.fingerprint() == curated.config().fetch.fingerprint()


def test_the_card_counts_what_is_there(released: Path) -> None:
    card = (released / "README.md").read_text()
    rows = pq.read_table(released / "images.parquet").to_pylist()
    for split in Split:
        assert f"| {split} | {sum(row['split'] == split for row in rows)} |" in card
    assert "License: cc-by-4.0. The pictures belong to their owners." in card
    assert "| suffering | sadness | 1 |" in card
    assert "curate rebuild" in card


def test_mlcroissant_reads_the_released_rows(released: Path) -> None:
    import mlcroissant

    described = mlcroissant.Dataset(jsonld=str(released / "croissant.json"))
    assert not described.metadata.issues.errors
    found = {text(row["images/sha256"]) for row in described.records("images")}
    assert found == set(pq.read_table(released / "images.parquet")["sha256"].to_pylist())
    classes = [text(row["classes/name"]) for row in described.records("classes")]
    assert classes == ["others", "sadness"]


def test_a_license_is_asked_for(curated: Workspace, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"--license: .* none is assumed"):
        release(curated, tmp_path / "out", ExportConfig())
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(("of", "by"), [("keeper", "sha256"), ("copy", "url")])
def test_a_picture_taken_down_goes_with_all_its_copies_and_stays_away(
    own: Workspace, tmp_path: Path, of: str, by: str
) -> None:
    kept = {row["sha256"] for split in Split for row in own.read(split).to_pylist()}
    pictures = drawn()
    number = next(
        number for number in range(len(pictures) - TWIN_FROM) if pictures[number].sha256 in kept
    )
    keeper, copy = pictures[number], pictures[number + TWIN_FROM]
    one = keeper if of == "keeper" else copy
    release(own, tmp_path / "out", LICENSE)
    assert {keeper.url, copy.url} <= urls_told(tmp_path / "out")
    released = release(own, tmp_path / "out", LICENSE, [getattr(one, by)])
    assert released.removed == 2
    stones = pq.read_table(tmp_path / "out" / "removed.parquet").to_pylist()
    assert {row["sha256"] for row in stones} == {keeper.sha256, copy.sha256, None}
    assert {row["url_sha256"] for row in stones} == {
        url_digest(keeper.url),
        url_digest(copy.url),
        None,
    }
    release(own, tmp_path / "elsewhere", LICENSE)
    for place in ("out", "elsewhere"):
        assert not {keeper.url, copy.url} & urls_told(tmp_path / place)
        for name, content in files_of(tmp_path / place).items():
            if name != "removed.parquet":
                assert keeper.sha256.encode() not in content, name
    export(own, ExportFormat.CSV, tmp_path / "lists", ExportConfig())
    for content in files_of(tmp_path / "lists").values():
        assert keeper.sha256.encode() not in content


def test_a_url_that_never_became_a_picture_can_be_taken_down(
    own: Workspace, tmp_path: Path
) -> None:
    url = f"{HOST}/gone.jpg"
    release(own, tmp_path / "out", LICENSE, [url])
    assert url not in urls_told(tmp_path / "out")
    with pytest.raises(InputError, match=r"--remove .*: no image or URL of"):
        release(own, tmp_path / "out", LICENSE, ["http://x.example/"])


def test_a_folder_that_is_no_release_is_left_alone(curated: Workspace, tmp_path: Path) -> None:
    (tmp_path / "SHA256SUMS").write_text("")
    (tmp_path / "thesis.tex").write_text("years of work")
    with pytest.raises(InputError, match="is there already"):
        release(curated, tmp_path, LICENSE)
    assert (tmp_path / "thesis.tex").read_text() == "years of work"
