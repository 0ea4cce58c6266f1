"""List files as they come: what is no list is one message with its file and line."""

import subprocess
from pathlib import Path

import pytest

from tests.e2e.conftest import CURATE
from tests.sources.reading import read_list
from webemo_curate.errors import InputError
from webemo_curate.sources.webemo import MAX_LINE_BYTES

GOOD = "http://example.org/photo.jpg 3\n"


def listed(folder: Path, content: bytes) -> Path:
    """Write a list."""
    file = folder / "list.txt"
    file.write_bytes(content)
    return file


@pytest.mark.parametrize("sign", [*range(9), *range(14, 32), 11, 12, 127, 0x80, 0x9F])
@pytest.mark.parametrize(
    "place", ["http://example.org/{}a.jpg 3\n", "http://example.org/a.jpg{}3\n"]
)
def test_a_control_character_is_named_with_its_line(tmp_path: Path, sign: int, place: str) -> None:
    file = listed(tmp_path, (GOOD + place.format(chr(sign))).encode())
    with pytest.raises(InputError, match=rf"list\.txt:2: .* U\+{sign:04X} at column \d+") as caught:
        read_list(file)
    assert str(caught.value).isprintable()


@pytest.mark.parametrize("code", ["utf-16", "utf-16-le", "utf-16-be", "utf-32"])
def test_wider_encodings_are_no_lists(tmp_path: Path, code: str) -> None:
    said = r"list\.txt:1: the row (is not UTF-8|has the control character U\+0000)"
    with pytest.raises(InputError, match=said):
        read_list(listed(tmp_path, GOOD.encode(code)))


def test_latin_1_is_named_with_line_and_byte(tmp_path: Path) -> None:
    content = (GOOD + "http://example.org/caf\u00e9.jpg 3\n").encode("latin-1")
    said = r"list\.txt:2: the row is not UTF-8 .*at byte 22.*save the list"
    with pytest.raises(InputError, match=said):
        read_list(listed(tmp_path, content))


@pytest.mark.parametrize("end", [b"", b" 3\n"])
def test_a_line_of_a_megabyte_is_no_list(tmp_path: Path, end: bytes) -> None:
    content = GOOD.encode() + b"http://example.org/" + b"a" * 2**20 + end
    with pytest.raises(InputError, match=rf"list\.txt:2: .*longer than {MAX_LINE_BYTES} bytes"):
        read_list(listed(tmp_path, content))


@pytest.mark.parametrize(
    "text", [GOOD.replace("\n", "\r\n"), "\ufeff" + GOOD, GOOD.replace(" ", "\t")]
)
def test_what_editors_make_of_a_list_is_read(tmp_path: Path, text: str) -> None:
    rows = read_list(listed(tmp_path, text.encode())).to_pylist()
    assert [row["url"] for row in rows] == ["http://example.org/photo.jpg"]


def test_the_command_ends_with_one_message(tmp_path: Path) -> None:
    file = listed(tmp_path, GOOD.encode() + b"http://example.org/\0.jpg 3\n")
    command = [str(CURATE), "fetch", "--lists", str(file), "--workspace", str(tmp_path / "ws")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    said = f"curate: {file}:2: the row has the control character U+0000 at column 20"
    assert done.stderr.splitlines()[-1].startswith(said)
    assert "Traceback" not in done.stderr
