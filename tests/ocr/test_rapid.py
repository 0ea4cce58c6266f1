"""rapidocr's networks, driven by our own loop, read what is written and only that."""

import pickle
import subprocess
import sys
from dataclasses import asdict

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from tests.ocr.pictures import scene, with_words
from webemo_curate.ocr import rapid
from webemo_curate.ocr.base import EngineError, polygon_area
from webemo_curate.ocr.canvas import LONGEST_ASPECT, STRIDE
from webemo_curate.ocr.rapid import RapidDetector, canvas_size
from webemo_curate.ocr.rule import PRESETS, decide
from webemo_curate.schemas import TEXT_BOX


@pytest.fixture(scope="module")
def detector():
    detector = RapidDetector(short_side=320, score_floor=0.3)
    detector.setup()
    return detector


@pytest.mark.parametrize("words", ["HELLO WORLD", "Merry Christmas", "2015"])
def test_words_are_read(detector, words):
    (boxes,) = detector.detect([with_words(words)])

    assert words.replace(" ", "") in "".join(box.text for box in boxes).replace(" ", "")
    assert max(box.confidence for box in boxes) > 0.9


def test_boxes_lie_where_the_words_are(detector):
    picture = scene(size=(300, 200))
    picture.paste(with_words("CORNER", size=(140, 60)), (150, 130))

    (boxes,) = detector.detect([picture])

    (box,) = [box for box in boxes if box.text == "CORNER"]
    xs, ys = box.polygon[0::2], box.polygon[1::2]
    assert min(xs) > 150
    assert min(ys) > 130
    assert max(xs) <= 300
    assert max(ys) <= 200
    assert box.area == pytest.approx(polygon_area(box.polygon, 300, 200))
    assert 0.02 < box.area < 0.14


def test_nothing_believable_is_read_into_a_picture_without_words(detector):
    found = detector.detect([scene(seed) for seed in range(8)])

    stored = pa.array([[asdict(box) for box in boxes] for boxes in found], pa.list_(TEXT_BOX))
    assert not decide(stored, PRESETS["rapidocr"]["balanced"]).bears_text.any()


def test_boxes_depend_on_the_image_alone(detector):
    pictures = [with_words("FIRST"), scene(), with_words("SECOND", size=(100, 300), height=20)]

    together = detector.detect(pictures)

    assert together == [detector.detect([picture])[0] for picture in pictures]
    assert together[::-1] == detector.detect(pictures[::-1])


@pytest.mark.parametrize("size", [(1, 1), (1, 400), (3000, 2), (2, 3000), (640, 480)])
def test_any_shape_is_taken(detector, size):
    (boxes,) = detector.detect([Image.new("RGB", size, "gray")])

    assert isinstance(boxes, list)


def test_no_images_give_no_boxes(detector):
    assert detector.detect([]) == []


@given(st.integers(1, 10**5), st.integers(1, 10**5), st.integers(32, 640))
def test_a_canvas_is_bounded_and_fits_the_network(width, height, short_side):
    canvas = canvas_size(width, height, short_side)

    assert all(length >= STRIDE and length % STRIDE == 0 for length in canvas)
    assert max(canvas) <= LONGEST_ASPECT * short_side + STRIDE


def test_a_missing_network_names_the_remedy(monkeypatch):
    monkeypatch.setattr(rapid, "DETECTION_MODEL", "not-there.onnx")

    with pytest.raises(EngineError, match=r"not-there\.onnx.*pip install"):
        RapidDetector(320, 0.3).setup()


def test_a_detector_is_pickled_without_loading_the_runtime():
    program = (
        "import pickle, sys\n"
        "from webemo_curate.stages.ocr import OcrStage\n"
        f"pickle.loads({pickle.dumps(RapidDetector(320, 0.3))!r})\n"
        "heavy = {'onnxruntime', 'rapidocr', 'torch', 'easyocr', 'cv2', 'pandas'}\n"
        "sys.exit(', '.join(heavy & set(sys.modules)) or None)\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)

    assert done.returncode == 0, done.stderr


@given(st.tuples(*[st.floats(1, 100) for _ in range(4)]))
def test_the_area_of_a_rectangle_is_its_sides_product(numbers):
    x, y, width, height = numbers
    polygon = (x, y, x + width, y, x + width, y + height, x, y + height)

    assert polygon_area(polygon, 200, 200) == pytest.approx(width * height / 40_000)
    assert np.isclose(polygon_area(polygon[::-1], 200, 200), width * height / 40_000)
