"""rapidocr's networks, driven by our own loop, read what is written and only that."""

import pickle
import subprocess
import sys
from dataclasses import replace

import cv2
import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from onnx import TensorProto, helper
from PIL import Image

from tests.ocr.boxes import assert_same_boxes
from tests.ocr.pictures import as_pixels, scene, with_words
from webemo_curate.ocr.asking import OwnNetworks, open_runner, served_by
from webemo_curate.ocr.canvas import MAX_ASPECT, STRIDE
from webemo_curate.ocr.detector import EngineError, polygon_area, to_arrow
from webemo_curate.ocr.overlay.overlay_network import OVERLAY_TEXT
from webemo_curate.ocr.rapidocr.gpu_networks import GpuNetworks, network_files
from webemo_curate.ocr.rapidocr.onnx_network import OnnxNetwork
from webemo_curate.ocr.rapidocr.rapidocr_detector import RapidDetector, canvas_size
from webemo_curate.ocr.rapidocr.rapidocr_networks import (
    ANY_TEXT,
    RECOGNITION_MODEL,
    CpuNetworks,
)
from webemo_curate.ocr.rule import PRESETS, decide


@pytest.fixture(scope="module")
def detector():
    return make_detector("cpu")


@pytest.fixture(scope="module")
def batched():
    """Return the detector of a GPU, its networks in torch on the CPU."""
    with served_by(own_networks(ANY_TEXT)):
        return make_detector("gpu")


def own_networks(detection):
    return OwnNetworks(network_files(detection, 4), "cpu")


def torch_networks(detection):
    return GpuNetworks(detection, own_networks(detection))


def make_detector(device):
    detector = RapidDetector(device, short_side=320, score_floor=0.3, batch_size=4)
    detector.setup()
    return detector


@pytest.mark.parametrize("words", ["HELLO WORLD", "Merry Christmas", "2015"])
def test_words_are_read(detector, words):
    (boxes,) = detector.detect(as_pixels([with_words(words)]))

    assert words.replace(" ", "") in "".join(box.text for box in boxes).replace(" ", "")
    assert max(box.confidence for box in boxes) > 0.9


def test_boxes_lie_where_the_words_are(detector):
    picture = scene(size=(300, 200))
    picture.paste(with_words("CORNER", size=(140, 60)), (150, 130))

    (boxes,) = detector.detect(as_pixels([picture]))

    (box,) = [box for box in boxes if box.text == "CORNER"]
    xs, ys = box.polygon[0::2], box.polygon[1::2]
    assert min(xs) > 150
    assert min(ys) > 130
    assert max(xs) <= 300
    assert max(ys) <= 200
    assert box.area == pytest.approx(polygon_area(box.polygon, 300, 200))
    assert 0.02 < box.area < 0.14


def test_nothing_believable_is_read_into_a_picture_without_words(detector):
    found = detector.detect(as_pixels(scene(seed) for seed in range(8)))

    assert not decide(to_arrow(found), PRESETS["rapidocr"]["balanced"]).bears_text.any()


def test_boxes_depend_on_the_image_alone(detector):
    pictures = [with_words("FIRST"), scene(), with_words("SECOND", size=(100, 300), height=20)]

    together = detector.detect(as_pixels(pictures))

    assert together == [detector.detect([picture])[0] for picture in as_pixels(pictures)]
    assert together[::-1] == detector.detect(as_pixels(pictures[::-1]))


@pytest.mark.parametrize("size", [(1, 1), (1, 400), (3000, 2), (2, 3000), (640, 480)])
def test_any_shape_is_taken(detector, size):
    (boxes,) = detector.detect(as_pixels([Image.new("RGB", size, "gray")]))

    assert isinstance(boxes, list)


def test_no_images_give_no_boxes(detector, batched):
    assert detector.detect([]) == []
    assert batched.detect([]) == []


@pytest.mark.slow
def test_batches_in_torch_find_what_single_images_in_onnx_runtime_do(detector, batched):
    pictures = [
        with_words("HELLO WORLD"),
        scene(),
        with_words("Merry Christmas"),
        with_words("2015", size=(100, 300), height=20),
        with_words("HELLO AGAIN"),
        with_words("A CROWD"),
        scene(3),
    ]

    found = batched.detect(as_pixels(pictures))

    assert sum(map(len, found)) >= 5
    assert_same_boxes(found, detector.detect(as_pixels(pictures)))


def test_a_process_computes_in_one_thread(detector):
    networks = detector._networks

    for session in (networks._detector, networks._reader):
        assert session.get_session_options().intra_op_num_threads == 1
        assert session.get_session_options().inter_op_num_threads == 1
    assert cv2.getNumThreads() == 1


@pytest.mark.parametrize("width", [8, 200, 320])
def test_the_recognizer_in_torch_gives_onnx_runtimes_symbols(width):
    crops = np.random.default_rng(0).integers(0, 256, (3, 48, width, 3), np.uint8)

    runner = open_runner("", network_files(ANY_TEXT, 4)[RECOGNITION_MODEL], "cpu")

    found = runner(crops, 4)

    for (symbols, sure), (expected, expected_sure) in zip(
        found, CpuNetworks(ANY_TEXT).symbols(crops), strict=True
    ):
        assert np.array_equal(symbols, expected)
        assert np.allclose(sure, expected_sure, atol=1e-5)


@pytest.mark.parametrize("detection", [ANY_TEXT, OVERLAY_TEXT])
def test_heatmaps_in_torch_are_those_of_onnx_runtime_and_the_gate_drops_empty_ones(detection):
    pictures = [with_words("GATE"), scene(), Image.new("RGB", (320, 240), "white")]
    canvases = np.stack([np.asarray(picture.resize((320, 256))) for picture in pictures])

    found = torch_networks(detection).heatmaps(canvases)

    expected = CpuNetworks(detection).heatmaps(canvases)
    assert [heatmap is None for heatmap in found] == [heatmap is None for heatmap in expected]
    assert found[0] is not None
    assert np.allclose(found[0], expected[0], atol=1e-5)
    assert any(heatmap is None for heatmap in found)


def test_an_operator_that_is_not_known_is_an_error(tmp_path):
    values = [helper.make_tensor_value_info(name, TensorProto.FLOAT, [1]) for name in "xy"]
    node = helper.make_node("Tan", ["x"], ["y"])
    graph = helper.make_graph([node], "graph", values[:1], values[1:])
    path = tmp_path / "tan.onnx"
    path.write_bytes(helper.make_model(graph).SerializeToString())

    with pytest.raises(EngineError, match=r"tan\.onnx.*Tan"):
        OnnxNetwork(path, torch.device("cpu"))


@given(st.integers(1, 10**5), st.integers(1, 10**5), st.integers(32, 640))
def test_a_canvas_is_bounded_and_fits_the_network(width, height, short_side):
    canvas = canvas_size(width, height, short_side)

    assert all(length >= STRIDE and length % STRIDE == 0 for length in canvas)
    assert max(canvas) <= MAX_ASPECT * short_side + STRIDE


def test_a_missing_network_names_the_remedy():
    missing = replace(ANY_TEXT, file="not-there.onnx")

    with pytest.raises(EngineError, match=r"not-there\.onnx.*pip install"):
        RapidDetector("cpu", 320, 0.3, 1, missing).setup()


def test_a_detector_is_pickled_without_loading_the_runtime():
    program = (
        "import pickle, sys\n"
        "from webemo_curate.stages.ocr import OcrStage\n"
        f"pickle.loads({pickle.dumps(RapidDetector('cpu', 320, 0.3, 1))!r})\n"
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
