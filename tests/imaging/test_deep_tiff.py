"""TIFF files of any numbers and layouts give the picture that was stored."""

from contextlib import suppress
from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from tests.imaging.drawn import MAX_PIXELS, ORIENTATION, shown
from tests.imaging.stored_tiff import Layout, store
from webemo_curate.imaging import DecodeError, load_rgb

STORED = np.random.default_rng(5).integers(0, 256, (37, 21, 4), np.uint8)
STORED[0, :2] = [[0] * 4, [255] * 4]
KINDS = ("u1", "i1", "u2", "i2", "u4", "i4", "u8", "f2", "f4", "f8")
LAYOUTS = [
    Layout(order, separate, tiled, predictor)
    for order, separate, tiled, predictor in product("<>", (False, True), (False, True), range(4))
]
GRAY, COLORS, INKS, LAB = 1, 2, 5, 8
MULTIPLIED, ALPHA = 1, 2


def numbers(levels: np.ndarray, kind: str) -> np.ndarray:
    """Spread 8-bit levels over the range of a kind of numbers; 0 to 1 if floating-point."""
    if kind[0] == "f":
        return (levels / 255).astype(kind)
    size = int(kind[1])
    spread = levels.astype(np.uint64) * np.uint64(int.from_bytes(b"\1" * size, "big"))
    whole = spread.astype(f"u{size}")
    if kind[0] == "u":
        return whole
    return (whole ^ whole.dtype.type(1 << (8 * size - 1))).view(kind)


@pytest.mark.parametrize("kind", KINDS)
def test_colors_of_any_numbers_and_layout_are_those_stored(kind: str) -> None:
    colors = STORED[..., :3]
    for layout in LAYOUTS:
        if layout.predictor == 3 and kind[0] != "f":
            continue
        content = store(numbers(colors, kind), layout, COLORS)
        assert np.array_equal(shown(content), colors), layout


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("layout", [Layout(), Layout(">", separate=True)])
def test_grays_inks_and_opacity_of_any_numbers_are_those_stored(kind: str, layout: Layout) -> None:
    gray, opacity = STORED[..., :1], STORED[..., 3:].astype(int)
    for photometric, expected in ((GRAY, gray), (0, 255 - gray)):
        content = store(numbers(gray, kind), layout, photometric)
        assert np.array_equal(shown(content), np.repeat(expected, 3, axis=2))
    inks = np.asarray(Image.fromarray(STORED, "CMYK").convert("RGB"))
    assert np.array_equal(shown(store(numbers(STORED, kind), layout, INKS)), inks)
    for count, photometric in ((1, GRAY), (3, COLORS)):
        colors = STORED[..., :count]
        clear = np.concatenate([colors, opacity.astype(np.uint8)], axis=2)
        on_white = (colors * opacity + 255 * (255 - opacity)) / 255
        content = store(numbers(clear, kind), layout, photometric, t338=ALPHA)
        assert np.abs(shown(content) - on_white).max() <= 2
        clear[..., :count] = (colors * opacity + 127) // 255
        content = store(numbers(clear, kind), layout, photometric, t338=MULTIPLIED)
        assert np.abs(shown(content) - on_white).mean() < 2


@pytest.mark.parametrize("layout", [Layout(), Layout(">", separate=True, predictor=2)])
def test_lab_of_16_bits_is_that_of_8(layout: Layout) -> None:
    lab = Image.fromarray(STORED[..., :3], "RGB").convert("LAB")
    stored = np.frombuffer(lab.tobytes(), np.uint8).reshape(STORED.shape[0], -1, 3)
    content = store(stored.astype(np.uint16) << 8, layout, LAB)
    assert np.array_equal(shown(content), np.asarray(lab.convert("RGB")))


@pytest.mark.parametrize(("scale", "shift"), [(1, 0), (255, 0), (65535, 0), (1000, -300)])
def test_floating_point_colors_share_one_range(scale: float, shift: float) -> None:
    values = (STORED[..., :3] / 255 * scale + shift).astype(np.float32)
    assert np.array_equal(shown(store(values, Layout(), COLORS)), STORED[..., :3])


def test_colors_beyond_what_the_file_states_are_clipped() -> None:
    values = np.array([[[0.0, 2.0, 5.0], [-1.0, 4.0, np.nan]]], np.float64)
    content = store(values, Layout(), COLORS, t340=0.0, t341=4.0)
    assert shown(content).tolist() == [[[0, 128, 255], [0, 255, 0]]]


def test_a_lying_picture_is_turned_upright() -> None:
    content = store(numbers(STORED[..., :3], "f4"), Layout(), COLORS, **{f"t{ORIENTATION}": 6})
    assert np.array_equal(shown(content), np.rot90(STORED[..., :3], -1))


def test_samples_that_take_too_much_memory_are_too_large() -> None:
    content = store(np.zeros((8, 8, 16)), Layout(), COLORS, t256=4000, t257=4000, t278=4000)
    with pytest.raises(DecodeError, match="bytes of samples") as caught:
        load_rgb(content, 16 * 10**6)
    assert caught.value.status == "too_large"


@given(
    layout=st.sampled_from(LAYOUTS),
    kind=st.sampled_from(KINDS),
    changes=st.lists(st.tuples(st.floats(0, 1), st.integers(0, 255)), max_size=6),
    kept=st.floats(0.5, 1),
    tags=st.dictionaries(
        st.sampled_from([256, 257, 258, 259, 262, 277, 278, 284, 317, 322, 323, 338, 339, 340]),
        st.integers(0, 2**32 - 1) | st.integers(0, 20) | st.floats(),
        max_size=2,
    ),
)
def test_no_damage_ends_in_anything_but_a_picture_or_a_reason(
    layout: Layout,
    kind: str,
    changes: list[tuple[float, int]],
    kept: float,
    tags: dict[int, int | float],
) -> None:
    more = {f"t{tag}": value for tag, value in tags.items()}
    content = bytearray(store(numbers(STORED, kind), layout, COLORS, **more))
    for place, value in changes:
        content[8 + int(place * (len(content) - 9))] = value
    with suppress(DecodeError):
        assert load_rgb(bytes(content[: int(kept * len(content))]), MAX_PIXELS).mode == "RGB"
