"""Our batched pHash is imagehash's, bit for bit."""

import imagehash
import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageOps

from webemo_curate.duplicates.perceptual import picture_hashes


def reference(image):
    return int(str(imagehash.phash(image)), 16)


def test_equals_imagehash_on_real_photos(shared_data):
    paths = sorted((shared_data / "dev" / "web").iterdir())[::7]
    images = [Image.open(path).convert("RGB") for path in paths]

    ours = picture_hashes(images)

    assert [int(value) for value in ours[:, 0]] == [reference(image) for image in images]
    assert [int(value) for value in ours[:, 1]] == [
        reference(ImageOps.mirror(image)) for image in images
    ]


@settings(max_examples=60, deadline=None)
@given(
    width=st.integers(1, 90),
    height=st.integers(1, 90),
    seed=st.integers(0, 2**32 - 1),
    levels=st.sampled_from([1, 2, 256]),
)
def test_equals_imagehash_on_any_size_and_on_flat_pictures(width, height, seed, levels):
    pixels = np.random.default_rng(seed).integers(0, levels, (height, width, 3), dtype=np.uint8)
    image = Image.fromarray(pixels)

    ours = picture_hashes([image, image])

    assert int(ours[0, 0]) == int(ours[1, 0]) == reference(image)
    assert int(ours[0, 1]) == reference(ImageOps.mirror(image))


def test_no_pictures_give_no_hashes():
    assert picture_hashes([]).shape == (0, 2)
