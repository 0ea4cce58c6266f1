"""The ocr stage stores what a real engine reads in stored images, whatever the files hold."""

import io
import os
import signal
from dataclasses import dataclass, field, replace

import pandas as pd
import pyarrow as pa
import pytest
from PIL import Image

from tests.ocr.pictures import scene, with_words
from tests.stages.tables import manifest, sha
from webemo_curate.config import FilterTextConfig, OcrConfig
from webemo_curate.errors import CurateError, InputError
from webemo_curate.manifest import empty_table
from webemo_curate.ocr.detector import TextBox
from webemo_curate.runner.local_runner import LocalRunner
from webemo_curate.schemas import OCR
from webemo_curate.stages.ocr import OcrStage, OcrWorker
from webemo_curate.stages.text import TextStage
from webemo_curate.table_digest import content_digest


def store(context, picture):
    """Store a picture and return its row of the images manifest."""
    buffer = io.BytesIO()
    picture.save(buffer, "PNG")
    sha256 = context.workspace.store_image(buffer.getvalue(), ".png")
    path = context.workspace.image_path(sha256, ".png")
    return {"sha256": sha256, "path": path, "width": picture.width, "height": picture.height}


def run(context, rows, **config):
    images = manifest("images", rows)
    return OcrStage(FilterTextConfig(**config)).run({"images": images}, context)["ocr"]


@dataclass(frozen=True)
class Tripping:
    """A detector that some images trip: by their width, it raises or dies."""

    images_at_once = 4

    def setup(self):
        pass

    def detect(self, images):
        for image in images:
            if image.shape[1] == 13:
                raise ValueError("thirteen")
            if image.shape[1] == 666:
                os.kill(os.getpid(), signal.SIGKILL)
        return [[TextBox((0.0,) * 8, 0.9, "read", 0.9, 0.1)] for _ in images]


class TrippingStage(OcrStage):
    """The ocr stage with a detector that can be tripped."""

    def worker(self, context):
        return replace(super().worker(context), detector=Tripping())


def test_words_are_stored_with_their_boxes(context):
    worded, clean = store(context, with_words("HELLO WORLD")), store(context, scene())

    rows = {row["sha256"]: row for row in run(context, [worded, clean]).to_pylist()}

    assert rows[worded["sha256"]]["readable"]
    assert "HELLO" in " ".join(box["text"] for box in rows[worded["sha256"]]["boxes"])
    assert rows[clean["sha256"]]["readable"]
    assert rows[clean["sha256"]]["engine"] == "rapidocr"
    assert "PP-OCR" in rows[clean["sha256"]]["engine_version"]


def test_only_images_that_decode_are_read(context):
    sound = store(context, scene())
    broken = {"sha256": sha("broken"), "decode_status": "corrupt", "width": None, "height": None}

    assert run(context, [sound, broken])["sha256"].to_pylist() == [sound["sha256"]]


def test_boxes_are_equal_whatever_the_workers_and_partitions(context):
    rows = [store(context, with_words(f"WORD {number}", seed=number)) for number in range(5)]
    one = run(context, rows, partition_rows=5)
    two = run(replace(context, runner=LocalRunner(2), fingerprint="1" * 64), rows, partition_rows=2)

    assert content_digest(one) == content_digest(two)
    assert all(row["boxes"] for row in one.to_pylist())


def test_a_file_that_vanished_or_changed_is_unreadable_and_counted(context):
    gone, swapped, sound = (store(context, scene(seed)) for seed in range(3))
    (context.workspace.root / gone["path"]).unlink()
    (context.workspace.root / swapped["path"]).write_bytes(b"<html>")

    rows = {row["sha256"]: row for row in run(context, [gone, swapped, sound]).to_pylist()}

    assert [rows[row["sha256"]]["readable"] for row in (gone, swapped, sound)] == [
        False,
        False,
        True,
    ]
    assert all(rows[row["sha256"]]["error"] for row in (gone, swapped))


def test_a_picture_larger_than_the_images_stage_saw_is_not_decoded(context):
    row = store(context, scene(size=(300, 300))) | {"width": 20, "height": 20}

    (read,) = run(context, [row]).to_pylist()

    assert not read["readable"]
    assert "300 x 300" in read["error"]


def test_an_image_the_engine_chokes_on_costs_no_other(context):
    widths = [50, 13, 60]
    rows = [store(context, scene(width, (width, 40))) for width in widths]
    stage = TrippingStage(FilterTextConfig())

    ocr = stage.run({"images": manifest("images", rows)}, context)["ocr"]

    read = {row["sha256"]: row for row in ocr.to_pylist()}
    assert [read[row["sha256"]]["readable"] for row in rows] == [True, False, True]
    assert read[rows[1]["sha256"]]["error"] == "ValueError: thirteen"


@dataclass(frozen=True)
class Reddish:
    """A detector that reads the red of the first pixel, where there is any."""

    images_at_once = 4

    def setup(self):
        pass

    def detect(self, images):
        reds = [int(image[0, 0, 0]) for image in images]
        return [[TextBox((0.0,) * 8, 0.9, str(red), 0.9, 0.1)] if red else [] for red in reds]


class ReddishStage(OcrStage):
    """The ocr stage with a detector of reds."""

    def worker(self, context):
        return replace(super().worker(context), detector=Reddish())


@pytest.mark.parametrize(("frames", "read"), [(8, ["7", "9"]), (2, ["9"]), (1, [])])
def test_every_frame_of_an_animation_that_differs_is_looked_at(context, frames, read):
    reds = [0, 7, 0, 9]
    pictures = [Image.new("RGB", (40, 30), (red, 0, 200)) for red in reds]
    buffer = io.BytesIO()
    pictures[0].save(buffer, "PNG", save_all=True, append_images=pictures[1:])
    sha256 = context.workspace.store_image(buffer.getvalue(), ".png")
    path = context.workspace.image_path(sha256, ".png")
    row = {"sha256": sha256, "path": path, "width": 40, "height": 30, "frames": len(reds)}
    stage = ReddishStage(FilterTextConfig(frames=frames))

    (found,) = stage.run({"images": manifest("images", [row])}, context)["ocr"].to_pylist()

    assert found["readable"]
    assert [box["text"] for box in found["boxes"]] == read
    assert [reds[box["frame"]] for box in found["boxes"]] == [int(text) for text in read]


def test_an_animation_of_which_a_frame_cannot_be_looked_at_is_unreadable(context):
    pictures = [scene(seed, (13, 40)) for seed in range(3)]
    buffer = io.BytesIO()
    pictures[0].save(buffer, "PNG", save_all=True, append_images=pictures[1:])
    sha256 = context.workspace.store_image(buffer.getvalue(), ".png")
    path = context.workspace.image_path(sha256, ".png")
    row = {"sha256": sha256, "path": path, "width": 13, "height": 40, "frames": 3}

    ocr = TrippingStage(FilterTextConfig()).run({"images": manifest("images", [row])}, context)

    (found,) = ocr["ocr"].to_pylist()
    assert (found["readable"], found["boxes"]) == (False, [])
    assert found["error"] == "frame 0: ValueError: thirteen"


def test_an_image_that_kills_the_engine_costs_no_other(context):
    widths = [50, 666, 60]
    rows = [store(context, scene(width, (width, 40))) for width in widths]
    stage = TrippingStage(FilterTextConfig())

    ocr = stage.run({"images": manifest("images", rows)}, context)["ocr"]

    read = {row["sha256"]: row for row in ocr.to_pylist()}
    assert [read[row["sha256"]]["readable"] for row in rows] == [True, False, True]
    assert read[rows[1]["sha256"]]["error"].startswith("the text engine crashed")


@dataclass(frozen=True)
class Failing:
    """A detector that fails on every image: from the first on, or once it met one 13 wide."""

    at_once: bool
    met: list[int] = field(default_factory=list)
    images_at_once = 4

    def setup(self):
        pass

    def detect(self, images):
        self.met.extend(image.shape[1] for image in images)
        if self.at_once or 13 in self.met:
            raise AttributeError("no such name")
        return [[] for _ in images]


@pytest.mark.parametrize("at_once", [True, False])
def test_an_engine_that_fails_on_everything_ends_the_run(context, at_once):
    class Stage(OcrStage):
        def worker(self, context):
            return replace(super().worker(context), detector=Failing(at_once))

    rows = [store(context, scene(width, (width, 40))) for width in (50, 13, 60)]
    stage = Stage(FilterTextConfig())

    with pytest.raises(CurateError, match=r"AttributeError: no such name \(test_ocr.py, line"):
        stage.run({"images": manifest("images", rows)}, context)


def test_no_images_give_no_rows(context):
    ocr = OcrStage(FilterTextConfig()).run({"images": empty_table("images")}, context)["ocr"]

    assert ocr.equals(empty_table("ocr"))


def test_the_rule_does_not_enter_the_configuration():
    plain = OcrStage(OcrConfig()).configuration()

    moved = FilterTextConfig(preset="strict", threshold=0.2, min_area=0.1, batch_size=3)
    assert OcrStage(moved.ocr).configuration() == plain
    assert OcrStage(OcrConfig(engine="rapidocr")).configuration() == plain
    assert OcrStage(OcrConfig(short_side=448)).configuration() != plain
    assert OcrStage(OcrConfig(score_floor=0.5)).configuration() != plain
    assert OcrStage(OcrConfig(frames=3)).configuration() != plain

    assert OcrStage(OcrConfig(drawn=False)).configuration() != plain

    twice = OcrStage(OcrConfig(second_side=640)).configuration()
    assert twice != plain
    assert OcrStage(moved.model_copy(update={"second_side": 640}).ocr).configuration() == twice


def test_a_gpu_is_not_silently_replaced():
    with pytest.raises(InputError, match="gpu"):
        OcrStage(FilterTextConfig(engine="rapidocr", device="gpu")).configuration()


def test_the_choice_of_engine_and_its_reason_are_said(context, caplog):
    with caplog.at_level("INFO"):
        OcrStage(FilterTextConfig(device="cpu")).worker(context)

    assert "text engine: rapidocr on cpu: the CPU was asked for" in caplog.text


def test_crashed_rows_keep_their_order():
    worker = OcrWorker(
        images=None, engine="rapidocr", engine_version="1", detector=Tripping(), frames=8
    )
    batch = pa.RecordBatch.from_pylist([{"sha256": sha(name)} for name in "ba"])

    crashed = worker.crashed(batch)

    assert crashed.schema.equals(OCR)
    assert crashed["sha256"].to_pylist() == [sha("b"), sha("a")]


def test_real_photos_with_text_are_told_from_those_without(context, shared_data):
    folder = shared_data / "dev" / "text"
    labels = pd.read_csv(shared_data / "dev" / "text_labels.csv")
    sample = pd.concat([labels[labels["label"] == label].head(8) for label in ("text", "no_text")])
    rows = [store(context, Image.open(folder / name).convert("RGB")) for name in sample["file"]]
    ocr = run(replace(context, runner=LocalRunner(2)), rows)
    text = TextStage(FilterTextConfig()).run({"ocr": ocr}, context)["text"]

    verdicts = {row["sha256"]: row["verdict"] for row in text.to_pylist()}
    found = sample.assign(verdict=[verdicts[row["sha256"]] for row in rows])
    dropped = found.groupby("label")["verdict"].apply(lambda column: (column == "text").mean())
    assert dropped["text"] >= 0.75
    assert dropped["no_text"] == 0
