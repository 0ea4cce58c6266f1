"""Training on a GPU: EfficientNetV2-B2, fp32 and bf16, k = 0 and 4, beside timm's plain loop.

    python -m benchmarks.gpu.training [--images 61074] [--size 256] [--batch-size 64] [--steps 200]

Pixels are random and packed as `curate pack` packs them, as many as the paper's training set has.
Prints images/s, the epoch's time that follows, the GPU's mean utilization and largest memory. The
rival is a loop of timm's network and AdamW over torchvision's ImageFolder, DataLoader and
RandAugment, on JPEG files of the same size. `--device cpu` with small numbers tries the script.
"""

import argparse
import itertools
import tempfile
from collections.abc import Callable, Iterable
from pathlib import Path

import numpy as np
import timm
import torch
from PIL import Image
from torch.utils.data import DataLoader
from torchvision.datasets import ImageFolder
from torchvision.transforms import v2

from benchmarks.gpu.watch import rate
from webemo_curate.config import TrainConfig
from webemo_curate.dataset.labeled_images import PackedImages, chunks
from webemo_curate.dataset.packing import SHARD_IMAGES
from webemo_curate.dataset.prefetch import Feed
from webemo_curate.models.precision import autocast
from webemo_curate.models.registry import build_network
from webemo_curate.training.augment.augmentation import Augmentation
from webemo_curate.training.loss import Objective
from webemo_curate.training.optimizers import make_optimizer

GRAMS = (0, 4)
PRECISIONS = ("fp32", "bf16")
FEEDS = ("resident", "mapped")
WARM_UP = 5
FILES = 2048
WORKERS = 12
QUALITY = 90
CLASSES = 2

Batches = Iterable[tuple[torch.Tensor, torch.Tensor]]


def synthetic(images: int, size: int, folder: Path) -> PackedImages:
    """Write shards of random pixels and map them, as packed images are."""
    random = np.random.default_rng(0)
    shards = []
    for start in range(0, images, SHARD_IMAGES):
        count = min(SHARD_IMAGES, images - start)
        path = folder / f"{start}.npy"
        np.save(path, random.integers(0, 256, (count, 3, size, size), np.uint8))
        shards.append(np.load(path, mmap_mode="r"))
    names = [f"{number:064x}" for number in range(images)]
    return PackedImages(shards, torch.arange(images) % CLASSES, names, names)


def photo_files(size: int, folder: Path) -> None:
    """Write JPEG files of two classes; waves, for noise would make them larger than photos."""
    random = np.random.default_rng(0)
    place = np.arange(size)
    for number in range(FILES):
        home = folder / str(number % CLASSES)
        home.mkdir(exist_ok=True)
        across, down = random.uniform(0.01, 0.3, (2, 3))
        waves = np.sin(place[:, None, None] * down) + np.sin(place[None, :, None] * across)
        pixels = (127 + 60 * waves).astype(np.uint8)
        Image.fromarray(pixels).save(home / f"{number}.jpg", quality=QUALITY)


def our_step(config: TrainConfig, device: torch.device) -> Callable[..., None]:
    """Return a function that makes one update from uint8 pixels and targets."""
    objective = Objective(build_network(config), config).to(device)
    optimizer = make_optimizer(config, objective.parameters())

    def step(pixels: torch.Tensor, targets: torch.Tensor) -> None:
        optimizer.zero_grad()
        loss, _ = objective(pixels, targets)
        (loss / len(targets)).backward()
        optimizer.step()

    return step


def our_batches(images: PackedImages, config: TrainConfig, device: torch.device) -> Batches:
    """Yield augmented batches in a shuffled order, for ever."""
    feed = Feed(images, device, config.feed)
    order = np.random.default_rng(0).permutation(len(images.sha256))
    augment = Augmentation(config, len(order), 0, 0)
    for _ in itertools.count():
        rows = [order[part] for part in chunks(len(order), config.batch_size)]
        for (pixels, targets), part in zip(feed.batches(rows), rows, strict=True):
            yield augment(pixels, part), targets


def timm_step(config: TrainConfig, device: torch.device) -> Callable[..., None]:
    """Return timm's network with one update of AdamW, as its examples make it."""
    network = timm.create_model(config.backbone, num_classes=CLASSES).to(device).train()
    optimizer = torch.optim.AdamW(network.parameters(), config.lr)
    loss_of = torch.nn.CrossEntropyLoss()

    def step(pixels: torch.Tensor, targets: torch.Tensor) -> None:
        optimizer.zero_grad()
        with autocast(device, config.precision):
            loss = loss_of(network(pixels.to(device)), targets.to(device))
        loss.backward()
        optimizer.step()

    return step


def folder_batches(root: Path, config: TrainConfig, workers: int) -> Batches:
    """Yield torchvision's batches, for ever."""
    steps = [
        v2.RandomHorizontalFlip(),
        v2.RandAugment(config.augment_ops, round(config.augment_magnitude)),
        v2.ToImage(),
        v2.ToDtype(torch.float32, scale=True),
    ]
    data = ImageFolder(str(root), transform=v2.Compose(steps))
    loader = DataLoader(
        data, config.batch_size, shuffle=True, num_workers=workers, drop_last=True, pin_memory=True
    )
    return itertools.chain.from_iterable(loader for _ in itertools.count())


def measure(name: str, step: Callable[..., None], batches: Batches, steps: int) -> float:
    """Print and return the images/s of some steps, after a warm-up."""
    source = iter(batches)
    for _ in range(WARM_UP):
        step(*next(source))
    seen = [next(source)]
    step(*seen[0])

    def work() -> None:
        for _ in range(steps):
            step(*next(source))

    return rate(work, steps * len(seen[0][1]), name)


def main() -> None:
    """Measure every combination in one run."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--images", type=int, default=61_074)
    parser.add_argument("--size", type=int, default=256)
    parser.add_argument("--batch-size", type=int, default=64)
    parser.add_argument("--steps", type=int, default=200)
    parser.add_argument("--workers", type=int, default=WORKERS)
    parser.add_argument("--device", default="cuda")
    arguments = parser.parse_args()
    device = torch.device(arguments.device)
    base = TrainConfig(
        image_size=arguments.size, batch_size=arguments.batch_size, from_scratch=True
    )
    with tempfile.TemporaryDirectory() as packed, tempfile.TemporaryDirectory() as files:
        images = synthetic(arguments.images, arguments.size, Path(packed))
        photo_files(arguments.size, Path(files))
        for precision in PRECISIONS[: 2 if device.type == "cuda" else 1]:
            config = base.model_copy(update={"precision": precision, "grams": 0})
            theirs = measure(
                f"timm + ImageFolder, {precision}",
                timm_step(config, device),
                folder_batches(Path(files), config, arguments.workers),
                arguments.steps,
            )
            for feed, grams in itertools.product(FEEDS, GRAMS):
                mine = config.model_copy(update={"grams": grams, "feed": feed})
                ours = measure(
                    f"curate, {feed}, k = {grams}, {precision}",
                    our_step(mine, device),
                    our_batches(images, mine, device),
                    arguments.steps,
                )
                minutes = arguments.images / ours / 60
                print(f"    ratio {ours / theirs:.2f}, an epoch in {minutes:.1f} min")


if __name__ == "__main__":
    main()
