"""A library's words tell of the machine; what they quote, and what a file holds, does not."""

import errno
import os
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tests.download.site import picture
from tests.e2e.conftest import curate
from webemo_curate.config import yaml_files
from webemo_curate.errors import InputError
from webemo_curate.fault_words import TOLD_IN_WORDS
from webemo_curate.system_faults import SystemFaultError, raise_system_fault

WORDS = [
    *(os.strerror(code) for code in TOLD_IN_WORDS),
    "os error 28",
    "can't start new thread",
    "Failed to launch worker thread",
    "No usable temporary directory",
]


@pytest.mark.parametrize("code", TOLD_IN_WORDS)
@pytest.mark.parametrize(
    "words",
    [
        'IO Error: Cannot open file "/ws/manifests/train.parquet": {text}',  # DuckDB
        "Error while serializing: I/O error: {text} (os error {code})",  # safetensors
        "open file failed with strerror: {text}",  # torch
    ],
)
def test_words_count_as_the_number_that_they_stand_for(code: int, words: str) -> None:
    error = RuntimeError(words.format(text=os.strerror(code), code=code))
    with pytest.raises(SystemFaultError, match=f"^train: {os.strerror(code)}; "):
        raise_system_fault(error, "train")


@given(words=st.sampled_from(WORDS), before=st.text(), after=st.text(), encode=st.booleans())
@example(words=WORDS[0], before="a'b", after='c"d', encode=False)
@example(words="can't start new thread", before="", after='"', encode=True)
def test_a_quoted_name_tells_nothing(words: str, before: str, after: str, encode: bool) -> None:
    name = before + words + after
    quoted = name.encode("utf-8", "surrogatepass") if encode else name
    raise_system_fault(RuntimeError(f"cannot identify image file {quoted!r}, it can't be read"))
    raise_system_fault(FileNotFoundError(errno.ENOENT, "No such file or directory", name))


@pytest.mark.parametrize("words", WORDS)
def test_a_parser_shows_what_it_read(words: str, tmp_path: Path) -> None:
    file = tmp_path / "curate.yaml"
    file.write_text(f"[{words}")
    with pytest.raises(InputError, match="not a readable YAML file"):
        yaml_files.read_yaml(file)
    raise_system_fault(ValueError(f"no number: {words}"))


def test_pictures_named_like_faults_end_no_run(tmp_path: Path) -> None:
    folder = tmp_path / "photos" / "joy"
    folder.mkdir(parents=True)
    for words in (words.replace("/", " ") for words in WORDS):
        (folder / f"{words}.jpg").write_bytes(picture(0)[:-300])
        (folder / f"{words} too.jpg").symlink_to(f"/nowhere/{words}")
    (folder / "whole.jpg").write_bytes(picture(0))
    told = curate("add-folder", folder.parent, "--name", "odd", "--workspace", tmp_path / "ws")
    assert f"left out: {len(WORDS)} not decodable" in told
    assert "1 images in" in told
