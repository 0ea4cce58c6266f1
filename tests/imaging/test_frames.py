"""An animation is the sequence of its frames; the first one that is not flat stands for it."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, features

from tests.imaging.drawn import MAX_PIXELS, animation, encode, picture
from webemo_curate.imaging import (
    DecodeError,
    check_body,
    distinct_frames,
    load_frame,
    load_rgb,
    read_looks,
)

SIZE = (48, 32)
FLAT = Image.new("RGB", SIZE, "white")
KINDS = ["GIF", "PNG", "WEBP"] + (["AVIF"] if features.check("avif") else [])
STORED = [
    encode(picture(1), "JPEG"),
    encode(picture(1), "JPEG", progressive=True),
    encode(picture(1).convert("CMYK"), "JPEG"),
    encode(picture(1), "MPO"),
    encode(picture(1), "PNG"),
    encode(picture(1).quantize(16), "PNG", transparency=3),
    encode(picture(1), "BMP"),
    encode(picture(1), "TIFF"),
    encode(picture(1), "TIFF", compression="tiff_lzw"),
    encode(picture(1), "WEBP", lossless=True),
    *(encode(picture(1), kind) for kind in KINDS),
    *(animation([picture(1), picture(2), picture(3)], kind) for kind in KINDS),
]


def near(one: Image.Image, other: Image.Image) -> bool:
    gap = np.abs(np.asarray(one).astype(int) - np.asarray(other))
    return bool(gap.mean() < 20)


@pytest.mark.parametrize("kind", KINDS)
def test_the_first_frame_that_is_not_flat_stands_for_an_animation(kind: str) -> None:
    content = animation([FLAT, picture(1), picture(2)], kind, duration=100)

    looks = read_looks(content, MAX_PIXELS)

    assert (looks.frames, looks.frame.number) == (3, 1)
    assert near(looks.frame.picture, picture(1))
    assert near(load_rgb(content, MAX_PIXELS), picture(1))
    assert near(load_frame(content, MAX_PIXELS, 2).picture, picture(2))


def test_an_animation_of_flat_frames_is_its_first_one() -> None:
    content = animation([FLAT, Image.new("RGB", SIZE, "red")], "PNG")
    looks = read_looks(content, MAX_PIXELS)
    assert (looks.frames, looks.frame.number) == (2, 0)


@pytest.mark.parametrize("kind", ["GIF", "PNG"])
def test_all_frames_identify_an_animation(kind: str) -> None:
    def pixel_hash(*seeds: int, **options: object) -> str:
        pictures = [picture(seed).quantize(64).convert("RGB") for seed in seeds]
        return read_looks(animation(pictures, kind, **options), MAX_PIXELS).pixel_hash

    assert pixel_hash(1, 2, 3) == pixel_hash(1, 2, 3, duration=500)
    assert len({pixel_hash(1, 2, 3), pixel_hash(1, 2, 4), pixel_hash(1, 3, 2), pixel_hash(1)}) == 4


def test_a_still_has_the_same_identity_in_every_format() -> None:
    hashes = {
        read_looks(encode(picture(1), kind), MAX_PIXELS).pixel_hash
        for kind in ("PNG", "BMP", "TIFF")
    }
    assert len(hashes) == 1


def test_frames_that_repeat_are_looked_at_once() -> None:
    gray = [Image.new("RGB", SIZE, (level, 0, 0)) for level in (10, 200)]
    content = animation([gray[0], gray[1], gray[0], gray[1]], "GIF", duration=[10, 20, 30, 40])
    assert [frame.number for frame in distinct_frames(content, MAX_PIXELS, 4, 8)] == [0, 1]


@given(count=st.integers(1, 12), flat=st.integers(0, 12), at_most=st.integers(1, 14))
@settings(max_examples=25, deadline=None)
def test_frames_for_text_are_bounded_and_spread(count: int, flat: int, at_most: int) -> None:
    lead = [Image.new("RGB", SIZE, (level * 9, 0, 0)) for level in range(min(flat, count - 1))]
    content = animation([*lead, *(picture(n) for n in range(count - len(lead)))], "PNG")

    numbers = [frame.number for frame in distinct_frames(content, MAX_PIXELS, count, at_most)]

    assert len(numbers) == min(count, at_most)
    assert numbers == sorted(set(numbers))
    if at_most > 1:
        assert numbers[0] == 0
        assert numbers[-1] == count - 1


def test_the_frames_followed_are_bounded_by_pixels() -> None:
    pictures = [picture(seed, (200, 200)) for seed in range(12)]
    content = animation(pictures, "PNG")
    short = read_looks(content, max_pixels=40_000)
    assert short.frames == 4
    # It may go on in any way, so no other bytes are known to be the same.
    other = animation([*pictures[:11], picture(99, (200, 200))], "PNG")
    assert read_looks(other, max_pixels=40_000).pixel_hash != short.pixel_hash


@pytest.mark.parametrize("kind", ["GIF", "PNG", "WEBP"])
def test_a_frame_that_is_cut_off_ends_an_animation_but_the_first(kind: str) -> None:
    content = animation([picture(seed) for seed in range(3)], kind)
    looks = read_looks(content, MAX_PIXELS)
    try:
        cut = read_looks(content[: len(content) - 200], MAX_PIXELS)
    except DecodeError:
        assert kind == "WEBP"  # its container says how long it is
    else:
        assert cut.frames < looks.frames


def outcome(read: object, content: bytes) -> tuple[str, ...]:
    try:
        read(content, MAX_PIXELS)  # type: ignore[operator]
    except DecodeError as error:
        return type(error).__name__, error.status, str(error)
    return ("ok",)


@given(
    content=st.sampled_from(STORED),
    changes=st.lists(st.tuples(st.floats(0, 1), st.integers(0, 255)), max_size=8),
    header=st.booleans(),
    kept=st.floats(0.02, 1),
    cut=st.booleans(),
)
@settings(max_examples=150, deadline=None)
def test_what_fetch_accepts_decodes_and_else_fails_for_the_same_reason(
    content: bytes, changes: list[tuple[float, int]], header: bool, kept: float, cut: bool
) -> None:
    damaged = bytearray(content)
    for place, value in changes:
        span = min(len(damaged), 100) if header else len(damaged)
        damaged[min(int(place * span), len(damaged) - 1)] = value
    if cut:
        damaged = damaged[: int(len(damaged) * kept)]
    asked = outcome(check_body, bytes(damaged))
    assert outcome(load_rgb, bytes(damaged)) == asked
    assert outcome(read_looks, bytes(damaged)) == asked
    assert " at 0x" not in asked[-1]
