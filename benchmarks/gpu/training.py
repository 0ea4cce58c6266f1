"""Measure training on a GPU, with and without CUDA graphs, beside timm's plain loop.

    python -m benchmarks.gpu.training [--images 8192] [--size 256] [--limit 240] [--parts WORD ...]

Each part trains EfficientNetV2-B2 for two epochs through the trainer itself, augmentation included,
and prints the second epoch's images/s, what it makes of the paper's training (25 epochs over 48,858
images, validation left out), the GPU's mean utilization in that epoch and the largest memory. fp32
is as configured by default, with deterministic kernels; bf16 as by `--preset paper-fast`. The
rival is a loop of timm's network and AdamW over torchvision's ImageFolder, DataLoader and
RandAugment, on JPEG files of the same size.

Parts come in the order of worth and are left out when `--limit` seconds would be passed; `--parts`
keeps those whose names hold one of the words. Pixels are random. `--device cpu` with small numbers
(`--images 8 --size 32 --batch-size 2 --workers 0`) tries the script.
"""

import argparse
import gc
import logging
import tempfile
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from statistics import mean
from typing import Any

import numpy as np
import torch

from benchmarks.gpu.asked_device import asked_device
from benchmarks.gpu.timm_loop import CLASSES, rival
from benchmarks.gpu.watch import Watch
from webemo_curate.config import TrainConfig
from webemo_curate.dataset.labeled_images import PackedImages
from webemo_curate.dataset.packing import SHARD_IMAGES
from webemo_curate.models.devices import make_reproducible
from webemo_curate.training.augment.augmentation import Augmentation
from webemo_curate.training.trainer import Trainer

PAPER_IMAGES, PAPER_EPOCHS = 48_858, 25
EPOCHS = 2
BATCH = 64
EAGER_SHARE = 4
"""Eager parts train on one image in so many: they are slow."""
WORKERS = 12
AUGMENTED = (64, 512, 1024)
MEBIBYTE = 2**20

FP32 = {"precision": "fp32", "deterministic": True}
BF16 = {"precision": "bf16", "deterministic": False}
EAGER = {"graphs": False}
COMPILED = {"compile": True}


@dataclass(frozen=True)
class Part:
    """A training that is measured.

    Attributes
    ----------
    name
        What is printed.
    changes
        To the base configuration.
    seconds
        It is expected to take.
    share
        One image in so many is trained on.
    """

    name: str
    changes: dict[str, Any] = field(default_factory=dict)
    seconds: int = 14
    share: int = 1


OURS = (
    Part("graphs, fp32, k = 4", FP32 | {"grams": 4}),
    Part("graphs, bf16, k = 4", BF16 | {"grams": 4}),
)
MORE = (
    Part("graphs, fp32, k = 0", FP32 | {"grams": 0}),
    Part("graphs, fp32, k = 4, mapped", FP32 | {"grams": 4, "feed": "mapped"}),
    Part("eager, fp32, k = 4", FP32 | EAGER | {"grams": 4}, share=EAGER_SHARE),
    Part("graphs, bf16, k = 4, batch 256", BF16 | {"grams": 4, "batch_size": 256}),
    Part("graphs, bf16, k = 4, batch 128", BF16 | {"grams": 4, "batch_size": 128}),
    Part("graphs, bf16, k = 0", BF16 | {"grams": 0}),
    Part("graphs, bf16, k = 4, mapped", BF16 | {"grams": 4, "feed": "mapped"}),
    Part("eager, bf16, k = 4", BF16 | EAGER | {"grams": 4}, share=EAGER_SHARE),
    Part("compiled, bf16, k = 4", BF16 | COMPILED | {"grams": 4}, seconds=90),
    Part("graphs, fp32, k = 4, fastest kernels", FP32 | {"grams": 4, "deterministic": False}),
    Part("compiled, fp32, k = 4", FP32 | COMPILED | {"grams": 4}, seconds=90),
)


def synthetic(images: int, size: int, folder: Path) -> PackedImages:
    """Write shards of random pixels and map them, as packed images are."""
    random = np.random.default_rng(0)
    shards = []
    for start in range(0, images, SHARD_IMAGES):
        count = min(SHARD_IMAGES, images - start)
        path = folder / f"{start}.npy"
        pixels = np.frombuffer(random.bytes(count * 3 * size * size), np.uint8)
        np.save(path, pixels.reshape(count, 3, size, size))
        shards.append(np.load(path, mmap_mode="r"))
    return labeled(shards)


def labeled(shards: list[np.ndarray]) -> PackedImages:
    """Give the images of shards targets and names."""
    images = sum(map(len, shards))
    names = [f"{number:064x}" for number in range(images)]
    return PackedImages(shards, torch.arange(images) % CLASSES, names, names)


def first(images: PackedImages, count: int) -> PackedImages:
    """Return the first images of a set, all shards but the last whole."""
    shards, left = [], count
    while left > 0:
        shards.append(images.shards[len(shards)][:left])
        left -= len(shards[-1])
    return labeled(shards)


class LastEpoch:
    """Watches the GPU from the end of the last epoch but one on; a trainer's `publish`."""

    def __init__(self) -> None:
        self._watch = Watch() if torch.cuda.is_available() else None
        self._saved = 0

    def __call__(self, *_: object) -> None:
        """Take note that an epoch's state has been written."""
        self._saved += 1
        if self._watch and self._saved == EPOCHS - 1:
            self._watch.__enter__()
        if self._watch and self._saved == EPOCHS:
            self._watch.__exit__()

    def __str__(self) -> str:
        if not self._watch or not self._watch.samples:
            return "GPU not sampled"
        busy = mean(sample[0] for sample in self._watch.samples)
        return f"GPU {busy:.0f} % busy ({len(self._watch.samples)} samples)"


def train_part(part: Part, base: TrainConfig, images: PackedImages, device: torch.device) -> float:
    """Train; print and return the images/s of the last epoch."""
    config = base.model_copy(update=part.changes)
    make_reproducible(device, deterministic=config.deterministic)
    used, nothing = first(images, len(images.sha256) // part.share), labeled([])
    if device.type == "cuda":
        torch.cuda.reset_peak_memory_stats()
    started, watch = time.monotonic(), LastEpoch()
    with tempfile.TemporaryDirectory() as folder:
        trainer = Trainer(config, 0, device, Path(folder), publish=watch)
        found = float(trainer.fit(used, nothing)[-1]["images_per_second"] or 0)
    minutes = PAPER_IMAGES * PAPER_EPOCHS / found / 60
    held = torch.cuda.max_memory_reserved() // MEBIBYTE if device.type == "cuda" else 0
    print(
        f"{part.name:<38} {found:8.1f} images/s  the paper's 25 epochs {minutes:5.1f} min  "
        f"{watch}, {held} MiB  [{time.monotonic() - started:.0f} s]",
        flush=True,
    )
    return found


def augmentation_alone(base: TrainConfig, images: PackedImages, device: torch.device) -> None:
    """Print how long RandAugment takes for so many images at once."""
    for count in AUGMENTED:
        rows = np.arange(min(count, len(images.sha256)))
        pixels = images.take(rows).to(device)
        augment = Augmentation(base, len(images.sha256), 0, 0)
        for turn in range(3):
            started = time.perf_counter()
            augment(pixels, rows)
            if device.type == "cuda":
                torch.cuda.synchronize()
            seconds = time.perf_counter() - started
            if turn == 2:
                print(
                    f"augmentation alone, {len(rows)} images: {1000 * seconds:.1f} ms", flush=True
                )


def parse() -> argparse.Namespace:
    """Return the command's arguments."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--images", type=int, default=8192)
    parser.add_argument("--size", type=int, default=256)
    parser.add_argument("--batch-size", type=int, default=BATCH)
    parser.add_argument("--backbone", default="tf_efficientnetv2_b2")
    parser.add_argument("--workers", type=int, default=WORKERS)
    parser.add_argument("--limit", type=float, default=240)
    parser.add_argument("--parts", nargs="*", default=[""])
    parser.add_argument("--device", choices=["cuda", "cpu"], default="cuda")
    return parser.parse_args()


def main() -> None:
    """Measure every part; one that fails is told of, and the next follows."""
    arguments, started = parse(), time.monotonic()
    logging.basicConfig(level=logging.WARNING)
    device = asked_device(arguments.device)
    if device.type == "cuda":
        print(f"{torch.cuda.get_device_name()}, torch {torch.__version__}", flush=True)
    base = TrainConfig(
        image_size=arguments.size,
        batch_size=arguments.batch_size,
        backbone=arguments.backbone,
        epochs=EPOCHS,
        from_scratch=True,
        feed="resident",
    )
    with tempfile.TemporaryDirectory() as packed:
        images = synthetic(arguments.images, arguments.size, Path(packed))
        print(f"{len(images.sha256)} images, {time.monotonic() - started:.0f} s", flush=True)

        def ours(parts: tuple[Part, ...]) -> list[tuple[str, int, Callable[[], object]]]:
            return [
                (p.name, p.seconds, partial(train_part, p, base, images, device)) for p in parts
            ]

        works = [
            *ours(OURS),
            ("timm, fp32", 16, partial(rival, base, FP32, arguments.workers, device)),
            ("augmentation alone", 2, partial(augmentation_alone, base, images, device)),
            *ours(MORE[:1]),
            ("timm, bf16", 16, partial(rival, base, BF16, arguments.workers, device)),
            *ours(MORE[1:]),
        ]
        for name, seconds, work in works:
            if not any(word in name for word in arguments.parts):
                continue
            if time.monotonic() - started + seconds > arguments.limit:
                print(f"{name}: left out, for want of time", flush=True)
                continue
            try:
                work()
            except Exception:
                print(f"{name}: failed\n{traceback.format_exc()}", flush=True)
            gc.collect()
            if device.type == "cuda":
                torch.cuda.empty_cache()


if __name__ == "__main__":
    main()
