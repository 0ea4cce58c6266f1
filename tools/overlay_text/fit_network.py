"""Fit the network that finds words drawn over photos.

    python -m tools.overlay_text.fit_network OUTPUT.onnx --fonts FOLDER [--without NAME ...]
        [--photographs FOLDER] [--steps N] [--batch-size N] [--samples N] [--backgrounds N]
        [--scratch FOLDER] [--device DEVICE]

Makes pictures, draws words over them and fits `WordsNetwork` to tell where. --fonts is searched at
any depth; --without leaves out the files with NAME in theirs. Photographs must be free of text;
the sample pictures of scikit-image and scikit-learn are used beside them.
"""

import argparse
import logging
import math
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional
from tqdm import tqdm

from tools.overlay_text.sample_files import Dataset, Material, make_dataset
from tools.overlay_text.samples import EITHER, WORDS
from tools.overlay_text.typefaces import find_typefaces
from tools.overlay_text.words_network import WordsNetwork, save
from webemo_curate.ocr.overlay.overlay_network import OVERLAY_TEXT

logger = logging.getLogger(__name__)

PHOTOGRAPHS = {
    "skimage": (
        "data/astronaut.png",
        "data/brick.png",
        "data/camera.png",
        "data/chelsea.png",
        "data/coffee.png",
        "data/coins.png",
        "data/grass.png",
        "data/gravel.png",
        "data/horse.png",
        "data/moon.png",
        "data/motorcycle_left.png",
        "data/motorcycle_right.png",
        "data/rocket.jpg",
    ),
    "sklearn": ("datasets/images/china.jpg", "datasets/images/flower.jpg"),
}
"""Packages that contain sample pictures, with the folder in each."""

REPORT_EVERY = 100
"""Steps."""


@dataclass(frozen=True)
class FitSettings:
    """The settings of the fit.

    Attributes
    ----------
    backgrounds, samples
        Number of pictures made without words, and of samples with words made from them.
    steps, batch_size
        Number of updates, and of samples in each.
    rate, decay
        AdamW's highest learning rate, and its weight decay.
    warm_up
        Share of the steps in which the rate rises; afterwards it falls as a cosine.
    negatives, min_negatives
        Of the pixels without words, those with the largest loss count: this many for each pixel of
        words, but at least the second number (online hard example mining; Shrivastava et al. 2016).
    max_gradient
        Norm to which gradients are clipped.
    seed
        Seed of pictures, weights and order.
    """

    backgrounds: int = 8000
    samples: int = 100_000
    steps: int = 10_400
    batch_size: int = 64
    rate: float = 4e-3
    decay: float = 0.02
    warm_up: float = 0.05
    negatives: int = 3
    min_negatives: int = 2000
    max_gradient: float = 5.0
    seed: int = 0


def fit(dataset: Dataset, settings: FitSettings, device: str = "cpu") -> WordsNetwork:
    """Fit a network.

    Parameters
    ----------
    dataset : Dataset
        Made-up pictures.
    settings : FitSettings
        The settings.
    device : str, default "cpu"
        Device to compute on, as torch names it.

    Returns
    -------
    WordsNetwork
        In training mode.
    """
    torch.manual_seed(settings.seed)
    network = WordsNetwork().to(device).to(memory_format=torch.channels_last)
    optimizer = torch.optim.AdamW(network.parameters(), settings.rate, weight_decay=settings.decay)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: _share(step, settings))
    losses = []
    batches = _batches(dataset, settings, device)
    for pictures, targets in tqdm(batches, "fitting", settings.steps):
        loss = words_loss(network(pictures)[:, 0], targets, settings)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(network.parameters(), settings.max_gradient)
        optimizer.step()
        schedule.step()
        losses.append(loss.detach())
        if len(losses) % REPORT_EVERY == 0:
            mean = torch.stack(losses[-REPORT_EVERY:]).mean().item()
            logger.info("step %d: loss %.3f", len(losses), mean)
    return network


def words_loss(logits: Tensor, targets: Tensor, settings: FitSettings) -> Tensor:
    """Return cross-entropy over words and over the hardest other pixels, and the Dice loss.

    Parameters
    ----------
    logits : Tensor
        float32, (batch, height, width).
    targets : Tensor
        uint8, the same shape; see `samples.Sample`.
    settings : FitSettings
        Determines how many other pixels count.

    Returns
    -------
    Tensor
        float32, a scalar: the sum of the three (Dice: Milletari et al. 2016, V-Net, section 3).
    """
    counts, words = targets != EITHER, (targets == WORDS).float()
    entropy = functional.binary_cross_entropy_with_logits(logits, words, reduction="none") * counts
    positives = int(words.sum())
    wanted = max(settings.negatives * positives, settings.min_negatives)
    others = (entropy * (1 - words)).flatten()
    hardest = others.topk(min(wanted, others.numel())).values.mean()
    scores = logits.sigmoid() * counts
    both, either = (scores * words).sum((1, 2)), scores.sum((1, 2)) + words.sum((1, 2))
    dice = 1 - (2 * both + 1) / (either + 1)
    return (entropy * words).sum() / (positives + 1) + hardest + dice.mean()


def _share(step: int, settings: FitSettings) -> float:
    """Return a step's share of the highest learning rate."""
    done = step / settings.steps
    if done < settings.warm_up:
        return (step + 1) / (settings.warm_up * settings.steps + 1)
    return (1 + math.cos(math.pi * (done - settings.warm_up) / (1 - settings.warm_up))) / 2


def _batches(
    dataset: Dataset, settings: FitSettings, device: str
) -> Iterator[tuple[Tensor, Tensor]]:
    """Yield normalized batches, every other one mirrored, in a new order in each epoch."""
    random = np.random.default_rng(settings.seed)
    mean, deviation = (
        torch.tensor(each, device=device) for each in (OVERLAY_TEXT.mean, OVERLAY_TEXT.deviation)
    )
    order = np.empty(0, np.int64)
    for step in range(settings.steps):
        if len(order) < settings.batch_size:
            order = random.permutation(len(dataset.pictures))
        chosen, order = np.sort(order[: settings.batch_size]), order[settings.batch_size :]
        colors = torch.from_numpy(dataset.pictures[chosen]).to(device) / 255
        pictures = ((colors - mean) / deviation).flip(3).permute(0, 3, 1, 2)
        targets = torch.from_numpy(dataset.targets[chosen]).to(device)
        if step % 2:
            pictures, targets = pictures.flip(3), targets.flip(2)
        yield pictures.contiguous(memory_format=torch.channels_last), targets


def sample_photographs() -> tuple[Path, ...]:
    """Return the paths of the sample pictures of scikit-image and scikit-learn, if installed."""
    found = []
    for package, names in PHOTOGRAPHS.items():
        spec = find_spec(package)
        if spec is not None and spec.origin is not None:
            found += [Path(spec.origin).parent / name for name in names]
    return tuple(path for path in found if path.is_file())


def main() -> None:
    """Fit as the command line says."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("output", type=Path)
    parser.add_argument("--fonts", type=Path, required=True)
    parser.add_argument("--without", nargs="*", default=[])
    parser.add_argument("--photographs", type=Path)
    parser.add_argument("--steps", type=int, default=FitSettings.steps)
    parser.add_argument("--batch-size", type=int, default=FitSettings.batch_size)
    parser.add_argument("--samples", type=int, default=FitSettings.samples)
    parser.add_argument("--backgrounds", type=int, default=FitSettings.backgrounds)
    parser.add_argument("--scratch", type=Path, help="folder for the made-up pictures, 22 GB")
    parser.add_argument("--device", default="cpu", help="cpu or cuda")
    arguments = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    settings = FitSettings(
        arguments.backgrounds, arguments.samples, arguments.steps, arguments.batch_size
    )
    typefaces = find_typefaces(arguments.fonts, arguments.without)
    if not typefaces.latin:
        parser.error(f"{arguments.fonts}: no font file with Latin letters is left there")
    logger.info("%d Latin and %d Chinese font files", *map(len, typefaces))
    folder = arguments.photographs
    photographs = sample_photographs() + (tuple(sorted(folder.iterdir())) if folder else ())
    with tempfile.TemporaryDirectory(dir=arguments.scratch) as scratch:
        dataset = make_dataset(
            Path(scratch),
            Material(typefaces, photographs),
            backgrounds=settings.backgrounds,
            samples=settings.samples,
            seed=settings.seed,
        )
        save(fit(dataset, settings, arguments.device), arguments.output)


if __name__ == "__main__":
    main()
