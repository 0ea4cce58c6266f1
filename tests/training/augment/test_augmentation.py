"""RandAugment's ops are Pillow's to the last bit, and draws belong to the image."""

import math
from collections.abc import Callable

import cv2
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageDraw, ImageEnhance, ImageFilter, ImageOps

from webemo_curate.config import TrainConfig
from webemo_curate.training.augment import pixel_ops
from webemo_curate.training.augment.augmentation import (
    Augmentation,
    EpochDraws,
    augment_batch,
    augment_images,
    rand_augment,
)
from webemo_curate.training.augment.crop_jitter import CropDraws, crop_jitter
from webemo_curate.training.augment.edge_crop import crop_edges, crop_planes
from webemo_curate.training.augment.magnitudes import Draw

SIDE = 48
FILL = 128
STRENGTH = 7 / 30
CONFIG = TrainConfig(augment_ops=3, augment_magnitude=7, augment_crop=False)


def pictures() -> list[Image.Image]:
    """Return noise, a dark gradient, one color, and two levels alone."""
    generator = np.random.default_rng(5)
    noise = generator.integers(0, 256, (SIDE, SIDE, 3))
    gradient = np.broadcast_to(np.linspace(10, 90, SIDE)[:, None, None], (SIDE, SIDE, 3))
    one = np.full((SIDE, SIDE, 3), (200, 30, 90))
    two = np.where(noise < 40, 60, 190)
    return [Image.fromarray(p.astype(np.uint8)) for p in (noise, gradient, one, two)]


def tensor(images: list[Image.Image]) -> torch.Tensor:
    return torch.stack([torch.from_numpy(np.array(i)).permute(2, 0, 1) for i in images])


def draw(sign: float, strength: float = STRENGTH, center: float = 0.4) -> Draw:
    count = len(pictures())
    return Draw(strength, np.full(count, sign), np.full((count, 2), center), FILL)


def enhance(kind: type, sign: float) -> Callable[[Image.Image], Image.Image]:
    return lambda image: kind(image).enhance(1 + sign * 0.9 * STRENGTH)


def warp(*matrix: float) -> Callable[[Image.Image], Image.Image]:
    return lambda image: image.transform(
        image.size, Image.Transform.AFFINE, matrix, fillcolor=(FILL,) * 3
    )


def rotation(sign: float) -> tuple[float, ...]:
    angle, half = sign * math.radians(30) * STRENGTH, SIDE / 2
    cosine, sine = math.cos(angle), math.sin(angle)
    shift_x = half - cosine * half - sine * half
    return (cosine, sine, shift_x, -sine, cosine, half + sine * half - cosine * half)


SHEAR = math.tan(0.3 * STRENGTH)
SHIFT = 0.33 * STRENGTH * SIDE


@pytest.mark.parametrize("sign", [1.0, -1.0])
@pytest.mark.parametrize(
    ("op", "pillow"),
    [
        (pixel_ops.identity, lambda _: lambda i: i),
        (pixel_ops.auto_contrast, lambda _: ImageOps.autocontrast),
        (pixel_ops.equalize, lambda _: ImageOps.equalize),
        (pixel_ops.invert, lambda _: ImageOps.invert),
        (pixel_ops.posterize, lambda _: lambda i: ImageOps.posterize(i, 7)),
        (pixel_ops.solarize, lambda _: lambda i: ImageOps.solarize(i, 256 - 59)),
        (pixel_ops.color, lambda sign: enhance(ImageEnhance.Color, sign)),
        (pixel_ops.contrast, lambda sign: enhance(ImageEnhance.Contrast, sign)),
        (pixel_ops.brightness, lambda sign: enhance(ImageEnhance.Brightness, sign)),
        (pixel_ops.sharpness, lambda sign: enhance(ImageEnhance.Sharpness, sign)),
        (pixel_ops.smooth, lambda _: lambda i: i.filter(ImageFilter.SMOOTH)),
        (pixel_ops.blur, lambda _: lambda i: i.filter(ImageFilter.BLUR)),
        (pixel_ops.rotate, lambda sign: warp(*rotation(sign))),
        (pixel_ops.shear_x, lambda sign: warp(1, sign * SHEAR, 0, 0, 1, 0)),
        (pixel_ops.shear_y, lambda sign: warp(1, 0, 0, sign * SHEAR, 1, 0)),
        (pixel_ops.translate_x, lambda sign: warp(1, 0, sign * SHIFT, 0, 1, 0)),
        (pixel_ops.translate_y, lambda sign: warp(1, 0, 0, 0, 1, sign * SHIFT)),
    ],
)
def test_op_equals_pillows(op: pixel_ops.Op, pillow: Callable, sign: float) -> None:
    expected = tensor([pillow(sign)(picture) for picture in pictures()])
    assert torch.equal(op(tensor(pictures()), draw(sign)), expected)


def test_auto_contrast_equals_pillows_for_every_range_of_levels() -> None:
    ranges = [(low, high) for low in range(0, 256, 3) for high in range(low, 256, 5)]
    levels = np.arange(256)[None, :]
    low, high = (np.array(ends)[:, None] for ends in zip(*ranges, strict=True))
    lines = np.clip(levels, low, high).astype(np.uint8)
    images = torch.from_numpy(lines)[:, None, None, :].expand(-1, 3, -1, -1).contiguous()
    ours = pixel_ops.auto_contrast(images, draw(1.0))[:, 0, 0].numpy()
    for line, result in zip(lines, ours, strict=True):
        assert np.array_equal(
            result, np.asarray(ImageOps.autocontrast(Image.fromarray(line[None])))[0]
        )


@pytest.mark.parametrize("center", [0.0, 0.4, 0.97])
def test_cutout_fills_a_square_about_its_center(center: float) -> None:
    half = 20 / 32 * STRENGTH / 2
    begin, end = int((center - half) * SIDE), int((center + half) * SIDE)
    expected = pictures()
    for image in expected:
        box = [begin, begin, end - 1, end - 1]
        ImageDraw.Draw(image).rectangle(box, fill=(FILL,) * 3)
    ours = pixel_ops.cutout(tensor(pictures()), draw(1.0, center=center))
    assert torch.equal(ours, tensor(expected))


@pytest.mark.parametrize("op", pixel_ops.OPS)
@pytest.mark.parametrize("strength", [0.0, 1.0])
def test_every_op_takes_the_ends_of_the_scale(op: pixel_ops.Op, strength: float) -> None:
    result = op(tensor(pictures()), draw(-1.0, strength))
    assert result.dtype == torch.uint8
    assert result.shape == (len(pictures()), 3, SIDE, SIDE)


def test_no_op_is_drawn_twice_for_an_image_and_all_are_drawn() -> None:
    draws = EpochDraws.of(500, 3, np.random.default_rng(0))
    assert all(len(set(row)) == 3 for row in draws.ops)
    counts = np.bincount(draws.ops.ravel(), minlength=len(pixel_ops.OPS))
    assert len(pixel_ops.OPS) == 18
    assert counts.min() > 500 * 3 / 18 / 2
    assert 0.4 < draws.flips.mean() < 0.6


def test_each_image_gets_its_own_n_ops_of_strength_m_one_after_the_other() -> None:
    images = torch.randint(0, 256, (40, 3, SIDE, SIDE), dtype=torch.uint8)
    draws = EpochDraws.of(len(images), 3, np.random.default_rng(2))
    expected = []
    for row, image in enumerate(images):
        one = (image.flip(-1) if draws.flips[row] else image)[None]
        for op, sign, center in zip(
            draws.ops[row], draws.signs[row], draws.centers[row], strict=True
        ):
            drawn = Draw(7 / 30, np.array([sign]), center[None], FILL)
            one = pixel_ops.OPS[op](one, drawn)
        expected.append(one)
    assert torch.equal(rand_augment(images, draws, CONFIG), torch.cat(expected))


@settings(max_examples=40, deadline=None)
@given(
    seed=st.integers(0, 2**32),
    side=st.integers(8, 80),
    ops=st.integers(1, len(pixel_ops.OPS)),
    magnitude=st.floats(0, 30),
    fill=st.integers(0, 255),
    crop=st.booleans(),
)
def test_image_by_image_gives_the_bytes_of_a_batch(
    seed: int, side: int, ops: int, magnitude: float, fill: int, crop: bool
) -> None:
    generator = np.random.default_rng(seed)
    images = torch.from_numpy(generator.integers(0, 256, (6, 3, side, side), dtype=np.uint8))
    config = CONFIG.model_copy(
        update={"augment_magnitude": magnitude, "augment_fill": fill, "augment_crop": crop}
    )
    draws = EpochDraws.of(len(images), ops, generator)
    together, one_by_one = (way(images, draws, config) for way in (augment_batch, augment_images))
    assert torch.equal(together, one_by_one)


@pytest.mark.parametrize("kind", ["randaugment", "crop-jitter", "flip"])
def test_an_image_is_augmented_alike_in_any_batch_and_anew_each_epoch(kind: str) -> None:
    config = CONFIG.model_copy(update={"augment": kind})
    images = torch.randint(0, 256, (12, 3, SIDE, SIDE), dtype=torch.uint8)
    before = images.clone()
    augmentation = Augmentation(config, 12, seed=1, epoch=4)
    whole = augmentation(images, np.arange(12))
    for rows in (np.arange(5), np.array([11, 2, 7])):
        part = augmentation(images[torch.from_numpy(rows)], rows)
        assert torch.equal(part, whole[torch.from_numpy(rows)])
    assert not torch.equal(Augmentation(config, 12, 1, 5)(images, np.arange(12)), whole)
    assert torch.equal(images, before)


def test_crop_of_the_whole_image_with_no_jitter_changes_nothing() -> None:
    images = tensor(pictures())
    count = len(images)
    whole = np.broadcast_to([1.0, 1.0, 0.0, 0.0], (count, 4))
    assert torch.equal(crop_jitter(images, CropDraws(whole, np.ones((count, 3)))), images)


def test_crops_lie_inside_and_keep_to_their_area_and_ratio() -> None:
    width, height, x, y = CropDraws.of(2000, np.random.default_rng(0)).boxes.T
    assert (x >= 0).all()
    assert (y >= 0).all()
    assert (x + width <= 1 + 1e-9).all()
    assert (y + height <= 1 + 1e-9).all()
    assert (width * height).min() >= 0.08 - 1e-9
    assert 0.5 < (width * height).mean() < 0.6


def test_none_leaves_images_alone() -> None:
    images = tensor(pictures())
    config = CONFIG.model_copy(update={"augment": "none"})
    assert torch.equal(Augmentation(config, 4, 0, 0)(images, np.arange(4)), images)


@pytest.mark.parametrize("seed", range(3))
def test_edges_are_cut_and_scaled_back_as_opencv_does(seed: int) -> None:
    images, shares = pictures(), np.random.default_rng(seed).random((len(pictures()), 4))
    ours = crop_edges(tensor(images), shares, 7)
    side = images[0].size[0]
    for image, cuts, result in zip(images, shares, ours, strict=True):
        top, right, bottom, left = np.round(cuts * 7 / 224 * side).astype(int)
        kept = np.asarray(image)[top : side - bottom, left : side - right]
        theirs = cv2.resize(kept, (side, side), interpolation=cv2.INTER_LINEAR)
        difference = np.abs(result.permute(1, 2, 0).numpy().astype(int) - theirs)
        assert difference.max() <= 1
        assert (difference > 0).mean() < 0.01


@pytest.mark.parametrize("side", [32, 99, 224, 256, 299])
def test_one_image_is_cut_as_a_batch_is_whether_opencv_agrees_or_not(side: int) -> None:
    generator = np.random.default_rng(side)
    images = generator.integers(-128, 384, (6, 3, side, side)).clip(0, 255).astype(np.uint8)
    shares = generator.random((len(images), 4))
    shares[0] = 0
    for magnitude in (7, 30):
        together = crop_edges(torch.from_numpy(images), shares, magnitude).numpy()
        alone = [crop_planes(*each, magnitude) for each in zip(images, shares, strict=True)]
        assert np.array_equal(np.stack(alone), together)


def test_no_cut_changes_nothing() -> None:
    images = tensor(pictures())
    assert torch.equal(crop_edges(images, np.zeros((len(images), 4)), 7), images)
