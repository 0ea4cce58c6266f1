"""What quality is judged by, measured from pixels; equality with cleanvision is in tests/stages."""

import io

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from webemo_curate.imaging import measure
from webemo_curate.imaging.brightness import SORTED, STRIP_PIXELS, WEIGHTS, WHITE, brightness
from webemo_curate.imaging.measures import grid_steps, inside_borders
from webemo_curate.imaging.pixel_words import words_of


def noise(height, width, seed=0):
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), np.uint8)


def words(pixels):
    return words_of(Image.fromarray(np.ascontiguousarray(pixels)))


def photo(height, width):
    """Return soft shapes, whose neighbors differ little."""
    rough = Image.fromarray(noise(height // 16, width // 16))
    return np.asarray(rough.resize((width, height), Image.Resampling.BICUBIC))


@given(
    st.integers(1, 40),
    st.integers(1, 40),
    st.sampled_from([2, 9, 256]),
    st.lists(st.floats(0, 1), min_size=1, max_size=3),
)
def test_brightness_is_numpys_quantile_of_all_pixels(height, width, colors, parts):
    pixels = np.random.default_rng(colors).integers(0, colors, (height, width, 3), np.uint8)
    each = np.sqrt((pixels.astype(float) ** 2 @ WEIGHTS) / WHITE).ravel()
    assert brightness(words(pixels), parts) == pytest.approx(np.quantile(each, parts), abs=1e-12)


def test_brightness_of_more_pixels_than_a_strip_has():
    pixels = noise(3, STRIP_PIXELS)
    each = np.sqrt((pixels.astype(float) ** 2 @ WEIGHTS) / WHITE).ravel()
    assert brightness(words(pixels), [0.05]) == pytest.approx(np.quantile(each, [0.05]), abs=1e-12)


@pytest.mark.parametrize("colors", [1, 2, 3, 40, 256])
def test_brightness_of_pictures_of_few_colors_too_is_numpys_quantile(colors):
    shape, parts = (90, SORTED // 45 + 1, 3), [0, 0.05, 0.5, 0.99, 1]
    pixels = np.random.default_rng(colors).integers(0, colors, shape, np.uint8)
    each = np.sqrt((pixels.astype(float) ** 2 @ WEIGHTS) / WHITE).ravel()
    assert brightness(words(pixels), parts) == pytest.approx(np.quantile(each, parts), abs=1e-12)


def test_pictures_that_lie_in_several_blocks_of_memory_have_the_same_words():
    pixels = noise(2100, 2100)
    found = words(pixels)
    assert found.view(np.uint8).reshape(2100, 2100, 4)[:, :, :3].tobytes() == pixels.tobytes()


@given(st.tuples(*[st.integers(0, 30)] * 4), st.integers(0, 255), st.booleans())
def test_what_blank_borders_leave_is_found_on_every_side(borders, value, flipped):
    top, bottom, left, right = borders
    inner = noise(40, 50)
    framed = np.full((40 + top + bottom, 50 + left + right, 3), value, np.uint8)
    framed[top : top + 40, left : left + 50] = inner
    pixels = framed.transpose(1, 0, 2) if flipped else framed
    assert inside_borders(words(pixels)) == pytest.approx(40 * 50 / (len(framed) * framed.shape[1]))


def test_a_picture_of_one_color_is_all_border():
    assert inside_borders(words(np.full((9, 300, 3), 77, np.uint8))) == 0


@pytest.mark.parametrize("flipped", [False, True])
def test_borders_that_meet_leave_nothing(flipped):
    halves = np.zeros((20, 30, 3), np.uint8)
    halves[:9] = 255
    slope = np.tile(np.arange(120, 138, dtype=np.uint8)[:, None, None], (1, 9, 3))
    for pixels in (halves, slope):
        turned = pixels.transpose(1, 0, 2) if flipped else pixels
        assert inside_borders(words(turned)) == 0


def test_borders_are_found_as_jpeg_stores_them():
    framed = np.full((160, 240, 3), 255, np.uint8)
    framed[32:128] = photo(96, 240)
    file = io.BytesIO()
    Image.fromarray(framed).save(file, "JPEG", quality=60)
    assert inside_borders(words_of(Image.open(file))) == pytest.approx(0.6, abs=0.07)


@pytest.mark.parametrize("turn", [None, *Image.Transpose])
def test_strong_compression_shows_at_the_grid_however_it_is_turned(turn):
    def steps(quality):
        file = io.BytesIO()
        Image.fromarray(photo(210, 270)).save(file, "JPEG", quality=quality)
        shown = Image.open(file)
        return grid_steps(words_of(shown if turn is None else shown.transpose(turn)))

    assert steps(5) < 0.6 < 0.9 < steps(95)


@pytest.mark.parametrize("size", [(1, 1), (1, 500), (500, 1), (64, 64), (7, 17), (70_000, 2)])
@pytest.mark.parametrize("value", [0, 255])
def test_any_shape_is_measured(size, value):
    measures = measure(Image.new("RGB", size, (value,) * 3), gray=False)
    assert measures.brightness_p5 == measures.brightness_p99 == value / 255
    assert (measures.chroma, measures.inside, measures.grid) == (0, 0, 1)


def test_entropy_of_a_gray_file_is_that_of_one_channel():
    picture = Image.fromarray(noise(50, 60)[:, :, 0]).convert("RGB")
    one = picture.getchannel(0).entropy()
    assert measure(picture, gray=True).entropy == one
    assert measure(picture, gray=False).entropy == picture.entropy()
