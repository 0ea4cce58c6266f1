"""Weight files are found in EasyOCR's places, checked, and read without running their code."""

import hashlib
import pickle

import pytest
import torch

from webemo_curate.errors import InputError
from webemo_curate.ocr.easyocr.weight_files import (
    DETECTION,
    PUBLISHED,
    RECOGNITION,
    WeightFile,
    check,
    find_weights,
    load_tensors,
    require_weights,
)


class Code:
    """Leaves a mark when unpickled."""

    def __init__(self, mark):
        self.mark = mark

    def __reduce__(self):
        return open, (str(self.mark), "w")


@pytest.fixture(autouse=True)
def no_weights_of_the_user(monkeypatch, tmp_path):
    monkeypatch.delenv("EASYOCR_MODULE_PATH", raising=False)
    monkeypatch.delenv("MODULE_PATH", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))


def put_files(folder):
    folder.mkdir(parents=True)
    for weights in PUBLISHED:
        (folder / weights.name).write_bytes(b"weights")
    return folder / DETECTION.name, folder / RECOGNITION.name


def test_easyocrs_own_places_are_searched(tmp_path, monkeypatch):
    assert find_weights(None) is None

    at_home = put_files(tmp_path / "home" / ".EasyOCR" / "model")
    assert find_weights(None) == at_home

    monkeypatch.setenv("EASYOCR_MODULE_PATH", str(tmp_path / "elsewhere"))
    assert find_weights(None) == at_home
    elsewhere = put_files(tmp_path / "elsewhere" / "model")
    assert find_weights(None) == elsewhere


def test_a_folder_given_is_the_only_place(tmp_path):
    put_files(tmp_path / "home" / ".EasyOCR" / "model")

    assert find_weights(tmp_path) is None
    assert find_weights(tmp_path / "home" / ".EasyOCR" / "model")


def test_a_missing_file_is_named_with_its_source_and_its_place(tmp_path):
    put_files(tmp_path / "models")[1].unlink()

    with pytest.raises(InputError) as caught:
        require_weights(tmp_path / "models")

    message = str(caught.value)
    assert "english_g2.pth" in message
    assert RECOGNITION.url in message
    assert str(tmp_path / "models") in message
    assert "--models" in message


def test_a_file_of_another_checksum_is_refused_and_left_alone(tmp_path):
    path = tmp_path / "craft_mlt_25k.pth"
    path.write_bytes(b"something else")

    with pytest.raises(InputError, match=r"craft_mlt_25k\.pth.*MD5.*2f8227d2"):
        check(path, DETECTION)

    assert path.read_bytes() == b"something else"


def test_a_file_of_the_right_checksum_passes(tmp_path):
    path = tmp_path / "net.pth"
    path.write_bytes(b"weights")
    md5 = hashlib.md5(b"weights").hexdigest()

    check(path, WeightFile("net.pth", md5, "url"))


def test_tensors_are_loaded_by_name(tmp_path):
    path = tmp_path / "net.pth"
    torch.save({"module.conv.weight": torch.ones(2, 3), "conv.bias": torch.zeros(2)}, path)

    state = load_tensors(path)

    assert sorted(state) == ["conv.bias", "conv.weight"]
    assert state["conv.weight"].shape == (2, 3)


def test_code_in_a_file_is_not_run(tmp_path):
    path, mark = tmp_path / "net.pth", tmp_path / "ran"
    torch.save({"conv.weight": Code(mark)}, path)
    before = path.read_bytes()

    with pytest.raises(InputError, match=r"net\.pth.*weights"):
        load_tensors(path)

    assert not mark.exists()
    assert path.read_bytes() == before


def test_a_bare_pickle_is_not_run(tmp_path):
    path, mark = tmp_path / "net.pth", tmp_path / "ran"
    path.write_bytes(pickle.dumps(Code(mark), protocol=2))

    with pytest.raises(InputError):
        load_tensors(path)

    assert not mark.exists()


@pytest.mark.parametrize("kept", [0, 1, 100, 0.5, 0.99])
def test_a_truncated_file_is_refused_and_left_alone(tmp_path, kept):
    path = tmp_path / "net.pth"
    torch.save({"weight": torch.ones(64, 64)}, path)
    whole = path.read_bytes()
    cut = whole[: int(kept * len(whole)) if isinstance(kept, float) else kept]
    path.write_bytes(cut)

    with pytest.raises(InputError, match=r"net\.pth"):
        load_tensors(path)

    assert path.read_bytes() == cut


def test_a_file_that_holds_no_dictionary_is_refused(tmp_path):
    path = tmp_path / "net.pth"
    torch.save(torch.ones(3), path)

    with pytest.raises(InputError, match=r"net\.pth"):
        load_tensors(path)
