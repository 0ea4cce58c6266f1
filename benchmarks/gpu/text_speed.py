"""The text filter on a GPU: end to end and the network alone, beside EasyOCR's own interfaces.

    python -m benchmarks.gpu.text_speed [--photos FOLDER] [--models FOLDER]
        [--images 500] [--workers 1 4 8]

Without `--photos` pictures are drawn, without `--models` random weights are written in EasyOCR's
format (as fast as the published ones as far as detection goes). Prints on how many photos GPU and
CPU differ, images/s of so many images a worker process, loading included and not, ratios to the
rivals', the GPU's mean utilization and largest memory in use, and the largest worker's own memory.
It takes about six minutes on an H200.
"""

import argparse
import tempfile
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from benchmarks.gpu.watch import rate
from benchmarks.photo_ocr import CONFIG, rapid_detector, read_all, repeated
from tests.ocr.random_weights import open_reader, write_weights
from webemo_curate.demo.scenes import draw_scene
from webemo_curate.demo.variants import captioned
from webemo_curate.ocr.cascade import confirming_rule
from webemo_curate.ocr.detector import TextDetector
from webemo_curate.ocr.easyocr.craft import HeatmapNetwork, make_canvas
from webemo_curate.ocr.easyocr.easyocr_detector import EasyDetector
from webemo_curate.ocr.easyocr.weight_files import (
    DETECTION,
    PUBLISHED,
    RECOGNITION,
    WeightFile,
    load_tensors,
)
from webemo_curate.ocr.second_look import SecondLook
from webemo_curate.taxonomies.webemo_labels import LABELS

DRAWN = 400
CAPTIONED_EVERY = 5
RIVAL_SHARE = 2
"""Rivals see one image in so many of a worker's."""

COMPARED = 200
"""Photos read on both devices."""

NETWORK_BATCHES = 50


def draw_pictures(folder: Path) -> None:
    """Draw scenes, one in `CAPTIONED_EVERY` with words over it."""
    random = np.random.default_rng(0)
    for number in range(DRAWN):
        picture = draw_scene(LABELS[number % len(LABELS)], random)
        if number % CAPTIONED_EVERY == 0:
            picture = captioned(picture, random)
        picture.save(folder / f"{number}.jpg")


def network_alone(models: Path, photos: Path) -> None:
    """Run CRAFT on one batch again and again; no decoding of files or heatmaps."""
    network = HeatmapNetwork(load_tensors(models / DETECTION.name), torch.device("cuda"))
    picture = np.asarray(Image.open(repeated(photos, 1)[0]).convert("RGB"))
    canvas = make_canvas(picture, CONFIG.short_side).pixels
    batch = np.stack([canvas] * CONFIG.batch_size)
    network(batch)  # warm-up

    def work() -> None:
        for _ in range(NETWORK_BATCHES):
            network(batch)

    rate(work, NETWORK_BATCHES * CONFIG.batch_size, f"network alone, {canvas.shape[:2]}")


def easy_detector(models: Path, published: tuple[WeightFile, WeightFile]) -> TextDetector:
    """Return EasyOCR's networks in our own loop, on the GPU, and the look for drawn words."""
    first = EasyDetector(
        models / DETECTION.name,
        models / RECOGNITION.name,
        "gpu",
        CONFIG.short_side,
        CONFIG.score_floor,
        CONFIG.batch_size,
        published,
    )
    looks = rapid_detector("gpu")
    assert isinstance(looks, SecondLook)
    return replace(looks, first=first, rule=confirming_rule("easyocr"))


def files_to_rows(
    detector: TextDetector, photos: Path, images: int, workers: list[int], name: str
) -> float:
    """Return the best rate of the whole filter, from image files to rows of the manifest.

    Each number of workers reads so many images a worker, and then twice as many: what the others
    took is the rate without loading.
    """
    best = 0.0
    for count in workers:
        once, twice = images * count, 2 * images * count
        read = partial(read_all, detector, photos, workers=count)
        first = rate(partial(read, once), once, f"curate, {name}, {count} workers")
        second = rate(partial(read, twice), twice, f"curate, {name}, {count} workers, twice")
        loaded = once / (twice / second - once / first)
        print(f"    once loaded: {loaded:.1f} images/s")
        best = max(best, loaded)
    return best


def count_differences(photos: Path) -> None:
    """Print on how many photos rapidocr's networks read otherwise on the GPU than on the CPU."""
    pictures = [Image.open(path).convert("RGB") for path in repeated(photos, COMPARED)]
    texts = []
    for detector in (rapid_detector("gpu"), rapid_detector("cpu")):
        detector.setup()
        texts.append([[box.text for box in boxes] for boxes in detector.detect(pictures)])
    differing = sum(one != other for one, other in zip(*texts, strict=True))
    print(f"GPU and CPU read otherwise on {differing} of {COMPARED} photos")


def rivals(models: Path, photos: Path, images: int) -> dict[str, float]:
    """Return the rates of EasyOCR's own interfaces on the GPU."""
    reader = open_reader(models / DETECTION.name, models / RECOGNITION.name, "cuda")
    paths = repeated(photos, images)

    def detect() -> None:
        for path in paths:
            reader.detect(np.asarray(Image.open(path).convert("RGB")))

    def read_batched() -> None:
        pictures = [np.asarray(Image.open(path).convert("RGB")) for path in paths]
        reader.readtext_batched(pictures, n_width=320, n_height=320, batch_size=CONFIG.batch_size)

    works = {"Reader.detect in a loop": detect, "Reader.readtext_batched": read_batched}
    return {name: rate(work, images, name) for name, work in works.items()}


def main() -> None:
    """Measure on the first GPU."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--photos", type=Path)
    parser.add_argument("--models", type=Path)
    parser.add_argument("--images", type=int, default=500)
    parser.add_argument("--workers", type=int, nargs="+", default=[1, 4, 8])
    arguments = parser.parse_args()
    print(f"{torch.cuda.get_device_name()}, torch {torch.__version__}")
    with tempfile.TemporaryDirectory() as folder:
        photos, models, published = arguments.photos, arguments.models, PUBLISHED
        if photos is None:
            photos = Path(folder, "photos")
            photos.mkdir()
            draw_pictures(photos)
        if models is None:
            models = Path(folder)
            _, published = write_weights(models)
        network_alone(models, photos)
        count_differences(photos)
        others = rivals(models, photos, arguments.images // RIVAL_SHARE)
        ours = {"EasyOCR": easy_detector(models, published), "rapidocr": rapid_detector("gpu")}
        for networks, detector in ours.items():
            found = files_to_rows(
                detector, photos, arguments.images, arguments.workers, f"{networks}'s networks"
            )
            for name, slower in others.items():
                print(f"    curate / {name}: {found / slower:.1f}")


if __name__ == "__main__":
    main()
