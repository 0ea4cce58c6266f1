"""Measure images a second of the text filter's engines, beside their own interfaces in a loop.

    python -m benchmarks.text_speed PHOTOS [--images 200] [--weights FOLDER] [--memory 5000]

The photos are read over and over until there are so many. Every contestant is a process of its
own, and its time and memory include loading the networks. EasyOCR's detection is compared on a
tenth of the images, once on the canvases that `Reader.detect` makes, once on those that `curate`
makes; without `--weights` its networks get random weights, which cost as much time. `--memory N`
prints what one worker of ours holds in the course of N images.
"""

import argparse
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil

from benchmarks.measure import MEGABYTE, Cost, run
from benchmarks.photo_ocr import repeated

MEMORY_POINTS = 5
EASYOCR_SHARE = 10
"""EasyOCR's network, slow on a CPU, sees one image in so many."""

RAPIDOCR_LOOP = """
import sys
from rapidocr import RapidOCR
from benchmarks.photo_ocr import repeated
reader = RapidOCR(params={"Global.log_level": "error"})
for path in repeated(sys.argv[1], int(sys.argv[2])):
    reader(str(path))
"""

OURS = """
import sys
from benchmarks.photo_ocr import rapid_detector, read_all
read_all(rapid_detector(), sys.argv[1], int(sys.argv[2]), workers=int(sys.argv[3]))
"""

EASYOCR_LOOP = """
import sys
import numpy as np
from PIL import Image
from benchmarks.photo_ocr import repeated
from tests.ocr.random_weights import open_reader
reader = open_reader(sys.argv[3] + "/craft_mlt_25k.pth", sys.argv[3] + "/english_g2.pth", "cpu")
for path in repeated(sys.argv[1], int(sys.argv[2])):
    reader.detect(np.asarray(Image.open(path).convert("RGB")))
"""

OUR_EASYOCR = """
import sys
from benchmarks.photo_ocr import CONFIG, easy_lines
sizes = {"as they are": None, "as curate scales": CONFIG.short_side}
easy_lines(sys.argv[1], int(sys.argv[2]), sys.argv[3], sizes[sys.argv[4]])
"""


def compare(photos: Path, images: int, weights: Path) -> None:
    """Print each contestant's rate and memory, and how many times the first one's rate it is."""
    contestants = [
        ("rapidocr's API in a loop", RAPIDOCR_LOOP, images, ()),
        ("curate, 1 process", OURS, images, ("1",)),
        ("curate, 2 processes", OURS, images, ("2",)),
    ]
    few = max(1, images // EASYOCR_SHARE)
    detection = [
        ("Reader.detect in a loop", EASYOCR_LOOP, few, (str(weights),)),
        ("curate, same canvases", OUR_EASYOCR, few, (str(weights), "as they are")),
        ("curate, its own canvases", OUR_EASYOCR, few, (str(weights), "as curate scales")),
    ]
    _show(photos, contestants)
    _show(photos, detection)


@contextmanager
def _weights(folder: Path | None) -> Iterator[Path]:
    """Give the folder of EasyOCR's files that was named, or one of random weights for a while."""
    if folder:
        yield folder
        return
    from tests.ocr.random_weights import write_weights

    with tempfile.TemporaryDirectory() as name:
        write_weights(Path(name))
        yield Path(name)


def _show(photos: Path, contestants: list[tuple[str, str, int, tuple[str, ...]]]) -> None:
    first = 0.0
    for name, code, images, options in contestants:
        cost = _cost(code, photos, images, options)
        rate = images / cost.seconds
        first = first or rate
        print(
            f"{name:<26} {rate:6.1f} images/s  ratio {rate / first:5.2f}  "
            f"{cost.cpu_seconds / images * 1000:6.0f} CPU-ms/image  "
            f"{cost.peak_bytes / MEGABYTE:6.0f} MB",
            flush=True,
        )


def _cost(code: str, photos: Path, images: int, options: tuple[str, ...]) -> Cost:
    with tempfile.NamedTemporaryFile(suffix=".log") as log:
        command = [sys.executable, "-c", code, str(photos), str(images), *options]
        return run(command, Path(log.name))


def show_memory(photos: Path, images: int) -> None:
    """Print this process's resident memory at points on the way through many images."""
    from benchmarks.photo_ocr import rapid_detector
    from webemo_curate.imaging import load_rgb
    from webemo_curate.ocr.pixels import to_pixels

    detector = rapid_detector()
    detector.setup()
    step = images // MEMORY_POINTS
    for count, path in enumerate(repeated(photos, images), start=1):
        detector.detect([to_pixels(load_rgb(path, 64 * 10**6))])
        if count % step == 0:
            held = psutil.Process().memory_info().rss / MEGABYTE
            print(f"after {count:,} images: {held:.0f} MB", flush=True)


def main() -> None:
    """Run what is asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("photos", type=Path)
    parser.add_argument("--images", type=int, default=200)
    parser.add_argument("--weights", type=Path, help="folder of EasyOCR's files; default: random")
    parser.add_argument("--memory", type=int, default=0)
    arguments = parser.parse_args()
    if arguments.images:
        with _weights(arguments.weights) as weights:
            compare(arguments.photos, arguments.images, weights)
    if arguments.memory:
        show_memory(arguments.photos, arguments.memory)


if __name__ == "__main__":
    main()
