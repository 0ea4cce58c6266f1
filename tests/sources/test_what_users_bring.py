"""Forms in which published sets come: lists of files, no header, patterns, JSON, odd folders."""

import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.sources.collections import picture
from tests.sources.reading import listing
from webemo_curate.errors import InputError
from webemo_curate.sources.json_array import JsonArrayError, array_items

URL = "http://a.example/{}.jpg"


def rows(place: Path, *columns: str, **options: Any) -> list[tuple[Any, ...]]:
    listed = listing(place, **options).select(columns or ["url", "label"]).to_pylist()
    return [tuple(row.values()) for row in listed]


def write(folder: Path, name: str, content: str | bytes) -> Path:
    file = folder / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(content.encode() if isinstance(content, str) else content)
    return file


def test_a_list_may_name_files_or_have_no_labels(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """A file's index is no index of WEBEmo's unless it is said; files are never taken as URLs."""
    write(tmp_path, "images/a b.jpg", "x")
    files = write(tmp_path, "val.txt", "images/a b.jpg 3\nimages/absent.jpg 4\n../up.jpg 1\n")
    with pytest.raises(InputError, match=r"val\.txt:3: the row leads out of .* --outside"):
        rows(files)
    found = rows(files, "file", "label", "official_split", on_bad_row="skip")
    assert found[:2] == [
        ("images/a b.jpg", "3", "validation"),
        ("images/absent.jpg", "4", "validation"),
    ]
    (named, *_) = rows(files, "label", on_bad_row="skip", taxonomy="mikels8")
    assert named == ("excitement",)
    with pytest.raises(InputError, match=r"its lines hold neither URLs nor .*--files DIR"):
        rows(write(tmp_path, "else/val.txt", files.read_text()))
    assert rows(tmp_path / "else" / "val.txt", files=tmp_path, on_bad_row="skip")
    with caplog.at_level("INFO", "webemo_curate"):
        assert rows(write(tmp_path, "urls.txt", URL.format(1) + "\n")) == [(URL.format(1), None)]
    assert "urls.txt: a list, 'URL' a line" in caplog.text
    late = f"{URL.format(1)}\n" * 25 + f"{URL.format(2)} sadness\n"
    with pytest.raises(InputError, match=r":26: the row has 2 fields; .* hold a URL alone"):
        rows(write(tmp_path, "late.txt", late))


def test_a_table_without_a_line_of_names(tmp_path: Path) -> None:
    """FI's tables: a label, a URL and votes, comma after comma."""
    file = write(tmp_path, "amusement.csv", f"amusement,{URL.format(1)},0,5\n" * 2)
    with pytest.raises(InputError, match="give --no-header --url-column 1, and --label-column"):
        rows(file)
    options: dict[str, Any] = {"no_header": True, "url_column": "1", "label_column": ["0"]}
    assert rows(file, "line", "url", "label", **options) == [
        (number, URL.format(1), "amusement") for number in (1, 2)
    ]
    with pytest.raises(InputError, match=r"column by its position, from 0 \(there are: 0, 1"):
        rows(file, no_header=True)
    unnamed = write(tmp_path, "t.txt", "a.jpg awe\n")
    options = {"no_header": True, "delimiter": " ", "path_column": "0", "label_column": ["1"]}
    assert rows(unnamed, "file", "label", **options) == [("a.jpg", "awe")]


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("\n\nurl,label\n{},joy\n", 4),
        ("sep=;\nurl;label\n{};joy\n", 3),
        ("url,label,,\n{},joy,,\n", 2),
        (",url,label,note,note\n0,{},joy,a,b\n", 2),
        ("url,label\r\n\r\n{},joy\r\n", 3),
    ],
)
def test_what_spreadsheets_write_around_a_table(tmp_path: Path, text: str, line: int) -> None:
    file = write(tmp_path, "t.csv", text.format(URL.format(1)))
    assert rows(file, "line", "url", "label") == [(line, URL.format(1), "joy")]


def test_a_path_may_be_a_pattern_of_columns(tmp_path: Path) -> None:
    """ArtEmis names a painting and its style, in columns of their own, without a suffix."""
    text = 'art_style,painting,emotion,utterance\nCubism,cat_1912,awe,"a, b"\n,dog,fear,c\n'
    pattern = "{art_style}/{painting}.jpg"
    tables = [write(tmp_path, "t.csv", text), tmp_path / "t.parquet", tmp_path / "t.jsonl"]
    cells = [["Cubism", "cat_1912", "awe"], [None, "dog", "fear"]]
    cells = [dict(zip(("art_style", "painting", "emotion"), row, strict=True)) for row in cells]
    pq.write_table(pa.Table.from_pylist(cells), tables[1])
    tables[2].write_text("".join(json.dumps(row) + "\n" for row in cells))
    for table in tables:
        with pytest.raises(InputError, match=r"column '\{art_style\}/.*' is empty; name a file"):
            rows(table, path_column=pattern)
        found = rows(table, "file", "label", path_column=pattern, on_bad_row="skip")
        assert found == [("Cubism/cat_1912.jpg", "awe"), (None, None)]
        with pytest.raises(InputError, match="no column 'style' for --path-column"):
            rows(table, path_column="{style}/{painting}.jpg")
        made = rows(table, "url", url_column="http://a/{painting}.jpg", on_bad_row="skip")
        assert made == [("http://a/cat_1912.jpg",), ("http://a/dog.jpg",)]


def test_windows_paths_are_read_and_said(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    text = "path,label\nsad\\1.jpg,joy\nsad\\2.jpg,joy\n"
    with caplog.at_level("INFO", "webemo_curate"):
        assert rows(write(tmp_path, "t.csv", text), "file") == [("sad/1.jpg",), ("sad/2.jpg",)]
    assert caplog.text.count("backslashes in paths are read as slashes") == 1
    with pytest.raises(InputError, match="leads out of"):
        rows(write(tmp_path, "t.csv", "path\n..\\..\\x.jpg\n"))


def test_json_arrays_are_tables(tmp_path: Path) -> None:
    """EmoSet's train.json: arrays of a label, a photo and its notes."""
    text = json.dumps([["awe", "image/awe/1.jpg", "x"], ["fear", "image/fear/1.jpg", "y"]])
    file = write(tmp_path, "train.json", text)
    with pytest.raises(InputError, match=r"by its position, from 0 \(there are: 0, 1, 2\)"):
        rows(file)
    found = rows(file, "file", "label", "official_split", path_column="1", label_column=["0"])
    assert found == [("image/awe/1.jpg", "awe", "train"), ("image/fear/1.jpg", "fear", "train")]
    objects = [{"file": "a.jpg", "label": ["awe", "fear"]}, 7, {"file": "b.jpg"}]
    file = write(tmp_path, "t.json", json.dumps(objects, indent=1))
    with pytest.raises(InputError, match=r"t\.json:2: the row is no JSON object"):
        rows(file)
    found = rows(file, "line", "label", on_bad_row="skip")
    assert sorted(found, key=str) == [(1, "awe"), (1, "fear"), (2, None), (3, None)]
    with pytest.raises(InputError, match=r"t\.json:2: is no JSON \(.*correct it"):
        rows(write(tmp_path, "t.json", '[{"file": "a.jpg"}, {"file": ]'))
    with pytest.raises(InputError, match=r"one\.json:1: no JSON object; each .* an array of rows"):
        rows(write(tmp_path, "one.json", '{"a.jpg":\n"awe"}'))


items = st.lists(st.recursive(st.none() | st.integers() | st.text(), st.lists, max_leaves=6))


@given(items, st.sampled_from([None, 1]), st.integers(1, 5))
def test_an_array_is_read_in_pieces_as_a_whole(
    given: list[Any], indent: int | None, piece: int
) -> None:
    class Pieces:
        def __init__(self) -> None:
            self.rest = json.dumps(given, indent=indent, ensure_ascii=False).encode()

        def read(self, _: int) -> bytes:
            block, self.rest = self.rest[:piece], self.rest[piece:]
            return block

    assert list(array_items(Pieces(), json.JSONDecoder())) == given  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "text", ["", "{}", "[1", "[1,]", "[1 2]", "[1] 2", "[,1]", "[\xff]", "[nan]"]
)
def test_what_is_no_array_is_an_error(text: str, tmp_path: Path) -> None:
    file = write(tmp_path, "t.json", text.encode("latin-1"))
    with file.open("rb") as stream, pytest.raises(JsonArrayError):
        list(array_items(stream, json.JSONDecoder()))


def test_a_column_that_begins_late_is_not_lost(tmp_path: Path) -> None:
    text = '{"url": "http://a/1"}\n' * 100 + '{"url": "http://a/2", "Label": "x"}\n'
    with pytest.raises(InputError, match=r"t\.jsonl:101: has 'Label', which none of the first 100"):
        rows(write(tmp_path, "t.jsonl", text))


def test_missing_and_whole_numbers_mean_the_same_in_every_form(tmp_path: Path) -> None:
    """What pandas makes of a column of whole numbers with a gap: 2.0 and NaN."""
    table = {"url": [URL.format(n) for n in (1, 2)], "label": [2.0, float("nan")]}
    table |= {"author": [7.0, float("nan")]}
    pq.write_table(pa.table(table), tmp_path / "t.parquet")
    lines = [dict(zip(table, cells, strict=True)) for cells in zip(*table.values(), strict=True)]
    write(tmp_path, "t.jsonl", "".join(json.dumps(line) + "\n" for line in lines))
    write(tmp_path, "t.csv", f"url,label\n{URL.format(1)},2.0\n{URL.format(2)},\n")
    for form in ("parquet", "jsonl", "csv"):
        for options, label in (({}, "2"), ({"taxonomy": "ekman6"}, "fear")):
            assert rows(tmp_path / f"t.{form}", "label", **options) == [(label,), (None,)], form
    assert rows(tmp_path / "t.parquet", "group") == [("7",), (None,)]


def test_tables_are_told_without_their_suffix(tmp_path: Path) -> None:
    for name, text in (
        ("a.txt", "url,label\n{},joy\n"),
        ("a.tab", "Label\tImage_URL\njoy\t{}\n"),
        ("a", '"link";"label"\n"{}";joy\n'),
    ):
        assert rows(write(tmp_path, name, text.format(URL.format(1)))) == [(URL.format(1), "joy")]
    file = write(tmp_path, "u.txt", f"url,label\n{URL.format(1)},été\n".encode("utf-16"))
    assert rows(file) == [(URL.format(1), "été")]
    # Cornell's Emotion6
    file = write(tmp_path, "ground_truth.txt", "[image_filename]\t[valence]\nanger/1.jpg\t2.5\n")
    assert rows(file, "file", path_column="[image_filename]") == [("anger/1.jpg",)]


@pytest.mark.parametrize(
    ("name", "start", "said"),
    [
        ("t.xlsx", b"PK\x03\x04", "is a spreadsheet; save it as CSV"),
        ("t.xls", b"\xd0\xcf\x11\xe0\xa1", "is a spreadsheet; save it as CSV"),
        ("t.csv", b"\x1f\x8b\x08", "is an archive; unpack it"),
        ("t.arrow", b"ARROW1\0\0", "Arrow's own form; write each split as Parquet"),
        ("t.jpg", b"\xff\xd8\xff\xe0", "is a picture; name the folder"),
    ],
)
def test_what_is_not_read_says_what_to_do(
    tmp_path: Path, name: str, start: bytes, said: str
) -> None:
    with pytest.raises(InputError, match=said):
        rows(write(tmp_path, name, start + b"x" * 300))


def test_a_set_that_datasets_saved_is_no_folder_of_photos(tmp_path: Path) -> None:
    write(tmp_path, "train/data-00000-of-00001.arrow", b"\xff\xff\xff\xff")
    write(tmp_path, "dataset_dict.json", "{}")
    with pytest.raises(InputError, match="Arrow's own form"):
        rows(tmp_path)


WORDS = {
    "cp1252": ("garçon déçu", "été à la mer", "noël"),
    "cp1250": ("štěstí", "překvapení", "vztek"),
    "gb18030": ("悲伤", "高兴", "愤怒", "恐惧"),
    "cp932": ("悲しみ", "喜び", "怒り"),
}


@pytest.mark.parametrize("code", WORDS)
def test_an_encoding_that_could_be_another_is_asked_for(tmp_path: Path, code: str) -> None:
    """A wrong guess would make other labels; the message shows how each encoding reads them."""
    lines = [f"{URL.format(n)},{word}" for n, word in enumerate(WORDS[code])]
    file = write(tmp_path, "t.csv", "\n".join(["url,label", *lines]).encode(code))
    with pytest.raises(InputError, match=rf"{code} \('{WORDS[code][0]}'\).*give its --encoding"):
        rows(file)
    assert [label for _, label in rows(file, encoding=code)] == [*WORDS[code]]


def test_hugging_faces_tables_come_under_any_names(tmp_path: Path) -> None:
    """The image and the only ClassLabel are told by type; each ClassLabel has names of its own."""
    classes = {"mood": ["sad", "happy"], "style": ["cubism", "pop"]}
    features = {name: {"_type": "ClassLabel", "names": names} for name, names in classes.items()}
    photo = pa.array([{"bytes": picture(1), "path": None}, {"bytes": picture(2), "path": None}])
    for declared, options, expected in (
        (["mood"], {}, ["happy", None]),
        (["mood", "style"], {"label_column": ["mood", "style"]}, ["happy", "cubism", "pop"]),
        (["mood", "style"], {}, [None, None]),
    ):
        table = pa.table({"photo": photo, "mood": [1, -1], "style": [0, 1]})
        info = {
            "features": {name: features[name] for name in declared} | {"photo": {}, "style": {}}
        }
        if len(declared) == 2:
            info["features"]["style"] = features["style"]
        document = json.dumps({"info": info}).encode()
        pq.write_table(
            table.replace_schema_metadata({b"huggingface": document}), tmp_path / "t.parquet"
        )
        found = rows(tmp_path / "t.parquet", "file", "label", **options)
        assert [label for _, label in found] == expected
        assert {file for file, _ in found} == {"#1", "#2"}
    pq.write_table(pa.table({"url": [["http://a/1"]]}), tmp_path / "l.parquet")
    with pytest.raises(InputError, match=r"column 'url' holds values of type list.*text is needed"):
        rows(tmp_path / "l.parquet")


def test_tables_of_the_hubs_conversion_are_no_photos(tmp_path: Path) -> None:
    for split in ("train", "test"):
        file = tmp_path / "default" / split / "0000.parquet"
        file.parent.mkdir(parents=True)
        pq.write_table(pa.table({"url": [URL.format(split)]}), file)
    assert set(rows(tmp_path, "url", "official_split")) == {
        (URL.format(split), split) for split in ("train", "test")
    }
    (tmp_path / "other" / "train").mkdir(parents=True)
    pq.write_table(pa.table({"url": ["http://a/1"]}), tmp_path / "other" / "train" / "0.parquet")
    with pytest.raises(InputError, match=r"several sets of tables .default, other.; name one"):
        rows(tmp_path)


def test_folders_beside_splits_and_around_classes_are_said(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    for name in ("train/joy/a.jpg", "test/fear/b.jpg", "docs/c.pdf"):
        write(tmp_path / "set", name, "x")
    with pytest.raises(InputError, match=r"named as splits \(test, train\), and others \(docs\)"):
        rows(tmp_path / "set")
    for name in ("train/a.jpg", "car/b.jpg"):  # a class may be named so
        write(tmp_path / "vehicles", name, "x")
    assert {label for _, label in rows(tmp_path / "vehicles")} == {"train", "car"}
    for name in ("images/joy/a.jpg", "images/fear/b.jpg"):
        write(tmp_path / "around", name, "x")
    rows(tmp_path / "around")
    said = f"(fear, joy), give --source {tmp_path / 'around' / 'images'}"
    assert "'images' is taken as the label of every photo" in caplog.text
    assert said in caplog.text
