"""Tables as they come: dialects, encodings, usual names, several labels, what is malformed."""

import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.sources.reading import URL, listing, rows
from webemo_curate.errors import InputError


def write(folder: Path, name: str, content: str | bytes) -> Path:
    file = folder / name
    file.write_bytes(content.encode() if isinstance(content, str) else content)
    return file


@pytest.mark.parametrize("mark", [",", ";", "\t", "|"])
@pytest.mark.parametrize("code", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
def test_dialect_and_encoding_are_told_and_said(
    tmp_path: Path, mark: str, code: str, caplog: pytest.LogCaptureFixture
) -> None:
    words = ["été à la mer", "coup de cœur", "garçon déçu", "noël à l'école", "forêt brûlée"]
    lines = [mark.join(("Image_URL", "Emotion"))]
    lines += [mark.join((URL.format(n), words[n % 5])) for n in range(40)]
    file = write(tmp_path, "t.csv", "\r\n".join(lines).encode(code))
    given = {"encoding": code} if code == "cp1252" else {}
    with caplog.at_level("INFO", "webemo_curate"):
        found = rows(file, **given)
    assert [row["label"] for row in found] == [words[n % 5] for n in range(40)]
    assert "url from 'Image_URL', label from 'Emotion'" in caplog.text


def test_an_old_encoding_is_told_by_its_signs_and_said(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    words = ["Печаль", "радость", "удивление", "страх", "отвращение", "гнев и ярость"]
    lines = [f"{URL.format(n)},{words[n % 6]}" for n in range(60)]
    file = write(tmp_path, "t.csv", "\n".join(["url,label", *lines]).encode("cp1251"))
    with caplog.at_level("INFO", "webemo_curate"):
        found = rows(file)
    assert [row["label"] for row in found] == [words[n % 6] for n in range(60)]
    assert "is not UTF-8; by its signs it is cp1251" in caplog.text
    with pytest.raises(InputError, match=r"t\.csv:2: column 'label' has a sign that the table's"):
        rows(file, encoding="utf-8")


def test_quotes_newlines_blank_lines_and_the_row_numbers(tmp_path: Path) -> None:
    text = f'url,label,author\n{URL.format(1)},"a\nb",x\n\n{URL.format(2)},c,"y, z"\n'
    with pytest.raises(InputError, match=r"t\.csv:2: column 'label' has 'a\\nb'"):
        rows(write(tmp_path, "t.csv", text))
    found = rows(write(tmp_path, "t.csv", text), on_bad_row="skip")
    assert [(row["line"], row["label"], row["group"]) for row in found] == [
        (2, None, None),
        (4, "c", "y, z"),
    ]


@pytest.mark.parametrize("policy", ["fail", "skip"])
def test_a_quote_that_is_never_closed_loses_no_row_unsaid(tmp_path: Path, policy: str) -> None:
    lines = ["url,label", f"{URL.format(1)},a", f'"{URL.format(2)},b', *[f"{URL.format(3)},c"] * 3]
    said = r"t\.csv:3: a quote that is opened in this row is never closed, so that the 3 lines"
    with pytest.raises(InputError, match=said):
        rows(write(tmp_path, "t.csv", "\n".join(lines) + "\n"), on_bad_row=policy)


def test_a_bad_row_of_several_lines_says_over_how_many_it_runs(tmp_path: Path) -> None:
    text = f'url,label\n"{URL.format(1)},a\n{URL.format(2)},b\n",x,y\n{URL.format(3)},c\n'
    found = {row["line"]: row for row in rows(write(tmp_path, "t.csv", text), on_bad_row="skip")}
    assert "and runs over 3 lines: is a quote not closed?" in found[2]["problem"]
    assert found[3]["label"] == "c"


QUOTE = r"t\.csv:2: (from here on no table|a quote that is opened in this row)"
BAD = {
    "url,label\nftp://a,x\n": r"t\.csv:2: column 'url' is no http or https URL; correct it",
    "url,label\n,x\n": r"t\.csv:2: column 'url' is empty; give a URL",
    "url,label\nhttp://a/1,x,y\n": r"t\.csv:2: the row has 3 columns, the header 2; quote",
    "url,split\nhttp://a/1,fold3\n": r"t\.csv:2: column 'split' is no split; give train",
    "path,label\n../x.jpg,a\n": r"t\.csv:2: column 'path' leads out of .*--outside",
    "path,label\n/etc/passwd,a\n": r"t\.csv:2: column 'path' leads out of .*--files DIR",
    "path,label\na/../../x,a\n": r"t\.csv:2: column 'path' leads out of",
    "name,label\nx,a\n": r"t\.csv:1: no column of URLs.*--url-column.*name, label",
    "url,url\nhttp://a/1,b\n": r"t\.csv:1: two columns are named 'url'",
    "http://a/1,b\nhttp://a/2,b\n": r"t\.csv:1: the first line has a URL; add a line",
    "": r"t\.csv: the table is empty",
    'url,label\n"http://a/1,x\n' + "http://a/2,y\n" * 300_000: QUOTE,
}


@pytest.mark.parametrize(("text", "said"), BAD.items(), ids=map(str, range(len(BAD))))
def test_a_malformed_row_names_file_row_column_and_remedy(
    tmp_path: Path, text: str, said: str
) -> None:
    with pytest.raises(InputError, match=said):
        rows(write(tmp_path, "t.csv", text))


def test_unknown_labels_are_named_with_what_there_is(tmp_path: Path) -> None:
    file = write(tmp_path, "t.csv", "url,label\nhttp://a/1,Awe\nhttp://a/2,awwe\n")
    with pytest.raises(InputError, match=r"t\.csv:3: column 'label' .*mean 'awe'.*--taxonomy"):
        rows(file, taxonomy="mikels8")
    found = rows(file, taxonomy="mikels8", on_bad_row="skip")
    assert [row["label"] for row in found] == ["awe", None]
    assert [row["emotion"] for row in found] == ["positive", None]


def test_skipped_rows_are_counted_by_reason(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    file = write(tmp_path, "t.csv", "url\n" + "x\n" * 7 + "http://a/1\n")
    with caplog.at_level("INFO", "webemo_curate"):
        found = rows(file, on_bad_row="skip")
    said = "7 bad rows: column 'url' is no http or https URL (row 2, 3, 4, 5, 6, ...)"
    assert said in caplog.text
    assert len({row["url"] for row in found}) == 8


@pytest.mark.parametrize(
    ("cell", "options", "labels"),
    [
        ("fear;joy", {}, ["fear", "joy"]),
        ('"[""fear"", ""joy""]"', {}, ["fear", "joy"]),
        ("\"['fear', 'fear']\"", {}, ["fear"]),
        ("2", {"taxonomy": "ekman6"}, ["fear"]),
        ('"fear, joy"', {"taxonomy": "ekman6"}, ["fear", "joy"]),
        ("", {}, [None]),
        ("7", {}, ["7"]),
    ],
)
def test_labels_are_names_indexes_or_several(
    tmp_path: Path, cell: str, options: dict[str, Any], labels: list[str]
) -> None:
    file = write(tmp_path, "t.csv", f"url,label\nhttp://a/1,{cell}\n")
    assert [row["label"] for row in rows(file, **options)] == labels


def test_several_label_columns_and_columns_by_position(tmp_path: Path) -> None:
    file = write(tmp_path, "t.csv", "u,first,second,who\nhttp://a/1,a,b,me\n")
    options = {"url_column": "0", "label_column": "first,second", "group_column": "3"}
    found = rows(file, **options)
    assert [(row["label"], row["group"]) for row in found] == [("a", "me"), ("b", "me")]
    with pytest.raises(InputError, match=r"no column 'x' for --url-column \(there are: u, first"):
        rows(file, url_column="x")


def test_json_lines_and_what_is_none(tmp_path: Path) -> None:
    lines = [{"url": URL.format(1), "label": ["a", "b"], "author": 7}, {"url": {"x": 1}}]
    text = "\n".join([*map(json.dumps, lines), "[1]", "{", ""])
    file = write(tmp_path, "t.jsonl", text)
    with pytest.raises(InputError, match=r"t\.jsonl:2: column 'url' has neither text nor"):
        rows(file)
    found = rows(file, on_bad_row="skip")
    assert [row["label"] for row in found if row["problem"] is None] == ["a", "b"]
    assert [row["line"] for row in found if row["problem"]] == [2, 3, 4]


def test_numbers_keep_their_digits_and_what_is_none_is_missing(tmp_path: Path) -> None:
    line = '{"url": "http://a/%d.jpg", "id": %s, "label": %s, "group": NaN}\n'
    text = line % (1, "9007199254740993.0", "1.0") + line % (2, 2**64 - 1, "[2.0, 3]")
    found = rows(write(tmp_path, "t.jsonl", text))
    assert [row["row_id"] for row in found] == ["9007199254740993", *[str(2**64 - 1)] * 2]
    assert [row["label"] for row in found] == ["1", "2", "3"]
    columns = {"url": ["http://a/1.jpg", "http://a/2.jpg"], "group": [float("nan"), 2.0]}
    pq.write_table(pa.table(columns), tmp_path / "t.parquet")
    groups = [row["group"] for row in found + rows(tmp_path / "t.parquet")]
    assert groups == [*[None] * 4, "2"]


def test_content_decides_where_the_suffix_does_not(tmp_path: Path) -> None:
    pq.write_table(pa.table({"url": ["http://a/1"]}), tmp_path / "t.csv")
    assert rows(tmp_path / "t.csv")[0]["url"] == "http://a/1"
    write(tmp_path, "t.txt", '{"url": "http://a/1"}\n')
    assert rows(tmp_path / "t.txt")[0]["url"] == "http://a/1"
    with pytest.raises(InputError, match="no Parquet file, whatever its suffix says"):
        rows(write(tmp_path, "t.parquet", b"\x80\x04pickle"))


def test_splits_come_from_columns_and_names_of_files(tmp_path: Path) -> None:
    file = write(tmp_path, "t.csv", "url,subset\nhttp://a/1,Val\nhttp://a/2,train\nhttp://a/3,\n")
    assert [row["official_split"] for row in rows(file)] == ["validation", "train", None]
    file = write(tmp_path, "test-00000-of-00001.csv", "url\nhttp://a/1\n")
    assert rows(file)[0]["official_split"] == "test"


def test_tables_in_folders_of_splits_are_read_as_one_set(tmp_path: Path) -> None:
    for split in ("train", "validation"):
        (tmp_path / "set" / split).mkdir(parents=True)
        url = f"http://a/{split}"
        pq.write_table(pa.table({"url": [url]}), tmp_path / "set" / split / "0000.parquet")
    found = rows(tmp_path / "set")
    assert [(row["source"], row["official_split"]) for row in found] == [
        ("train-0000.parquet", "train"),
        ("validation-0000.parquet", "validation"),
    ]


def test_real_tables(shared_data: Path) -> None:
    dev = shared_data / "dev"
    web = listing(dev / "web_labels.csv", files=dev / "web", group_column="family")
    assert web.num_rows == 1075
    assert set(web["label"].unique().to_pylist()) == {"happy", "sad", "conflict"}
    assert (dev / "web" / web["file"][0].as_py()).is_file()
    oasis = listing(dev / "oasis_labels.csv", files=dev / "oasis")
    assert all((dev / "oasis" / file).is_file() for file in oasis["file"].to_pylist())


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    content=st.binary(max_size=400), name=st.sampled_from(["t.csv", "t.tsv", "t.jsonl", "t.txt"])
)
def test_no_bytes_break_the_readers(content: bytes, name: str, tmp_path: Path) -> None:
    file = write(tmp_path, name, b"url,label\n" * name.endswith("sv") + content)
    try:
        found = rows(file, on_bad_row="skip")
    except InputError as error:
        assert str(file) in str(error)  # noqa: PT017 - either is right
        return
    assert all(row["file"] is None for row in found)


def test_the_order_in_which_sources_are_given_changes_nothing(tmp_path: Path) -> None:
    one = write(tmp_path, "one.csv", "url,label\n" + URL.format(1) + ",joy\n")
    two = write(tmp_path, "two.csv", "url,label\nhttp://user:word@a.example/2.jpg,anger\n")
    found = listing(two, one)
    assert found.equals(listing(one, two))
    assert found["url"].to_pylist() == [URL.format(1), "http://***@a.example/2.jpg"]
