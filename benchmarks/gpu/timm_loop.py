"""Time timm's loop: its network and AdamW over torchvision's folder, loader and RandAugment."""

import itertools
import tempfile
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import numpy as np
import timm
import torch
from PIL import Image
from torch.utils.data import DataLoader
from torchvision.datasets import ImageFolder
from torchvision.transforms import v2

from benchmarks.gpu.watch import rate
from webemo_curate.config import TrainConfig
from webemo_curate.models.devices import make_reproducible
from webemo_curate.models.precision import autocast

RIVAL_STEPS, RIVAL_WARM_UP = 50, 5
FILES = 2048
QUALITY = 90
CLASSES = 2


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


def folder_batches(
    root: Path, config: TrainConfig, workers: int
) -> Iterable[tuple[torch.Tensor, torch.Tensor]]:
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


def rival(base: TrainConfig, precision: dict[str, Any], workers: int, device: torch.device) -> None:
    """Measure timm's loop over files."""
    config = base.model_copy(update=precision)
    make_reproducible(device, deterministic=False)
    with tempfile.TemporaryDirectory() as files:
        photo_files(config.image_size, Path(files))
        step = timm_step(config, device)
        source = iter(folder_batches(Path(files), config, workers))
        for _ in range(RIVAL_WARM_UP):
            step(*next(source))

        def work() -> None:
            for _ in range(RIVAL_STEPS):
                step(*next(source))

        images = RIVAL_STEPS * config.batch_size
        rate(work, images, f"timm + ImageFolder, {config.precision}")
