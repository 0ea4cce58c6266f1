"""EasyOCR's networks in our batches find and read what EasyOCR's own loop does."""

import cv2
import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from tests.ocr.pictures import as_pixels, scene, with_words
from tests.ocr.random_weights import open_reader, write_weights
from webemo_curate.errors import InputError
from webemo_curate.ocr import asking
from webemo_curate.ocr.easyocr.craft import (
    TEXT_THRESHOLD,
    HeatmapNetwork,
    decode_lines,
    make_canvas,
)
from webemo_curate.ocr.easyocr.easyocr_detector import EasyDetector
from webemo_curate.ocr.easyocr.weight_files import load_tensors

JUST_BELOW = float(np.nextafter(np.float32(TEXT_THRESHOLD), np.float32(0)))
SHORT_SIDE = 96
SIZE = (128, 64)  # scaled by 1.5 exactly: EasyOCR scales by the long side


@pytest.fixture(scope="module")
def weights(tmp_path_factory):
    return write_weights(tmp_path_factory.mktemp("weights"))


@pytest.fixture(scope="module")
def detector(weights):
    (detection, recognition), published = weights
    detector = EasyDetector(detection, recognition, "cpu", SHORT_SIDE, 0.3, 4, published)
    detector.setup()
    return detector


@pytest.fixture(scope="module")
def network(weights):
    return HeatmapNetwork(load_tensors(weights[0][0]), torch.device("cpu"))


@pytest.fixture(scope="module")
def reader(weights):
    return open_reader(*weights[0], "cpu")


@pytest.fixture(scope="module")
def pictures():
    return [with_words(f"WORD {seed}", 18, seed, SIZE) for seed in range(5)] + [scene(9, SIZE)]


def canvases(pictures):
    return np.stack([make_canvas(np.asarray(p), SHORT_SIDE).pixels for p in pictures])


def test_batched_heatmaps_equal_those_of_single_canvases(network, pictures):
    batch = torch.from_numpy(canvases(pictures))

    together = network.heatmaps(batch)

    for canvas, heatmap in zip(batch, together, strict=True):
        torch.testing.assert_close(network.heatmaps(canvas[None])[0], heatmap, rtol=0, atol=1e-5)


def test_fused_heatmaps_equal_easyocrs(network, reader, pictures):
    batch = canvases(pictures)
    normal = (batch / 255 - [0.485, 0.456, 0.406]) / [0.229, 0.224, 0.225]
    with torch.no_grad():
        theirs, _ = reader.detector(torch.from_numpy(normal.transpose(0, 3, 1, 2)).float())

    torch.testing.assert_close(
        network.heatmaps(torch.from_numpy(batch)), theirs, rtol=1e-5, atol=1e-5
    )


def test_lines_and_words_equal_those_of_easyocrs_reader(detector, reader, pictures):
    found = detector.detect(as_pixels(pictures))

    assert any(found)
    for picture, boxes in zip(pictures, found, strict=True):
        pixels = np.asarray(picture)
        upright, slanted = reader.detect(pixels, min_size=0, mag_ratio=1.5)
        gray = np.asarray(picture.convert("L"))
        theirs = reader.recognize(gray, upright[0], slanted[0], reformat=False)
        assert sorted(box.text for box in boxes) == sorted(text.strip() for _, text, _ in theirs)
        np.testing.assert_allclose(
            sorted(box.confidence for box in boxes),
            sorted(confidence for *_, confidence in theirs),
            atol=1e-5,
        )


def test_boxes_depend_on_the_image_alone(detector, pictures):
    mixed = as_pixels([*pictures, with_words("TALL", 18, 7, (64, 128)), scene(3, (70, 64))])

    together = detector.detect(mixed)

    assert together == [detector.detect([picture])[0] for picture in mixed]
    assert together[::-1] == detector.detect(mixed[::-1])


def test_batches_change_no_box_by_more_than_rounding(weights, detector, pictures):
    (detection, recognition), published = weights
    batched = EasyDetector(detection, recognition, "cpu", SHORT_SIDE, 0.3, 4, published)
    batched.setup()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(asking, "batch_entries", lambda file, shape, _: file.entries(shape))
        together = batched.detect(as_pixels(pictures))

    for ours, single in zip(together, detector.detect(as_pixels(pictures)), strict=True):
        assert [box.polygon for box in ours] == [box.polygon for box in single]
        np.testing.assert_allclose(
            [box.score for box in ours], [box.score for box in single], atol=1e-5
        )


@given(
    arrays.arrays(
        np.float32,
        st.tuples(st.integers(8, 40), st.integers(8, 40), st.just(2)),
        elements=st.floats(0, JUST_BELOW, width=32),
    )
)
def test_a_heatmap_under_the_gate_has_no_lines(heatmap):
    assert decode_lines(heatmap, 1.0) == []


@given(st.integers(0, 2**32 - 1), st.integers(10, 60), st.integers(10, 60))
def test_the_gate_never_drops_a_line(seed, height, width):
    noise = np.random.default_rng(seed).random((height, width, 2), dtype=np.float32)
    heatmap = cv2.GaussianBlur(noise, (0, 0), 3)
    heatmap = (heatmap - heatmap.min()) / (heatmap.max() - heatmap.min())

    for peak in (0.6, 0.699, 0.7, 0.9):
        gated = heatmap * np.float32(peak)
        if decode_lines(gated, 1.0):
            assert gated[..., 0].max() >= TEXT_THRESHOLD


def test_a_canvas_is_padded_no_further_than_the_stride():
    canvas = make_canvas(np.full((100, 150, 3), 255, np.uint8), 100)

    assert canvas.scale == 1
    assert canvas.pixels.shape == (128, 160, 3)
    assert (canvas.pixels[:100, :150] == 255).all()
    assert (canvas.pixels[100:] == 0).all()
    assert (canvas.pixels[:, 150:] == 0).all()


@pytest.mark.parametrize("size", [(1, 1), (1, 300), (900, 2)])
def test_any_shape_is_taken(detector, size):
    assert len(detector.detect(as_pixels([scene(0, size)]))) == 1


def test_weights_of_another_network_are_refused(weights):
    (detection, recognition), (first, second) = weights

    for swapped in (
        EasyDetector(recognition, recognition, "cpu", 96, 0.3, 1, (second, second)),
        EasyDetector(detection, detection, "cpu", 96, 0.3, 1, (first, first)),
    ):
        with pytest.raises(InputError, match=r"weights are not"):
            swapped.setup()


def test_files_that_are_not_the_published_ones_are_refused_and_left_alone(weights):
    (detection, recognition), _ = weights
    before = detection.read_bytes()

    with pytest.raises(InputError, match="MD5"):
        EasyDetector(detection, recognition, "cpu", 96, 0.3, 1).setup()

    assert detection.read_bytes() == before
