"""Measure a training step's time with Gram modules, and the input pipeline's speed, on the CPU.

    python -m benchmarks.training_cpu PHOTOS [--steps 6] [--size 256] [--batch-size 16]

Step times of k = 0, 3, 4 are taken in turn, so that a busy machine slows all of them. The input
pipeline (decoding or packed pixels, RandAugment) is held against torchvision's ImageFolder and
DataLoader with its own RandAugment, two workers.
"""

import argparse
import hashlib
import tempfile
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from statistics import median

import pyarrow as pa
import torch
from torch.utils.data import DataLoader
from torchvision.datasets import ImageFolder
from torchvision.transforms import v2

from webemo_curate.config import PipelineConfig, TrainConfig
from webemo_curate.dataset.labeled_images import chunks, open_images
from webemo_curate.dataset.prefetch import Feed
from webemo_curate.models.registry import build_network
from webemo_curate.runner.work_context import WorkContext
from webemo_curate.training.augment.augmentation import Augmentation
from webemo_curate.training.loss import Objective
from webemo_curate.training.optimizers import make_optimizer
from webemo_curate.workspace import Workspace

GRAMS = (0, 3, 4)
WORKERS = 2


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


def compare_inputs(photos: Path, base: TrainConfig) -> None:
    """Print images a second of our feeds and of torchvision's pipeline over the same files."""
    files = sorted(path for path in photos.iterdir() if path.is_file())
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder, "images", "one")
        home.mkdir(parents=True)
        for file in files:
            (home / file.name).symlink_to(file.absolute())
        theirs = _rate(_torchvision(home.parent, base), len(files))
        print(f"ImageFolder + DataLoader: {theirs:.0f} images/s")
        table = pa.table(
            {
                "path": [str(file.absolute()) for file in files],
                "sha256": [hashlib.sha256(file.read_bytes()).hexdigest() for file in files],
                "target": [number % 2 for number in range(len(files))],
            }
        )
        for mode in ("files", "mapped"):
            config = base.model_copy(update={"feed": mode})
            images = open_images(
                table, config, WorkContext(Workspace(Path(folder)), PipelineConfig())
            )
            augment = Augmentation(config, len(files), 0, 0)
            rows = list(chunks(len(files), config.batch_size))
            pairs = zip(Feed(images, torch.device("cpu"), mode).batches(rows), rows, strict=True)
            ours = _rate((augment(pixels, batch) for (pixels, _), batch in pairs), len(files))
            print(f"{mode}: {ours:.0f} images/s, ratio {ours / theirs:.2f}")


def _torchvision(root: Path, config: TrainConfig) -> Iterable[object]:
    size = (config.image_size, config.image_size)
    steps = [
        v2.Resize(size),
        v2.RandomHorizontalFlip(),
        v2.RandAugment(config.augment_ops, round(config.augment_magnitude)),
        v2.PILToTensor(),
    ]
    data = ImageFolder(str(root), transform=v2.Compose(steps))
    return DataLoader(data, config.batch_size, num_workers=WORKERS)


def _rate(batches: Iterable[object], images: int) -> float:
    started = time.perf_counter()
    for _ in batches:
        pass
    return images / (time.perf_counter() - started)


def main() -> None:
    """Run both comparisons."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("photos", type=Path)
    parser.add_argument("--steps", type=int, default=6)
    parser.add_argument("--size", type=int, default=256)
    parser.add_argument("--batch-size", type=int, default=16)
    arguments = parser.parse_args()
    base = TrainConfig(
        image_size=arguments.size, batch_size=arguments.batch_size, from_scratch=True, device="cpu"
    )
    compare_steps(base, arguments.steps)
    compare_inputs(arguments.photos, base)


if __name__ == "__main__":
    main()
