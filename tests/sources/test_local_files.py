"""Local files enter by content; nothing leads out of their folder; every file is accounted for."""

import os
from collections import Counter
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from tests.sources.collections import Collection, picture
from webemo_curate.config import DecodingConfig, FetchConfig, ListingConfig
from webemo_curate.errors import InputError
from webemo_curate.manifest import Origin
from webemo_curate.runner.local_runner import LocalRunner
from webemo_curate.sources.resolve import find_sources
from webemo_curate.stages.fetch import FetchStage
from webemo_curate.stages.listing import ListingStage
from webemo_curate.stages.stage import StageContext
from webemo_curate.storage.image_files import ImageFiles
from webemo_curate.workspace import Workspace


def take(workspace: Path, config: ListingConfig) -> list[dict[str, Any]]:
    """List and fetch, and write both manifests."""
    place = Workspace(workspace)
    context = StageContext(place, LocalRunner(1), "made up")
    stage = FetchStage(FetchConfig(), DecodingConfig(), config)
    listing: pa.Table = ListingStage(config).run({}, context)["listing"]
    place.write("listing", listing, Origin("listing", 2, {}, {}))
    fetch = stage.run({"listing": listing}, context)["fetch"]
    place.write("fetch", fetch, Origin("fetch", stage.version, stage.configuration(), {}))
    place.clear_checkpoints("fetch")
    rows: list[dict[str, Any]] = fetch.to_pylist()
    return rows


def test_every_kind_of_file_has_its_outcome(tmp_path: Path) -> None:
    folder, outside = tmp_path / "photos", tmp_path / "outside.png"
    (folder / "sad").mkdir(parents=True)
    outside.write_bytes(picture(1))
    (folder / "sad" / "good.png").write_bytes(picture(2))
    (folder / "sad" / "copy.png").write_bytes(picture(2))
    (folder / "sad" / "text.png").write_bytes(b"no picture")
    (folder / "sad" / "torn.png").write_bytes(picture(3)[:500])
    (folder / "sad" / "link.png").symlink_to(outside)
    table = tmp_path / "photos" / "t.csv"
    names = [*(f"sad/{file.name}" for file in (folder / "sad").iterdir()), "sad/absent.png", "sad"]
    os.mkfifo(folder / "sad" / "pipe.png")
    names.append("sad/pipe.png")
    table.write_text("file\n" + "".join(f"{name}\n" for name in names))

    rows = take(tmp_path / "ws", ListingConfig(source=(table,)))

    status = {row["url"].rpartition("/")[2]: row["status"] for row in rows}
    assert status == {
        "good.png": "local",
        "copy.png": "local",
        "text.png": "not_image",
        "torn.png": "corrupt",
        "link.png": "forbidden",
        "absent.png": "not_found",
        "sad": "not_image",
        "pipe.png": "not_image",
    }
    rows = take(tmp_path / "ws2", ListingConfig(source=(table,), outside=True))
    assert Counter(row["status"] for row in rows)["local"] == 3


@pytest.mark.parametrize("link", [True, False])
def test_pictures_are_copied_or_linked_by_content(tmp_path: Path, link: bool) -> None:
    collection = Collection.draw(tmp_path / "c", ["sad", "happy"])
    config = ListingConfig(source=(collection.as_folders(),), link=link)
    rows = take(tmp_path / "ws", config)
    for row in rows:
        path = tmp_path / "ws" / Workspace(tmp_path / "ws").image_path(row["sha256"], ".png")
        source = tmp_path / "c" / "by_label" / row["url"].partition("/")[2]
        assert path.read_bytes() == source.read_bytes()
        assert path.samefile(source) == link


def test_linking_into_an_object_store_is_refused(tmp_path: Path) -> None:
    place = Workspace(tmp_path)
    assert isinstance(place.images, ImageFiles)
    place.images = object()  # type: ignore[assignment]
    with pytest.raises(InputError, match="--link needs a workspace that is a folder"):
        place.check_linking()


def test_a_file_that_changed_is_taken_again_and_one_that_is_gone_stays(tmp_path: Path) -> None:
    collection = Collection.draw(tmp_path / "c", ["sad", "happy"])
    folder = collection.as_folders()
    config = ListingConfig(source=(folder,))
    stage = FetchStage(FetchConfig(), DecodingConfig(), config)
    before = {row["url"]: row["sha256"] for row in take(tmp_path / "ws", config)}
    assert not stage.demand(Workspace(tmp_path / "ws"))
    (folder / "sad" / "000.png").write_bytes(picture(9) + b" ")
    assert stage.demand(Workspace(tmp_path / "ws"))
    after = {row["url"]: row["sha256"] for row in take(tmp_path / "ws", config)}
    assert [before[url] == after[url] for url in sorted(before)] == [True, False]
    (folder / "sad" / "000.png").unlink()
    assert not stage.demand(Workspace(tmp_path / "ws"))


def test_bad_rows_are_counted_in_the_accounts(tmp_path: Path) -> None:
    collection = Collection.draw(tmp_path / "c", ["sad", "happy"])
    table = collection.as_csv()
    table.write_text(table.read_text() + ",x\n../up.png,x\n")
    rows = take(tmp_path / "ws", ListingConfig(source=(table,), on_bad_row="skip"))
    assert Counter(row["status"] for row in rows) == {"local": 2, "bad_row": 2}
    assert {row["error_class"][:13] for row in rows if row["status"] == "bad_row"} == {
        "column 'file'"
    }


def test_a_table_none_of_whose_files_is_there_names_the_remedy(tmp_path: Path) -> None:
    collection = Collection.draw(tmp_path / "c", ["sad", "happy"])
    table = tmp_path / "labels.csv"
    table.write_text("file,label\n000.png,sad\n001.png,happy\n")
    with pytest.raises(InputError, match=r"labels\.csv: none of its files .*000\.png.*--files DIR"):
        take(tmp_path / "ws", ListingConfig(source=(table,)))
    rows = take(tmp_path / "ws", ListingConfig(source=(table,), files=collection.flat))
    assert {row["status"] for row in rows} == {"local"}
    table.write_text(table.read_text() + "absent.png,sad\n")
    rows = take(tmp_path / "ws2", ListingConfig(source=(table,), files=collection.flat))
    assert Counter(row["status"] for row in rows) == {"local": 2, "not_found": 1}


def test_a_table_beside_a_folder_names_both_ways(tmp_path: Path) -> None:
    (tmp_path / "my set" / "images").mkdir(parents=True)
    (tmp_path / "my set" / "labels.csv").write_text("file,label\n")
    said = r"labels\.csv'' \(with '--files '.*images'' .*or the other, '--source '.*images''"
    with pytest.raises(InputError, match=said):
        find_sources(ListingConfig(source=(tmp_path / "my set",)))
