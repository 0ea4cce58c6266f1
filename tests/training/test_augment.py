"""RandAugment's ops are Pillow's, and draws belong to the image."""

from collections.abc import Callable

import numpy as np
import pytest
import torch
from PIL import Image, ImageEnhance, ImageOps

from webemo_curate.training import augment

GREY_LEVELS = 1.5 / 255
RNG = np.random.default_rng(5)
PICTURE = Image.fromarray(RNG.integers(20, 230, (24, 24, 3), dtype=np.uint8)).resize((48, 48))


def tensor(image: Image.Image) -> torch.Tensor:
    return torch.from_numpy(np.asarray(image).copy()).permute(2, 0, 1).float() / 255


@pytest.mark.parametrize(
    ("op", "strength", "pillow"),
    [
        (augment.identity, 0.5, lambda i: i),
        (augment.auto_contrast, 0.5, ImageOps.autocontrast),
        (augment.equalize, 0.5, ImageOps.equalize),
        (augment.invert, 0.5, ImageOps.invert),
        (augment.posterize, 0.5, lambda i: ImageOps.posterize(i, 6)),
        (augment.solarize, 0.4, lambda i: ImageOps.solarize(i, 153)),
        (augment.color, 0.5, lambda i: ImageEnhance.Color(i).enhance(1.45)),
        (augment.contrast, -0.5, lambda i: ImageEnhance.Contrast(i).enhance(0.55)),
        (augment.brightness, 0.2, lambda i: ImageEnhance.Brightness(i).enhance(1.18)),
        (augment.sharpness, -0.5, lambda i: ImageEnhance.Sharpness(i).enhance(0.55)),
    ],
)
def test_op_equals_pillows(
    op: augment.Op, strength: float, pillow: Callable[[Image.Image], Image.Image]
) -> None:
    ours = op(tensor(PICTURE), strength).clamp(0, 1)
    gap = (ours - tensor(pillow(PICTURE))).abs()
    assert gap.max() <= GREY_LEVELS


@pytest.mark.parametrize(
    "op",
    [augment.rotate, augment.shear_x, augment.shear_y, augment.translate_x, augment.translate_y],
)
def test_geometric_op_fills_with_grey_and_is_identity_at_zero(op: augment.Op) -> None:
    white = torch.ones(3, 33, 33)
    torch.testing.assert_close(op(white, 0.0), white)
    moved = op(white, 1.0)
    assert moved.min() == pytest.approx(augment.FILL, abs=1e-5)
    assert moved.max() == pytest.approx(1.0, abs=1e-5)


def test_draws_differ_between_images_and_repeat_with_the_generator() -> None:
    images = tensor(PICTURE).repeat(8, 1, 1, 1)
    first = augment.rand_augment(images, 3, 7, torch.Generator().manual_seed(1))
    again = augment.rand_augment(images, 3, 7, torch.Generator().manual_seed(1))
    assert torch.equal(first, again)
    assert len({image.numpy().tobytes() for image in first}) > 4
