"""No picture costs more time or memory than it may, anywhere; its neighbors are well."""

import hashlib
import resource
import signal
import subprocess
import sys
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from PIL import Image, features

from tests.download.site import answer, fetch, running
from tests.imaging.drawn import encode, picture
from tests.security import hostile_pictures as hostile
from tests.stages.test_images import describe
from tests.trainable import TINY
from tests.work import work_on
from webemo_curate.config import BOUNDS, DecodeBounds, DecodingConfig
from webemo_curate.dataset import squares
from webemo_curate.dataset.packing import PackWorker
from webemo_curate.dataset.squares import read_squares
from webemo_curate.duplicates.describe import DescribeWorker
from webemo_curate.errors import InputError
from webemo_curate.imaging import (
    Apart,
    DecodeError,
    Examiner,
    ExamineWorker,
    check_body,
    guard,
    guard_process,
    load_apart,
    load_rgb,
    read_looks,
    shown,
)
from webemo_curate.report import pictures
from webemo_curate.report.pictures import thumbnail
from webemo_curate.runner.local_runner import LocalRunner
from webemo_curate.sources.added import add_folder
from webemo_curate.stages.images import ImagesStage, ImagesWorker
from webemo_curate.stages.stage import StageContext
from webemo_curate.storage.folder import FolderStore
from webemo_curate.storage.image_files import ImageFiles
from webemo_curate.system_faults import memory_limited, raise_system_fault
from webemo_curate.verdicts import FetchStatus
from webemo_curate.workspace import Workspace

MAX_PIXELS = DecodingConfig().max_pixels
REFUSED = {
    "scans.jpg": (lambda: hostile.jpeg(400), "scans or more"),
    "fill.jpg": (lambda: hostile.jpeg_filled(70_000), "segments of a JPEG"),
    "remarks.jpg": (lambda: hostile.jpeg_remarks(70_000), "segments of a JPEG"),
    "row.png": (lambda: hostile.png_row(64_000_001), "64000001 x 1 pixels"),
    "chunks.png": (lambda: hostile.png_chunks(70_000), "chunks of a PNG"),
    "strips.tif": (lambda: hostile.tiff(3_000_000), "strips or tiles"),
    "tiles.tif": (lambda: hostile.tiff(200_000, tag=324), "strips or tiles"),
    "strips-big.tif": (lambda: hostile.tiff(200_000, big=True), "strips or tiles"),
    "tile.tif": (lambda: hostile.tiff_tile(60_000), "pixels a tile"),
    "remarks.gif": (lambda: hostile.gif_remarks(300_000), "blocks of a GIF"),
    "runs.bmp": (lambda: hostile.bmp_runs(8000), "run-length"),
    "canvas.webp": (lambda: hostile.webp_canvas(7000), "7000 x 7000 pixels"),
}
if features.check("avif"):
    REFUSED["canvas.avif"] = (lambda: hostile.avif_canvas(7000), "7000 x 7000 pixels")


@pytest.fixture
def context(tmp_path: Path) -> StageContext:
    """A context with an empty workspace and one worker process."""
    return StageContext(Workspace(tmp_path / "workspace"), LocalRunner(1), "0" * 64)


@pytest.mark.parametrize("name", REFUSED)
def test_work_beyond_the_pixels_is_refused_before_anything_is_decoded(name: str) -> None:
    make, reason = REFUSED[name]
    content = make()
    for read in (check_body, load_rgb, read_looks):
        with pytest.raises(DecodeError, match=reason) as caught:
            read(content, MAX_PIXELS)
        assert caught.value.status == "too_large"


@pytest.mark.parametrize(
    "content",
    [
        hostile.jpeg(400, side=512),
        hostile.jpeg(16),
        hostile.jpeg_remarks(60_000),
        hostile.png_chunks(60_000),
        hostile.tiff(1000),
        hostile.gif_remarks(200_000),
        encode(picture(size=(640, 480)), "JPEG", progressive=True) + b"\xff\xda" * 10_000,
    ],
    ids=["small", "few scans", "remarks", "chunks", "strips", "blocks", "after the end"],
)
def test_what_costs_little_is_read(content: bytes) -> None:
    assert check_body(content, MAX_PIXELS)


@pytest.mark.parametrize(
    "side", [1_000_000, pytest.param(64_000_000, marks=pytest.mark.slow)], ids=["short", "longest"]
)
def test_a_row_of_millions_of_pixels_is_a_picture_as_others_are(
    context: StageContext, tmp_path: Path, side: int
) -> None:
    bodies = {"row": hostile.png_row(side), "good": encode(picture(), "PNG")}
    rows = describe(context, {name: (body, ".png") for name, body in bodies.items()}, MAX_PIXELS)
    assert [row["decode_status"] for row in rows.values()] == ["ok", "ok"]
    assert rows["row"]["width"] == side
    for name, body in bodies.items():
        (tmp_path / name).write_bytes(body)
    files = ImageFiles(tmp_path)
    looks = DescribeWorker(files, MAX_PIXELS).process(pa.record_batch({"place": list(bodies)}))
    assert [row["phash"] is None for row in looks.to_pylist()] == [False, False]
    assert read_squares(files, [(None, "row")], TINY, MAX_PIXELS).max() == 0
    assert thumbnail(bodies["row"], MAX_PIXELS)


def test_frames_of_one_pixel_are_followed_as_far_as_those_of_a_thumbnail() -> None:
    looks = read_looks(hostile.gif_frames(100_000), MAX_PIXELS // 64)
    assert looks.frames == BOUNDS.reach * (MAX_PIXELS // 64) // BOUNDS.frame_pixels


FEW = ("scans.jpg", "row.png", "tiles.tif", "remarks.gif")


def hostile_files(names: Iterable[str] = FEW) -> dict[str, bytes]:
    return {name: REFUSED[name][0]() for name in names}


def test_a_fetch_gives_each_hostile_picture_a_row_and_its_neighbors_theirs(tmp_path: Path) -> None:
    bodies = hostile_files()
    good = {f"{seed}.png": encode(picture(seed), "PNG") for seed in range(20)}
    with running() as site:
        site.answers |= {f"/{name}": answer(body) for name, body in (bodies | good).items()}
        urls = [f"{site.base}/{name}" for name in [*bodies, *good]]
        rows = fetch(tmp_path, urls, timeout=60, max_bytes=2**25)
    for url, row in rows.items():
        name = url.rsplit("/", 1)[1]
        assert row["status"] == ("ok" if name in good else "too_large"), name
        assert name in good or REFUSED[name][1] in row["error_class"]


def test_the_images_stage_gives_each_a_row(context: StageContext) -> None:
    bodies = {name: (body, name[-4:]) for name, body in hostile_files().items()}
    bodies["good"] = (encode(picture(), "PNG"), ".png")
    rows = describe(context, bodies, MAX_PIXELS)
    assert rows.pop("good")["decode_status"] == "ok"
    assert {row["decode_status"] for row in rows.values()} == {"too_large"}


def test_a_folder_is_added_without_them(tmp_path: Path) -> None:
    folder = tmp_path / "set" / "joy"
    folder.mkdir(parents=True)
    for name, body in (hostile_files() | {"good.png": encode(picture(), "PNG")}).items():
        (folder / name).write_bytes(body)
    added = add_folder(tmp_path / "set", "others", work_on(Workspace(tmp_path / "ws")))
    assert added.rows == 1
    assert added.broken.keys() == {f"joy/{name}" for name in FEW}


def test_a_test_set_is_searched_without_them(tmp_path: Path) -> None:
    files = hostile_files() | {"good.png": encode(picture(), "PNG")}
    for name, body in files.items():
        (tmp_path / name).write_bytes(body)
    batch = pa.record_batch({"place": list(files)})
    looks = DescribeWorker(ImageFiles(tmp_path), MAX_PIXELS).process(batch)
    assert [row["pixel_hash"] is None for row in looks.to_pylist()] == [True] * len(FEW) + [False]


def test_the_report_leaves_them_out() -> None:
    assert {thumbnail(body, MAX_PIXELS) for body in hostile_files().values()} == {None}


SLOW = encode(Image.new("L", (6000, 6000)), "PNG")
"""Takes a few hundred milliseconds."""


def test_a_file_that_takes_too_long_ends_its_process_alone() -> None:
    with Examiner(ExamineWorker(MAX_PIXELS, measure=True, seconds=0.05)) as examiner:
        assert examiner.examine_now(SLOW)[:2] == (
            FetchStatus.TOO_LARGE,
            "takes more processor time than a picture may",
        )
        found = examiner.examine_now(encode(picture(), "PNG"))
    assert found == (FetchStatus.OK, None, ".png", 48, 32)


def hastily(task: Any, **options: Any) -> Apart:
    """Give a task less time for a file."""
    return Apart(replace(task, seconds=0.05), **options)


def test_a_file_that_takes_too_long_to_pack_show_or_classify_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in (squares, shown, pictures):
        monkeypatch.setattr(module, "Apart", hastily)
    (tmp_path / "slow.png").write_bytes(SLOW)
    (tmp_path / "good.png").write_bytes(encode(picture(), "PNG"))
    files = ImageFiles(tmp_path)
    with pytest.raises(InputError, match=r"slow\.png: .*processor time"):
        read_squares(files, [*[(None, "good.png")] * 9, (None, "slow.png")], TINY, MAX_PIXELS)
    assert read_squares(files, [(None, "good.png")], TINY, MAX_PIXELS).shape == (1, 3, 32, 32)
    with pytest.raises(DecodeError, match="processor time"):
        load_apart(SLOW, MAX_PIXELS)
    assert load_apart(encode(picture(), "PNG"), MAX_PIXELS, 24).size == (24, 16)
    assert thumbnail(SLOW, MAX_PIXELS) is None


def test_packing_in_many_processes_names_the_picture_that_ends_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "slow.png").write_bytes(SLOW)
    monkeypatch.setattr(squares, "Apart", hastily)
    sha256 = hashlib.sha256(SLOW).hexdigest()
    worker = PackWorker(ImageFiles(tmp_path), FolderStore(tmp_path), TINY, MAX_PIXELS)
    row = pa.record_batch({"key": ["a.npy"], "places": [["slow.png"]], "names": [[sha256]]})
    with pytest.raises(InputError, match=r"slow\.png: .*processor time"):
        worker.crashed(row)
    assert not (tmp_path / "a.npy").exists()


HASTY_THREAD = """
import threading, time
from webemo_curate.imaging.guard import guard_process, guarded
guard_process(0.2)
@guarded
def decode(work):
    while work and time.thread_time() < 60: pass
    time.sleep(0.4)  # waiting is no work
def decode_two():
    decode(False)
    print("waited", flush=True)
    decode(True)
    print("not ended", flush=True)
thread = threading.Thread(target=decode_two)
thread.start()
thread.join()
"""


@pytest.mark.skipif(sys.platform != "linux", reason="threads have no timers of their own here")
def test_a_thread_that_takes_too_long_with_a_file_ends_its_process() -> None:
    ended = subprocess.run(
        [sys.executable, "-c", HASTY_THREAD], capture_output=True, text=True, check=False
    )
    assert (ended.stdout, ended.returncode) == ("waited\n", -signal.SIGPROF)


class HastyWorker(ImagesWorker):
    def setup(self) -> None:
        guard_process(0.05)


class HastyStage(ImagesStage):
    def worker(self, context: StageContext) -> ImagesWorker:
        return HastyWorker(context.workspace.reader, self._decoding.max_pixels)


def test_a_stored_file_that_takes_too_long_has_a_row_and_its_neighbors_theirs(
    context: StageContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tests.stages.test_images.ImagesStage", HastyStage)
    good = encode(picture(), "PNG")
    rows = describe(context, {"slow": (SLOW, ".png"), "good": (good, ".png")}, MAX_PIXELS)
    assert rows["good"]["decode_status"] == "ok"
    assert rows["slow"]["decode_status"] == "crashed"
    assert "processor time" in rows["slow"]["decode_error"]


def test_a_file_that_takes_too_much_memory_is_too_large(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(guard, "_seconds", [60.0])
    monkeypatch.setattr(guard, "BOUNDS", DecodeBounds(memory_bytes=16 * 10**6))
    with pytest.raises(DecodeError, match="MB of memory") as caught:
        load_rgb(encode(Image.new("RGB", (6000, 6000)), "PNG"), MAX_PIXELS)
    assert caught.value.status == "too_large"
    assert load_rgb(encode(picture(), "PNG"), MAX_PIXELS).size == (48, 32)


def test_a_limit_of_a_pictures_own_is_no_fault_of_the_machine() -> None:
    before = resource.getrlimit(resource.RLIMIT_DATA)
    with pytest.raises(MemoryError) as caught, memory_limited(2**20):
        bytearray(2**28)
    assert resource.getrlimit(resource.RLIMIT_DATA) == before
    with memory_limited(2**20):
        raise_system_fault(caught.value)
