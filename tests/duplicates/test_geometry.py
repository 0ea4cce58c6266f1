"""Crops, captions, borders and recolored copies lie on their original; strangers do not."""

import io

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageEnhance, ImageFilter, ImageOps

from webemo_curate.config import DedupConfig
from webemo_curate.duplicates.candidates import candidate_pairs
from webemo_curate.duplicates.geometry import NO_MATCH, match, view
from webemo_curate.duplicates.local_words import MAX_SIDE, TABLES, local_words
from webemo_curate.duplicates.relation import Relation, RelationLimits

CONFIG = DedupConfig()


def scene(seed, size=(220, 150)):
    """Draw shapes over soft noise: structure enough for keypoints."""
    random = np.random.default_rng(seed)
    noise = Image.fromarray(random.integers(0, 256, (24, 32, 3), dtype=np.uint8))
    picture = noise.resize(size, Image.Resampling.BICUBIC).filter(ImageFilter.GaussianBlur(2))
    draw = ImageDraw.Draw(picture)
    for _ in range(14):
        x, y, w, h = random.integers(0, [size[0], size[1], 60, 50])
        shape = draw.ellipse if random.random() < 0.5 else draw.rectangle
        shape((x, y, x + w + 8, y + h + 8), fill=tuple(random.integers(0, 256, 3).tolist()))
    return picture


def jpeg(picture):
    buffer = io.BytesIO()
    picture.save(buffer, "JPEG", quality=70)
    return Image.open(buffer).convert("RGB")


def captioned(picture):
    copy = picture.copy()
    ImageDraw.Draw(copy).rectangle((0, 0, copy.width, 18), fill="white")
    return copy


DISGUISES = {
    "cropped": lambda p: p.crop((30, 20, 200, 140)),
    "small crop": lambda p: p.crop((60, 30, 190, 130)).resize((220, 169)),
    "captioned": captioned,
    "bordered": lambda p: ImageOps.expand(p.resize((180, 123)), 20, "black"),
    "recolored": lambda p: ImageEnhance.Color(ImageEnhance.Brightness(p).enhance(1.2)).enhance(0),
}


def is_same(one, other):
    found = match(view(one), view(other))
    return RelationLimits.of(CONFIG).answer(found, whole=False) == Relation.SAME


@pytest.mark.parametrize("disguise", DISGUISES)
def test_disguised_copies_are_candidates_and_proven(disguise):
    for seed in range(4):
        original = scene(seed)
        copy = jpeg(DISGUISES[disguise](original))
        first, second = candidate_pairs([local_words(original), local_words(copy)])
        assert (first.tolist(), second.tolist()) == ([0], [1])
        assert is_same(original, copy)
        assert is_same(copy, original)


def test_strangers_are_not_the_same():
    pictures = [scene(seed) for seed in range(12)]
    assert not any(
        is_same(one, other) for place, one in enumerate(pictures) for other in pictures[place + 1 :]
    )


def test_equal_pictures_give_equal_results_and_full_overlap():
    one, other = view(scene(0)), view(jpeg(scene(0)))
    found = match(one, other)
    assert found == match(one, other)
    assert found.overlap > 0.95
    assert found.correlation > 0.95


def test_a_picture_without_structure_matches_nothing():
    flat = Image.new("RGB", (100, 80), "gray")
    assert local_words(flat).shape == (0, TABLES)
    assert match(view(flat), view(scene(0))) == NO_MATCH
    assert match(view(scene(0)), view(flat)) == NO_MATCH


def test_a_large_picture_is_looked_at_small_and_still_knows_its_crop():
    large = scene(0).resize((4400, 3000), Image.Resampling.BICUBIC)
    crop = large.crop((600, 400, 4000, 2800))
    assert view(large).gray.shape == (698, MAX_SIDE)
    first, second = candidate_pairs([local_words(large), local_words(crop)])
    assert (first.tolist(), second.tolist()) == ([0], [1])
    assert is_same(large, crop)
