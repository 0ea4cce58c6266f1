"""Files decoded together give the pixels that each gives alone, and a bad one is named."""

from pathlib import Path

import numpy as np
import psutil
import pytest

from tests.imaging.drawn import MAX_PIXELS, encode, picture
from tests.trainable import TINY
from webemo_curate.dataset import squares
from webemo_curate.dataset.squares import read_named_squares, read_square
from webemo_curate.errors import InputError
from webemo_curate.imaging import load_apart, load_rgb
from webemo_curate.storage.image_files import ImageFiles


def drawn(folder: Path, count: int) -> list[Path]:
    files = [folder / f"{number:02}.png" for number in range(count)]
    for number, file in enumerate(files):
        file.write_bytes(encode(picture().rotate(10 * number), "PNG"))
    return files


def read(files: list[Path]) -> np.ndarray:
    return read_named_squares(files, TINY, MAX_PIXELS)


@pytest.mark.parametrize("count", [1, 3, squares.FEW + 1, 5 * squares.TOGETHER])
def test_files_read_together_give_the_pixels_of_each(tmp_path: Path, count: int) -> None:
    files = drawn(tmp_path, count)
    alone = [read_square(ImageFiles(tmp_path), f.name, TINY, MAX_PIXELS) for f in files]
    assert np.array_equal(read(files), np.stack(alone))


def test_large_files_are_not_gathered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    files = drawn(tmp_path, 20)
    together = read(files)
    monkeypatch.setattr(squares, "TOGETHER_BYTES", 1)
    assert np.array_equal(read(files), together)


@pytest.mark.parametrize("bad", [0, 13, 39])
def test_the_broken_one_of_many_is_named(tmp_path: Path, bad: int) -> None:
    files = drawn(tmp_path, 40)
    files[bad].write_bytes(files[bad].read_bytes()[:100])
    with pytest.raises(InputError, match=files[bad].name):
        read(files)


def test_a_process_that_is_killed_is_replaced(tmp_path: Path) -> None:
    files = drawn(tmp_path, 40)
    before = read(files)
    here = psutil.Process()
    copies = set(here.children(recursive=True)) - set(here.children())
    assert copies, "those that decode are copies of one that has loaded what they need"
    for copy in copies:
        copy.kill()
    psutil.wait_procs(copies, 10)
    assert np.array_equal(read(files), before)


@pytest.mark.parametrize("side", [40, 110, 1300])
def test_an_answer_of_any_size_comes_whole(side: int) -> None:
    """By the pipe, in shared memory, and again by the pipe because it does not fit there."""
    content = encode(picture().resize((side, side)), "PNG")
    shown = load_apart(content, MAX_PIXELS)
    assert shown.tobytes() == load_rgb(content, MAX_PIXELS).tobytes()
