"""What our own lines raise is no verdict on a picture."""

import hashlib
import logging
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pytest
from PIL import Image, ImageCms

from tests.imaging.drawn import MAX_PIXELS, encode, picture
from webemo_curate.imaging import (
    DecodeError,
    ExamineWorker,
    check_body,
    choose_frame,
    distinct_frames,
    examiner,
    load_frame,
    load_rgb,
    profiles,
    read_looks,
)
from webemo_curate.imaging.picture_process import answered, understood
from webemo_curate.own_faults import OwnFaultError, warn_of_own
from webemo_curate.stages.images import ImagesWorker
from webemo_curate.storage.image_files import ImageFiles

BUGS = ["color.SIMPLE", "decoding.find_format", "decoding.TURNS", "profiles.MODES"]
"""Names that a line of ours stumbles over if they are None, each behind another guard."""

READERS: dict[str, Callable[[bytes], object]] = {
    "check_body": lambda content: check_body(content, MAX_PIXELS),
    "choose_frame": lambda content: choose_frame(content, MAX_PIXELS),
    "load_rgb": lambda content: load_rgb(content, MAX_PIXELS),
    "load_frame": lambda content: load_frame(content, MAX_PIXELS, 0),
    "read_looks": lambda content: read_looks(content, MAX_PIXELS),
    "distinct_frames": lambda content: distinct_frames(content, MAX_PIXELS, 2, 2),
}


def file_with_metadata() -> bytes:
    exif = Image.Exif()
    exif[0x0112] = 6
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    return encode(picture(), "PNG", exif=exif.tobytes(), icc_profile=profile)


@pytest.fixture(params=BUGS)
def bug(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    profiles._ready.cache_clear()
    monkeypatch.setattr(f"webemo_curate.imaging.{request.param}", None)
    return str(request.param)


@pytest.mark.parametrize("reader", READERS)
def test_a_bug_is_told_with_its_line_and_the_file(bug: str, reader: str) -> None:
    content = file_with_metadata()
    name = hashlib.sha256(content).hexdigest()
    with pytest.raises(
        OwnFaultError, match=f"(?s){name}: a fault of webemo-curate.*report it"
    ) as e:
        READERS[reader](content)
    assert f"imaging/{bug.split('.')[0]}.py, line " in str(e.value)


def test_a_fetch_records_it_as_what_it_is(bug: str) -> None:
    told = understood(answered(ExamineWorker(MAX_PIXELS), {}, file_with_metadata()))
    assert isinstance(told, OwnFaultError)
    found = examiner._finding(told)
    assert found.status == "internal_error"
    assert str(found.reason).startswith(("TypeError: ", "AttributeError: "))
    assert f"imaging/{bug.split('.')[0]}.py" in str(found.reason)


def test_the_images_stage_records_it_and_goes_on(
    bug: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    contents = [file_with_metadata(), b"no picture"]
    names = [hashlib.sha256(content).hexdigest() for content in contents]
    for name, content in zip(names, contents, strict=True):
        (tmp_path / name).write_bytes(content)
    columns = {"sha256": names, "path": names, "bytes": [9, 9], "place": names}
    found = ImagesWorker(ImageFiles(tmp_path), MAX_PIXELS).process(pa.record_batch(columns))
    statuses = found["decode_status"].to_pylist()
    assert statuses[0] == "internal_error"
    assert statuses[1] == "internal_error" if bug == "decoding.find_format" else "corrupt"
    with caplog.at_level(logging.WARNING):
        warn_of_own(found["decode_error"].to_pylist()[:1], "pictures")
    assert (
        "internal_error: 1 pictures could not be read for a fault of webemo-curate" in caplog.text
    )


def test_a_librarys_error_is_the_pictures() -> None:
    content = encode(picture(), "PNG")
    with pytest.raises(DecodeError):
        load_rgb(content[: len(content) // 2], MAX_PIXELS)
