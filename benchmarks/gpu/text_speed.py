"""Measure the text filter on a GPU, from files to manifest rows, beside EasyOCR's interfaces.

    python -m benchmarks.gpu.text_speed [--photos FOLDER] [--models FOLDER] [--device cuda]
        [--parts single cpu easyocr networks] [--seconds 240] [--images 1000] [--helpers 15]

Parts run in the order given, each in a process of its own and within its share of the time; one
that fails prints why, and the next goes on:

- `single`: rapidocr's networks. After a first pass over the photos, images/s of passes in another
  order, with the GPU's utilization and memory and the host's; whether any row differs in a bit.
- `cpu`: the same photos on CPUs; on how many texts, and decisions, are others.
- `easyocr`: EasyOCR's networks in the same way, and EasyOCR's own interfaces.
- `networks`: each network alone, step by step and as a graph, by size of batch.

Without `--photos` pictures are drawn, without `--models` random weights are written in EasyOCR's
format (as fast as the published ones as far as detection goes). `--device cpu` tries the script
where there is no GPU.
"""

import argparse
import os
import signal
import subprocess
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa

from benchmarks.gpu.asked_device import asked_device
from benchmarks.gpu.files_to_rows import files_to_rows
from benchmarks.gpu.networks_alone import networks
from benchmarks.gpu.watch import rate
from benchmarks.photo_ocr import CONFIG, rapid_detector, read_all, repeated
from webemo_curate.demo.scenes import draw_scene
from webemo_curate.demo.variants import captioned
from webemo_curate.machine import usable_cores
from webemo_curate.ocr.cascade import confirming_rule, make_detector
from webemo_curate.ocr.detector import TextDetector
from webemo_curate.ocr.rule import decide
from webemo_curate.ocr.second_look import SecondLook
from webemo_curate.ocr.selection import EngineChoice
from webemo_curate.taxonomies.webemo_labels import LABELS

DRAWN = 400
CAPTIONED_EVERY = 5

SHARES = {"single": 0.33, "cpu": 0.2, "easyocr": 0.3, "networks": 0.17}
"""Of the time, for each part."""

RIVAL_IMAGES = 60


def main() -> None:
    """Measure on the first GPU."""
    arguments = _arguments()
    if arguments.part is not None:
        _PARTS[arguments.part](arguments)
        return
    asked_device(arguments.device)
    with tempfile.TemporaryDirectory() as folder:
        arguments.work = Path(folder)
        if arguments.photos is None:
            arguments.photos = Path(folder, "photos")
            arguments.photos.mkdir()
            draw_pictures(arguments.photos)
        _print_machine(arguments)
        for part in arguments.parts:
            _run_apart(part, arguments)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--photos", type=Path)
    parser.add_argument("--models", type=Path)
    parser.add_argument("--device", choices=["cuda", "cpu"], default="cuda")
    parser.add_argument("--parts", nargs="+", choices=list(SHARES), default=list(SHARES))
    parser.add_argument("--seconds", type=float, default=240.0)
    parser.add_argument("--images", type=int, default=1000, help="photos of a pass")
    parser.add_argument("--helpers", type=int, default=max(1, usable_cores() - 1))
    parser.add_argument("--batch-size", type=int, default=CONFIG.batch_size)
    parser.add_argument("--part", choices=list(SHARES), help=argparse.SUPPRESS)
    parser.add_argument("--work", type=Path, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.photos is not None:
        arguments.photos = arguments.photos.absolute()
    return arguments


def _run_apart(part: str, arguments: argparse.Namespace) -> None:
    """Run a part in a process group of its own, and end it when its time is up."""
    bound = SHARES[part] * arguments.seconds
    command = [sys.executable, "-m", "benchmarks.gpu.text_speed", "--part", part]
    for name in ("photos", "models", "device", "images", "helpers", "batch_size", "work"):
        value = getattr(arguments, name)
        if value is not None:
            command += [f"--{name.replace('_', '-')}", str(value)]
    command += ["--seconds", str(bound)]
    print(f"== {part} (at most {bound:.0f} s)", flush=True)
    started = time.monotonic()
    process = subprocess.Popen(command, start_new_session=True)
    try:
        code = process.wait(bound)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        code = "out of time"
    print(f"== {part}: {time.monotonic() - started:.0f} s, ended with {code}", flush=True)


def _print_machine(arguments: argparse.Namespace) -> None:
    import torch

    name = torch.cuda.get_device_name() if arguments.device == "cuda" else "CPU"
    photos = len(list(arguments.photos.iterdir()))
    print(f"{name}, torch {torch.__version__}, {usable_cores()} cores, {photos} photos", flush=True)


def draw_pictures(folder: Path) -> None:
    """Draw scenes, one in `CAPTIONED_EVERY` with words over it."""
    random = np.random.default_rng(0)
    for number in range(DRAWN):
        picture = draw_scene(LABELS[number % len(LABELS)], random)
        if number % CAPTIONED_EVERY == 0:
            picture = captioned(picture, random)
        picture.save(folder / f"{number}.jpg")


def cpu(arguments: argparse.Namespace) -> None:
    """Read the same photos on CPUs, and compare."""
    workers = max(1, usable_cores())
    started = time.monotonic()
    found = read_all(rapid_detector("cpu"), arguments.photos, arguments.images, workers)
    took = time.monotonic() - started
    print(f"{workers} processes on CPUs: {arguments.images / took:.1f} images/s, loading included")
    _store(arguments, "cpu", found)
    _compare(arguments, "single", "cpu")


def single(arguments: argparse.Namespace) -> None:
    """Measure rapidocr's networks."""
    config = CONFIG.model_copy(update={"engine": "rapidocr", "batch_size": arguments.batch_size})
    detector = make_detector(config, EngineChoice("rapidocr", "gpu", "benchmark", ""))

    def seen(rows: pa.Table) -> None:
        _store(arguments, "single", rows)

    files_to_rows(arguments, detector, "rapidocr", seen)


def _store(arguments: argparse.Namespace, name: str, rows: pa.Table) -> None:
    with pa.ipc.new_file(str(arguments.work / name), rows.schema) as writer:
        writer.write_table(rows.unify_dictionaries())


def _compare(arguments: argparse.Namespace, one: str, other: str) -> None:
    """Print on how many photos two runs read, or decide, otherwise."""
    tables = []
    for name in (one, other):
        if not (arguments.work / name).exists():
            print(f"{one} against {other}: {name} has no rows")
            return
        tables.append(pa.ipc.open_file(pa.memory_map(str(arguments.work / name))).read_all())
    rule = confirming_rule("rapidocr")
    boxes = [table["boxes"].combine_chunks() for table in tables]
    verdicts = [decide(each, rule).bears_text for each in boxes]
    texts = [[[box["text"] for box in found] for found in each.to_pylist()] for each in boxes]
    places = [[[box["polygon"] for box in found] for found in each.to_pylist()] for each in boxes]
    counted = [
        sum(first != second for first, second in zip(*both, strict=True))
        for both in (verdicts, texts, places)
    ]
    print(
        f"{one} against {other}: of {len(boxes[0])} photos {counted[0]} are decided otherwise, "
        f"{counted[1]} read otherwise, in {counted[2]} a box lies elsewhere; "
        f"{int(verdicts[0].sum())} and {int(verdicts[1].sum())} bear text",
        flush=True,
    )


def easyocr(arguments: argparse.Namespace) -> None:
    """Measure EasyOCR's networks in our pipeline, and EasyOCR's own interfaces."""
    from tests.ocr.random_weights import write_weights
    from webemo_curate.ocr.easyocr.easyocr_detector import EasyDetector
    from webemo_curate.ocr.easyocr.weight_files import DETECTION, PUBLISHED, RECOGNITION

    models, published = arguments.models, PUBLISHED
    if models is None:
        models = arguments.work
        _, published = write_weights(models)
    others = _rivals(arguments, models / DETECTION.name, models / RECOGNITION.name)
    first = EasyDetector(
        models / DETECTION.name,
        models / RECOGNITION.name,
        "gpu",
        CONFIG.short_side,
        CONFIG.score_floor,
        arguments.batch_size,
        published,
    )
    config = CONFIG.model_copy(update={"engine": "rapidocr", "batch_size": arguments.batch_size})
    looks = make_detector(config, EngineChoice("rapidocr", "gpu", "benchmark", ""))
    whole = _after(first, looks)
    arguments.images = min(arguments.images, 500)
    files_to_rows(arguments, whole, "EasyOCR's networks", lambda _: None)
    for name, speed in others.items():
        print(f"    {name}: {speed:.1f} images/s in this process", flush=True)


def _after(first: TextDetector, looks: TextDetector) -> TextDetector:
    """Put EasyOCR's engine in the place of the first of several looks."""
    if not isinstance(looks, SecondLook):
        return first
    return replace(looks, first=_after(first, looks.first), rule=confirming_rule("easyocr"))


def _rivals(arguments: argparse.Namespace, detection: Path, recognition: Path) -> dict[str, float]:
    """Return the rates of EasyOCR's own interfaces."""
    from PIL import Image

    from tests.ocr.random_weights import open_reader

    reader = open_reader(detection, recognition, arguments.device)
    count = RIVAL_IMAGES if arguments.device == "cuda" else 1
    paths = repeated(arguments.photos, count)

    def detect() -> None:
        for path in paths:
            reader.detect(np.asarray(Image.open(path).convert("RGB")))

    def read_batched() -> None:
        pictures = [np.asarray(Image.open(path).convert("RGB")) for path in paths]
        reader.readtext_batched(pictures, n_width=320, n_height=320, batch_size=64)

    works = {"Reader.detect in a loop": detect, "Reader.readtext_batched": read_batched}
    reader.detect(np.asarray(Image.open(paths[0]).convert("RGB")))  # warm-up
    return {name: rate(work, count, name) for name, work in works.items()}


_PARTS = {
    "single": single,
    "cpu": cpu,
    "easyocr": easyocr,
    "networks": networks,
}

if __name__ == "__main__":
    main()
