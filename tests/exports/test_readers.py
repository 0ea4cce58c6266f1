"""Each export, read back whole by the library it is for."""

import hashlib
import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import datasets
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image

from tests.exports.conftest import Export, Rows, text
from webemo_curate.config import ExportConfig, ExportFormat
from webemo_curate.exports import huggingface
from webemo_curate.exports.export import export
from webemo_curate.exports.safe_names import folder_names
from webemo_curate.manifest import Origin
from webemo_curate.verdicts import Split
from webemo_curate.workspace import Workspace


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Keep what `datasets` caches out of the home folder."""
    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", tmp_path / "hf")
    monkeypatch.setattr(datasets.config, "HF_CACHE_HOME", tmp_path / "hf-home")
    datasets.disable_progress_bars()
    yield
    datasets.enable_progress_bars()


@pytest.mark.parametrize("streaming", [False, True])
def test_datasets_reads_all_rows_pictures_and_class_names(
    exported: Export, rows: Rows, streaming: bool
) -> None:
    folder = exported("huggingface", shard_images=7)
    read = datasets.load_dataset(str(folder), streaming=streaming)
    assert set(read) == set(rows)
    for split, wanted in rows.items():
        part = read[split]
        classes, labels = part.features["target"], part.features["label"]
        found = list(part.cast_column("image", datasets.Image(decode=False)))
        assert [row["sha256"] for row in found] == [row["sha256"] for row in wanted]
        for row, one in zip(found, wanted, strict=True):
            assert hashlib.sha256(row["image"]["bytes"]).hexdigest() == one["sha256"]
            assert row["image"]["path"] == Path(str(one["path"])).name
            assert row["target"] == one["target"]
            assert labels.int2str(row["label"]) == one["label"]
            assert [row[key] for key in ("labels", "group", "url")] == [
                one[key] for key in ("labels", "group", "url")
            ]
        assert classes.names == ["others", "sadness"]
        assert isinstance(next(iter(part))["image"], Image.Image)


def test_huggingface_has_as_many_files_as_shards(exported: Export, rows: Rows) -> None:
    folder = exported("huggingface", shard_images=7)
    names = sorted(file.name for file in (folder / "data").glob("train-*"))
    count = -(-len(rows["train"]) // 7)
    assert names == [f"train-{number:05d}-of-{count:05d}.parquet" for number in range(count)]


def test_large_pictures_end_a_row_group_and_a_page_early(
    exported: Export, rows: Rows, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(huggingface, "ROW_GROUP_BYTES", 2000)
    folder = exported("huggingface")
    (file,) = (folder / "data").glob("train-*")
    footer = pq.read_metadata(file)
    groups = [footer.row_group(number) for number in range(footer.num_row_groups)]
    largest = max(len(row["image"]["bytes"]) for row in pq.read_table(file).to_pylist())
    assert len(groups) > 1
    # The fixed part of a page is its header.
    assert all(group.column(0).total_uncompressed_size < 2000 + largest + 500 for group in groups)
    read = datasets.load_dataset(str(folder))["train"]
    assert read["sha256"] == [one["sha256"] for one in rows["train"]]


def test_webdataset_reads_all_samples(exported: Export, rows: Rows) -> None:
    import webdataset

    folder = exported("webdataset", shard_images=5)
    sizes = json.loads((folder / "sizes.json").read_text())
    assert set(sizes) == {file.name for file in folder.glob("*.tar")}
    for split, wanted in rows.items():
        names = sorted(str(file) for file in folder.glob(f"{split}-*.tar"))
        samples = list(webdataset.WebDataset(names, shardshuffle=False))
        assert len(samples) == sum(sizes[Path(name).name] for name in names)
        for sample, one in zip(samples, wanted, strict=True):
            suffix = Path(str(one["path"])).suffix.removeprefix(".")
            assert sample["__key__"] == one["sha256"]
            assert hashlib.sha256(sample[suffix]).hexdigest() == one["sha256"]
            facts = json.loads(sample["json"])
            assert facts["class"] == ("others", "sadness")[int(str(one["target"]))]
            assert list(facts) == sorted(facts)
            assert {key: one[key] for key in facts if key != "class"} == {
                key: value for key, value in facts.items() if key != "class"
            }


def test_torchvision_reads_the_folders(exported: Export, rows: Rows) -> None:
    from torchvision.datasets import ImageFolder

    folder = exported("imagefolder")
    for split, wanted in rows.items():
        read = ImageFolder(folder / split)
        assert read.classes == ["others", "sadness"]
        found = {Path(path).stem: target for path, target in read.samples}
        assert found == {one["sha256"]: one["target"] for one in wanted}
        for path, _ in read.samples:
            assert hashlib.sha256(Path(path).read_bytes()).hexdigest() == Path(path).stem


def test_datasets_reads_the_folders_with_their_metadata(exported: Export, rows: Rows) -> None:
    folder = exported("imagefolder")
    read = datasets.load_dataset("imagefolder", data_dir=str(folder))
    assert set(read) == set(rows)
    for split, wanted in rows.items():
        found = {row["sha256"]: row for row in read[split]}
        assert found.keys() == {one["sha256"] for one in wanted}
        for one in wanted:
            row = found[one["sha256"]]
            assert [row[key] for key in ("target", "label", "labels", "url")] == [
                one[key] for key in ("target", "label", "labels", "url")
            ]
        assert read[split].features["target"].names == ["others", "sadness"]


def test_pandas_reads_the_lists(exported: Export, rows: Rows) -> None:
    import pandas as pd

    folder = exported("csv")
    for split, wanted in rows.items():
        read = pd.read_csv(folder / f"{split}.csv")
        for key in ("sha256", "url", "target", "label", "group"):
            assert read[key].tolist() == [one[key] for one in wanted]
        assert [json.loads(text) for text in read["labels"]] == [one["labels"] for one in wanted]
        assert set(read["class"]) == {"others", "sadness"}


def test_folder_names_are_those_of_the_classes() -> None:
    assert folder_names(["others", "sadness"]) == ("others", "sadness")


def test_mlcroissant_finds_nothing_wrong_and_reads_all_records(
    exported: Export, rows: Rows
) -> None:
    import mlcroissant

    folder = exported("croissant", shard_images=7)
    described = mlcroissant.Dataset(jsonld=str(folder / "croissant.json"))
    assert not described.metadata.issues.errors
    # Who published the set, when, and how it is cited its publisher knows alone.
    unknown = ("citeAs", "datePublished", "version")
    warnings = described.metadata.issues.warnings
    assert all(any(name in text for name in unknown) for text in warnings), warnings
    found = {text(row["images/sha256"]): row for row in described.records("images")}
    wanted = {one["sha256"]: (split, one) for split in rows for one in rows[split]}
    assert found.keys() == wanted.keys()
    names = {row["labels/number"]: row["labels/name"] for row in described.records("labels")}
    for sha256, (split, one) in wanted.items():
        row = found[sha256]
        assert text(row["images/split"]) == split
        assert row["images/target"] == one["target"]
        assert text(names[row["images/label"]]) == one["label"]
        assert row["images/image"].size == (one["width"], one["height"])


CLASSES = ("fear", "joy", "surprise")


@pytest.fixture
def of_three(shared: Workspace, tmp_path: Path) -> Workspace:
    """The workspace with splits of three classes."""
    own = Workspace(shutil.copytree(shared.root, tmp_path / "three"))
    for split in Split:
        table = own.read(split)
        targets = pa.array([row % len(CLASSES) for row in range(table.num_rows)], pa.int8())
        place = table.schema.get_field_index("target")
        table = table.set_column(place, table.schema.field(place), targets)
        own.write(split, table, Origin("split", 1, {}, {}), CLASSES)
    return own


def test_several_classes_are_read_by_number_and_name(of_three: Workspace, tmp_path: Path) -> None:
    import mlcroissant

    for form in ("huggingface", "croissant"):
        export(of_three, ExportFormat(form), tmp_path / form, ExportConfig(license="cc-by-4.0"))
    read = datasets.load_dataset(str(tmp_path / "huggingface"))
    described = mlcroissant.Dataset(jsonld=str(tmp_path / "croissant" / "croissant.json"))
    names = {
        row["classes/number"]: text(row["classes/name"]) for row in described.records("classes")
    }
    assert names == dict(enumerate(CLASSES))
    found = {
        text(row["images/sha256"]): row["images/target"] for row in described.records("images")
    }
    for split in Split:
        wanted = of_three.read(split, ["sha256", "target"]).to_pylist()
        part = read[str(split)]
        assert part.features["target"].names == [*CLASSES]
        assert part.select_columns(["sha256", "target"]).to_list() == wanted
        assert all(found[row["sha256"]] == row["target"] for row in wanted)
