"""One bound on pictures, `decoding.max_pixels`, for every stage that decodes."""

import logging
from pathlib import Path

import pytest

from webemo_curate.config import PipelineConfig, load_pipeline
from webemo_curate.errors import InputError
from webemo_curate.pipeline import build_stages


def load(folder: Path, text: str) -> PipelineConfig:
    file = folder / "pipeline.yaml"
    file.write_text(text)
    return load_pipeline(file)


@pytest.mark.parametrize(
    ("text", "bound"),
    [
        ("decoding: {max_pixels: 9}", 9),
        ("fetch: {max_pixels: 8, rate: 3}", 8),
        ("images: {max_pixels: 7}", 7),
        ("fetch: {max_pixels: 8}\nimages: {max_pixels: 7}", 7),
        ("decoding: {max_pixels: 9}\nimages: {max_pixels: 7}", 9),
    ],
)
def test_earlier_names_of_the_bound_still_work_and_say_the_new_one(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, text: str, bound: int
) -> None:
    with caplog.at_level(logging.WARNING):
        config = load(tmp_path, text)
    assert config.decoding.max_pixels == bound
    old = text.count("max_pixels") - text.count("decoding")
    assert caplog.text.count("is decoding.max_pixels now") == old
    # What is stored for the next command has the new name alone.
    stored = config.model_dump(exclude_unset=True)
    assert stored["decoding"] == {"max_pixels": bound}
    assert all("max_pixels" not in own for name, own in stored.items() if name != "decoding")


@pytest.mark.parametrize("value", ["many", "0", "[]"])
def test_an_impossible_bound_is_named(tmp_path: Path, value: str) -> None:
    with pytest.raises(InputError, match=r"decoding\.max_pixels"):
        load(tmp_path, f"images: {{max_pixels: {value}}}")


def test_the_bound_stands_in_the_fingerprints_that_it_decides() -> None:
    config = PipelineConfig.model_validate({"decoding": {"max_pixels": 7}})
    stages = [s for s in build_stages(config) if s.name not in ("ocr", "text")]
    bounds = {s.name: s.configuration()["max_pixels"] for s in stages if s.name in BOUNDED}
    assert bounds == dict.fromkeys(BOUNDED, 7)


BOUNDED = ("fetch", "images")
"""Later stages see it through the images manifest, whose digest is their input."""
