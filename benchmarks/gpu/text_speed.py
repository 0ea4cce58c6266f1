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
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import psutil
import pyarrow as pa
from numpy.typing import NDArray

from benchmarks.gpu.watch import rate
from benchmarks.photo_ocr import CONFIG, photo_rows, rapid_detector, read_all, repeated
from webemo_curate.demo.scenes import draw_scene
from webemo_curate.demo.variants import captioned
from webemo_curate.ocr.cascade import confirming_rule, make_detector
from webemo_curate.ocr.detector import TextDetector
from webemo_curate.ocr.feeding.fed_worker import FedWorker
from webemo_curate.ocr.rule import decide
from webemo_curate.ocr.second_look import SecondLook
from webemo_curate.ocr.selection import EngineChoice
from webemo_curate.runner.local_runner import usable_cores
from webemo_curate.stages.ocr import OcrWorker, fed
from webemo_curate.storage.image_files import ImageFiles
from webemo_curate.taxonomies.webemo_labels import LABELS

if TYPE_CHECKING:
    from webemo_curate.ocr.device_network import DeviceNetwork

THUMBNAILS = 220_854
"""WEBEmo's images, whose minutes are projected."""

DRAWN = 400
CAPTIONED_EVERY = 5

SHARES = {"single": 0.33, "cpu": 0.2, "easyocr": 0.3, "networks": 0.17}
"""Of the time, for each part."""

RIVAL_IMAGES = 60
MAX_PASSES = 8
TIMED_ROWS = 2048
"""Rows of a timed pass, which is repeated while there is time."""

CANVAS = (416, 640, 3)
"""The most common shape of photos' thumbnails (21 % of 1,075)."""
DRAWN_CANVAS = (256, 384, 3)
CROP = (48, 160, 3)


def main() -> None:
    """Measure on the first GPU."""
    arguments = _arguments()
    if arguments.part is not None:
        _PARTS[arguments.part](arguments)
        return
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

    _files_to_rows(arguments, detector, "rapidocr", seen)


def _files_to_rows(
    arguments: argparse.Namespace,
    detector: TextDetector,
    name: str,
    seen: Callable[[pa.Table], None],
) -> None:
    """Measure a detector from files to rows; `seen` is given the rows of the first pass."""
    begun = time.monotonic()
    rows = photo_rows(arguments.photos, arguments.images)
    with _working(arguments, detector) as worker:
        print(f"{name}: networks loaded after {time.monotonic() - begun:.1f} s", flush=True)
        first = _pass(worker, rows)
        print(f"{name}: the first pass ended after {time.monotonic() - begun:.1f} s", flush=True)
        _print_graphs(worker)
        seen(first)
        left = arguments.seconds - (time.monotonic() - begun)
        found, order = _timed(arguments, worker, rows, 0.5 * left, name)
        _print_graphs(worker)
    again = found.take(pa.array(np.argsort(order)[: first.num_rows]))
    pairs = zip(first.to_pylist(), again.to_pylist(), strict=True)
    differing = [(one, other) for one, other in pairs if one != other]
    print(f"{name}: {len(differing)} of {first.num_rows} rows differ in another order", flush=True)
    for one, other in differing[:2]:
        print(f"    {one}\n    {other}", flush=True)


def _timed(
    arguments: argparse.Namespace, worker: FedWorker, rows: pa.Table, seconds: float, name: str
) -> tuple[pa.Table, NDArray[np.int64]]:
    """Time passes over photos, each in an order of its own; returns the first one's rows."""
    copies = 1 if arguments.device == "cpu" else -(-TIMED_ROWS // rows.num_rows)
    many = pa.concat_tables([rows] * copies).combine_chunks()
    random = np.random.default_rng(0)
    orders = [random.permutation(many.num_rows) for _ in range(MAX_PASSES)]
    shuffled = [many.take(pa.array(order)) for order in orders]
    begun = time.monotonic()
    found = _pass(worker, shuffled[0])
    once = time.monotonic() - begun
    passes = min(MAX_PASSES, max(1, int((seconds - once) / once)))

    def work() -> None:
        for each in shuffled[:passes]:
            _pass(worker, each)

    psutil.cpu_percent()
    speed = rate(work, passes * many.num_rows, f"{name}, {passes} passes of {many.num_rows}")
    print(f"{name}: CPU cores {psutil.cpu_percent():.0f} % busy")
    print(f"{name}: {THUMBNAILS} thumbnails in {THUMBNAILS / speed / 60:.1f} min", flush=True)
    return found, orders[0]


def _pass(worker: FedWorker, rows: pa.Table) -> pa.Table:
    (batch,) = rows.combine_chunks().to_batches()
    return pa.Table.from_batches([worker.process(batch)])


@contextmanager
def _working(arguments: argparse.Namespace, detector: TextDetector) -> Iterator[FedWorker]:
    inner = OcrWorker(ImageFiles(Path("/")), "benchmark", "0", detector, 1)
    worker = fed(inner, arguments.helpers, arguments.device)
    worker.setup()
    try:
        yield worker
    finally:
        worker.close()


def _print_graphs(worker: FedWorker) -> None:
    import torch

    from webemo_curate.ocr.graphed import shared_shelf

    held = torch.cuda.max_memory_reserved() // 2**20 if torch.cuda.is_available() else 0
    print(f"    {len(shared_shelf())} graphs, {held} MiB reserved by torch at most")
    for name, filled in worker.filling().items():
        full = filled.items / max(1, filled.entries)
        print(f"    {name}: {filled.items} items in {filled.batches} batches, {full:.0%} full")
    sys.stdout.flush()


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
    assert isinstance(looks, SecondLook)
    whole = replace(looks, first=first, rule=confirming_rule("easyocr"))
    arguments.images = min(arguments.images, 500)
    _files_to_rows(arguments, whole, "EasyOCR's networks", lambda _: None)
    for name, speed in others.items():
        print(f"    {name}: {speed:.1f} images/s in this process", flush=True)


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


def networks(arguments: argparse.Namespace) -> None:
    """Measure each network alone."""
    import torch

    from webemo_curate.ocr.overlay.overlay_network import OVERLAY_TEXT
    from webemo_curate.ocr.rapidocr.rapidocr_networks import ANY_TEXT
    from webemo_curate.ocr.rapidocr.torch_networks import DetectionNetwork, RecognitionNetwork

    until = time.monotonic() + 0.9 * arguments.seconds
    device = torch.device(arguments.device)
    kinds: list[tuple[str, tuple[int, ...], Callable[[], DeviceNetwork]]] = [
        ("detection", CANVAS, lambda: DetectionNetwork(ANY_TEXT, device)),
        ("recognition", CROP, lambda: RecognitionNetwork(device)),
        ("drawn words", DRAWN_CANVAS, lambda: DetectionNetwork(OVERLAY_TEXT, device)),
    ]
    for name, shape, load in kinds:
        network = load()
        for entries in (8, 4, 16, 2, 64) if arguments.device == "cuda" else (1,):
            if time.monotonic() > until:
                return
            _network_alone(network, name, shape, entries, device)


def _network_alone(
    network: "DeviceNetwork", name: str, shape: tuple[int, ...], entries: int, device: object
) -> None:
    """Print how long a batch takes step by step and as a graph, and whether they agree."""
    import torch

    from webemo_curate.ocr.graphed import MET_BEFORE, Graphed, GraphShelf

    batch = torch.randint(0, 256, (entries, *shape), dtype=torch.uint8, device=str(device))
    shelf = GraphShelf()
    graphed = Graphed(network.run, name, shelf)
    with torch.inference_mode():
        expected = [each.clone() for each in network.run(batch)]
        for _ in range(MET_BEFORE + 1):
            found = graphed(batch)
        differs = max(
            float((one.float() - other.float()).abs().max())
            for one, other in zip(found, expected, strict=True)
        )
        steps, graph = (_milliseconds(call, batch) for call in (network.run, graphed))
    captured = "graph" if len(shelf) else "no graph"
    print(
        f"{name:<18} {entries:>3} of {shape}: step by step {steps:7.2f} ms, {captured} "
        f"{graph:7.2f} ms, {1000 * entries / graph:7.0f}/s; they differ by {differs:.1g}",
        flush=True,
    )


def _milliseconds(call: Callable[..., object], batch: object) -> float:
    """Return the median time of a call."""
    from webemo_curate.ocr.graphed import wait_for_device

    taken = []
    until = time.monotonic() + 0.3
    while not taken or (time.monotonic() < until and len(taken) < 50):
        wait_for_device()
        started = time.perf_counter()
        call(batch)
        wait_for_device()
        taken.append(time.perf_counter() - started)
    return 1000 * float(np.median(taken))


_PARTS = {
    "single": single,
    "cpu": cpu,
    "easyocr": easyocr,
    "networks": networks,
}

if __name__ == "__main__":
    main()
