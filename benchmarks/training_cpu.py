"""Measure a training step's time with Gram modules, and the input pipeline's speed, on the CPU.

    python -m benchmarks.training_cpu PHOTOS [--steps 6] [--rounds 5] [--size 256] [--batch-size 16]

Step times of k = 0, 3, 4 are taken in turn, so that a busy machine slows all of them. The input
pipeline (decoding or packed pixels, RandAugment) is held against torchvision's ImageFolder and
DataLoader with its own RandAugment, two workers. Both sides decode, resize to a square, mirror half
of the images and apply three operations to each; torchvision draws from its 14, `curate` from
imgaug's 18 (cutout, two blurs and inversion more), and crops the edges of every image first.
"""

import argparse
import hashlib
import io
import tempfile
import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from statistics import median
from typing import NamedTuple

import numpy as np
import psutil
import pyarrow as pa
import torch
from PIL import Image
from torch.utils.data import DataLoader
from torchvision.datasets import ImageFolder
from torchvision.transforms import v2

from webemo_curate.config import DecodingConfig, PipelineConfig, TrainConfig
from webemo_curate.dataset.labeled_images import chunks, open_images
from webemo_curate.dataset.prefetch import Feed
from webemo_curate.dataset.squares import to_square
from webemo_curate.imaging import load_rgb
from webemo_curate.models.registry import build_network
from webemo_curate.runner.work_context import WorkContext
from webemo_curate.training.augment.augmentation import Augmentation
from webemo_curate.training.loss import Objective
from webemo_curate.training.optimizers import make_optimizer
from webemo_curate.workspace import Workspace

GRAMS = (0, 3, 4)
WORKERS = 2
ROUNDS = 5
MAX_PIXELS = DecodingConfig().max_pixels

Way = Callable[[int], Iterable[object]]
"""Yields the batches of an epoch."""


def make_step(config: TrainConfig) -> Callable[[], float]:
    """Return a function that makes one update on random pixels and tells its seconds."""
    objective = Objective(build_network(config), config)
    optimizer = make_optimizer(config, objective.parameters())
    shape = (config.batch_size, 3, config.image_size, config.image_size)
    pixels = torch.randint(0, 256, shape, dtype=torch.uint8)
    targets = torch.arange(config.batch_size) % 2

    def step() -> float:
        started = time.perf_counter()
        optimizer.zero_grad()
        loss, _ = objective(pixels, targets)
        (loss / config.batch_size).backward()
        optimizer.step()
        return time.perf_counter() - started

    return step


def compare_steps(base: TrainConfig, steps: int) -> None:
    """Print the median step time of each k, and its ratio to k = 0 of the same round."""
    makers = {k: make_step(base.model_copy(update={"grams": k})) for k in GRAMS}
    for step in makers.values():
        step()  # warm-up
    rounds = [{k: step() for k, step in makers.items()} for _ in range(steps)]
    for k in GRAMS:
        ratio = median(times[k] / times[0] for times in rounds)
        print(f"k = {k}: {median(times[k] for times in rounds):.2f} s a step, ratio {ratio:.3f}")


class Input(NamedTuple):
    """One pass over all images: how fast, and at what cost.

    Attributes
    ----------
    rate
        Images a second.
    cost
        Processor milliseconds an image, of this process and its children.
    """

    rate: float
    cost: float


def compare_inputs(photos: Path, base: TrainConfig, rounds: int) -> None:
    """Print each round's images a second and processor time of all ways, then the ratios."""
    files = sorted(path for path in photos.iterdir() if path.is_file())
    with tempfile.TemporaryDirectory() as folder:
        ways = {"ImageFolder": _torchvision(files, Path(folder), base)}
        ways |= {mode: _ours(files, Path(folder), base, mode) for mode in ("files", "mapped")}
        found = []
        for number in range(rounds + 1):  # the first starts the processes of both sides
            found.append({name: _measured(way(number), len(files)) for name, way in ways.items()})
            said = [f"{name} {one.rate:.0f}/s {one.cost:.2f} ms" for name, one in found[-1].items()]
            print(f"{f'round {number}' if number else 'warm-up'}: {', '.join(said)}", flush=True)
    for mode in ("files", "mapped"):
        for field in Input._fields:
            ratios = sorted(
                getattr(one[mode], field) / getattr(one["ImageFolder"], field) for one in found[1:]
            )
            print(f"{mode}, {field}: {median(ratios):.2f} ({ratios[0]:.2f} to {ratios[-1]:.2f})")


def compare_parts(photos: Path, base: TrainConfig, limit: int = 200) -> None:
    """Print the processor milliseconds an image of each part of both pipelines, in one thread."""
    torch.set_num_threads(1)
    contents = [path.read_bytes() for path in sorted(photos.iterdir()) if path.is_file()][:limit]
    pictures = [_decoded(content) for content in contents]
    small = [picture.resize((base.image_size,) * 2) for picture in pictures]
    squares = torch.from_numpy(np.stack([to_square(picture, base) for picture in pictures]))
    resize, *augment = _steps(base)
    augmentation, rows = Augmentation(base, len(contents), 0, 0), np.arange(len(contents))
    parts: dict[str, Callable[[], object]] = {
        "decoding": lambda: [load_rgb(content, MAX_PIXELS) for content in contents],
        "decoding, ImageFolder": lambda: [_decoded(content) for content in contents],
        "resizing": lambda: [to_square(picture, base) for picture in pictures],
        "resizing, ImageFolder": lambda: [resize(picture) for picture in pictures],
        "augmentation": lambda: augmentation(squares, rows),
        "augmentation, ImageFolder": lambda: [v2.Compose(augment)(one) for one in small],
    }
    times = [{name: _seconds(part) for name, part in parts.items()} for _ in range(ROUNDS)]
    for name in parts:
        taken = median(one[name] for one in times)
        print(f"{name}: {taken / len(contents) * 1000:.2f} ms an image")


def _decoded(content: bytes) -> Image.Image:
    return Image.open(io.BytesIO(content)).convert("RGB")


def _seconds(part: Callable[[], object]) -> float:
    before = time.process_time()
    part()
    return time.process_time() - before


def _steps(config: TrainConfig) -> list[Callable[..., object]]:
    return [
        v2.Resize((config.image_size, config.image_size)),
        v2.RandomHorizontalFlip(),
        v2.RandAugment(config.augment_ops, round(config.augment_magnitude)),
        v2.PILToTensor(),
    ]


def _ours(files: Sequence[Path], folder: Path, base: TrainConfig, mode: str) -> Way:
    config = base.model_copy(update={"feed": mode})
    table = pa.table(
        {
            "path": [str(file.absolute()) for file in files],
            "sha256": [hashlib.sha256(file.read_bytes()).hexdigest() for file in files],
            "target": [number % 2 for number in range(len(files))],
        }
    )
    images = open_images(table, config, WorkContext(Workspace(folder), PipelineConfig()))
    feed = Feed(images, torch.device("cpu"), mode)
    rows = list(chunks(len(files), config.batch_size))
    return lambda epoch: feed.batches(rows, Augmentation(config, len(files), 0, epoch))


def _torchvision(files: Sequence[Path], folder: Path, config: TrainConfig) -> Way:
    home = folder / "images" / "one"
    home.mkdir(parents=True)
    for file in files:
        (home / file.name).symlink_to(file.absolute())
    data = ImageFolder(str(home.parent), transform=v2.Compose(_steps(config)))
    loader = DataLoader(data, config.batch_size, num_workers=WORKERS, persistent_workers=True)
    return lambda _: loader


def _measured(batches: Iterable[object], images: int) -> Input:
    before, started = _processor_seconds(), time.perf_counter()
    for _ in batches:
        pass
    seconds = time.perf_counter() - started
    return Input(images / seconds, (_processor_seconds() - before) / images * 1000)


def _processor_seconds() -> float:
    """Return the processor time of this process and of all its children, living or ended."""
    here = psutil.Process()
    own = here.cpu_times()
    living = [child.cpu_times() for child in here.children(recursive=True)]
    ended = own.children_user + own.children_system
    return ended + sum(times.user + times.system for times in [own, *living])


def main() -> None:
    """Run both comparisons."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("photos", type=Path)
    parser.add_argument("--steps", type=int, default=6)
    parser.add_argument("--rounds", type=int, default=5, help="of the input pipelines, in turn")
    parser.add_argument("--size", type=int, default=256)
    parser.add_argument("--batch-size", type=int, default=16)
    arguments = parser.parse_args()
    base = TrainConfig(
        image_size=arguments.size, batch_size=arguments.batch_size, from_scratch=True, device="cpu"
    )
    if arguments.steps:
        compare_steps(base, arguments.steps)
    compare_inputs(arguments.photos, base, arguments.rounds)
    compare_parts(arguments.photos, base)


if __name__ == "__main__":
    main()
