"""One collection ends in the same splits, whatever the form in which it is given."""

import csv
import http.server
import json
import os
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.sources.collections import Collection, splits, told_of
from tests.sources.reading import listing
from webemo_curate.config import BinarizeConfig, ListingConfig
from webemo_curate.taxonomies import WEBEMO, load_taxonomy

TAXONOMY = load_taxonomy(WEBEMO)
SADNESS = BinarizeConfig(positive=("sadness",))

FORMS: dict[str, Callable[[Collection], Path]] = {
    "csv": Collection.as_csv,
    "jsonl": Collection.as_jsonl,
    "parquet": Collection.as_parquet,
    "hugging face": Collection.as_hugging_face,
    "folders": Collection.as_folders,
}


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, str]]:
    """A folder on loopback."""
    folder = tmp_path_factory.mktemp("served")
    handler = partial(Quiet, directory=str(folder))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield folder, f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


label = st.sampled_from(TAXONOMY.labels)
labels = st.lists(
    label | st.lists(label, min_size=2, max_size=3, unique=True), min_size=10, max_size=20
)


@settings(
    max_examples=4, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(labels=labels, copies=st.integers(0, 5))
@pytest.mark.slow
def test_all_forms_end_in_the_same_splits(
    labels: list[str | list[str]],
    copies: int,
    served: tuple[Path, str],
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    labels = [*labels, *["sadness"] * 8, *["zest"] * 8]
    folder = tmp_path_factory.mktemp("forms")
    collection = Collection.draw(folder, labels, copies)
    told = {}
    for name, form in FORMS.items():
        config = ListingConfig(source=[form(collection)], taxonomy=WEBEMO)
        told[name] = told_of(splits(folder / f"ws {name}", config, SADNESS))
    served_folder, mirror = served
    for file in collection.flat.iterdir():
        (served_folder / file.name).write_bytes(file.read_bytes())
    for names in (False, True):
        config = ListingConfig(lists=[collection.as_lists(names=names, taxonomy=TAXONOMY)])
        web = {"mirror": mirror, "ignore_robots": True, "rate": 1000.0}
        told[f"lists {names}"] = told_of(splits(folder / f"ws {names}", config, SADNESS, **web))
    first = told.pop("csv")
    assert sum(map(len, first.values())) >= 16
    assert all(other == first for other in told.values()), told.keys()


ODD = "abz09 .,&'\"()-_éßñ漢字🙂ليل"
names = (
    st.text(ODD, min_size=1, max_size=12)
    .map(str.strip)
    .filter(lambda name: name.strip(".") and not name.isdigit())
)


@dataclass(frozen=True)
class Row:
    """A picture with odd names: several labels, a group, a split, a name of its own."""

    file: str
    labels: list[str]
    group: str | None
    split: str | None
    id: str


rows = st.lists(
    st.builds(
        Row,
        file=names.map(lambda name: f"photos/{name}.png"),
        labels=st.lists(names, max_size=3, unique=True),
        group=st.none() | names,
        split=st.sampled_from([None, "train", "validation", "test"]),
        id=names,
    ),
    min_size=1,
    max_size=8,
)


def write_csv(rows: list[Row], file: Path, mark: str = ",", code: str = "utf-8") -> Path:
    with file.open("w", newline="", encoding=code) as stream:
        writer = csv.writer(stream, delimiter=mark, quoting=csv.QUOTE_ALL)
        writer.writerow(["file", "labels", "group", "split", "id"])
        for row in rows:
            split = row.split or ""
            writer.writerow([row.file, json.dumps(row.labels), row.group or "", split, row.id])
    return file


def write_jsonl(rows: list[Row], file: Path) -> Path:
    file.write_text("".join(json.dumps(asdict(row)) + "\n" for row in rows))
    return file


def write_parquet(rows: list[Row], file: Path) -> Path:
    kinds = {"labels": pa.list_(pa.string())}
    columns = [*asdict(rows[0])]
    schema = pa.schema([(name, kinds.get(name, pa.string())) for name in columns])
    pq.write_table(pa.Table.from_pylist([asdict(row) for row in rows], schema=schema), file)
    return file


@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(rows=rows)
def test_tables_with_odd_names_list_the_same_rows(rows: list[Row], tmp_path: Path) -> None:
    files = [
        write_csv(rows, tmp_path / "t.csv"),
        write_csv(rows, tmp_path / "t.tsv", "\t", "utf-16"),
        write_jsonl(rows, tmp_path / "t.jsonl"),
        write_parquet(rows, tmp_path / "t.parquet"),
    ]
    expected = Counter(
        (row.file, label, row.group, row.split, row.id)
        for row in rows
        for label in row.labels or [None]
    )
    told = ["file", "label", "group", "official_split", "row_id"]
    for file in files:
        listed = listing(file).select(told).to_pydict().values()
        assert Counter(zip(*listed, strict=True)) == expected, file.suffix


@given(given=st.lists(names, min_size=1, max_size=5, unique=True))
@settings(
    max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_folders_with_odd_names_are_labels(
    given: list[str], tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("odd")
    for name in given:
        (folder / f"{name}x").mkdir()
        (folder / f"{name}x" / f"{name}.png").write_bytes(b"x")
    (folder / os.fsdecode(b"Mu\xf1oz")).mkdir()
    (folder / os.fsdecode(b"Mu\xf1oz") / "a.png").write_bytes(b"x")
    shown = {name for name in given if not name.startswith(".")}
    if shown:
        listed = listing(folder)
        assert set(listed["label"].to_pylist()) == {f"{name}x" for name in shown}
