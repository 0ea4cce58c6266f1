"""Training one network: epochs of accumulated Adagrad updates, resumable to the bit."""

import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from webemo_curate.config import TrainConfig
from webemo_curate.errors import CurateError
from webemo_curate.progress import progress_bar
from webemo_curate.training.adagrad import KerasAdagrad
from webemo_curate.training.augment import rand_augment
from webemo_curate.training.checkpoint import State, load_state, save_state, save_weights
from webemo_curate.training.data import PackedImages, epoch_batches, normalise
from webemo_curate.training.devices import cpu_threads
from webemo_curate.training.model import GramEfficientNet, HeadOptions
from webemo_curate.training.run import BEST_FILE, LAST_FILE, STATE_FILE, save_log
from webemo_curate.training.weights import load_backbone

SEED_MODULUS = 2**63


@dataclass(frozen=True)
class Trainer:
    """Everything one run needs.

    Attributes
    ----------
    config
        The training's configuration.
    seed
        Decides first weights, order, augmentation and dropout.
    device
        Where it computes.
    folder
        The run's folder.
    """

    config: TrainConfig
    seed: int
    device: torch.device
    folder: Path

    def fit(self, train: PackedImages, validation: PackedImages) -> list[dict[str, float]]:
        """Train to the last epoch, going on from the folder's state.

        Parameters
        ----------
        train, validation : PackedImages
            The images.

        Returns
        -------
        list of dict of str to float
            One log entry an epoch.

        Raises
        ------
        CurateError
            If the loss is not a number, or the device has too little memory.
        """
        self._seed(epoch=-1)
        model = build_model(self.config)
        load_backbone(model, self.config)
        model.to(self.device)
        optimizer = KerasAdagrad(
            model.parameters(), self.config.lr, self.config.initial_accumulator, self.config.epsilon
        )
        state = load_state(self.folder, model, optimizer) if self.config.resume else State()
        with cpu_threads(state.threads) as state.threads:
            while state.epochs < self.config.epochs:
                state.history.append(self._epoch(model, optimizer, train, validation, state.epochs))
                if state.history[-1]["val_accuracy"] >= _best(state.history):
                    state.best = {k: v.detach().clone() for k, v in model.state_dict().items()}
                save_state(self.folder, model, optimizer, state)
                save_log(self.folder, state.history)
        save_weights(self.folder / LAST_FILE, model.state_dict(), {})
        save_weights(self.folder / BEST_FILE, state.best, {})
        (self.folder / STATE_FILE).unlink()
        return state.history

    def _epoch(
        self,
        model: GramEfficientNet,
        optimizer: KerasAdagrad,
        train: PackedImages,
        validation: PackedImages,
        epoch: int,
    ) -> dict[str, float]:
        started = time.monotonic()
        self._seed(epoch)
        loss, accuracy = self._train_epoch(model, optimizer, train, epoch)
        seconds = time.monotonic() - started
        probability = predict_packed(model, validation, self.config.batch_size, self.device)
        target = validation.targets.numpy()
        return {
            "epoch": epoch + 1,
            "loss": loss,
            "accuracy": accuracy,
            "val_loss": log_loss(target, probability),
            "val_accuracy": float(np.mean((probability >= 0.5) == target)),
            "images_per_second": len(train.targets) / seconds,
        }

    def _train_epoch(
        self, model: GramEfficientNet, optimizer: KerasAdagrad, train: PackedImages, epoch: int
    ) -> tuple[float, float]:
        """Return mean loss and accuracy over the epoch's images, as they were augmented."""
        model.train()
        generator = torch.Generator().manual_seed(self._number(epoch))
        batches = list(epoch_batches(len(train.targets), self.config.batch_size, self.seed, epoch))
        total_loss = right = seen = 0.0
        with progress_bar(len(train.targets), f"epoch {epoch + 1}", "image") as bar:
            for start in range(0, len(batches), self.config.accumulate):
                group = batches[start : start + self.config.accumulate]
                images = sum(len(rows) for rows in group)
                optimizer.zero_grad()
                for rows in group:
                    loss, hits = self._backward(model, train, rows, images, generator)
                    total_loss, right, seen = total_loss + loss, right + hits, seen + len(rows)
                    bar.update(len(rows))
                optimizer.step()
        return total_loss / seen, right / seen

    def _backward(
        self,
        model: GramEfficientNet,
        train: PackedImages,
        rows: NDArray[np.int64],
        images: int,
        generator: torch.Generator,
    ) -> tuple[float, int]:
        """Add one batch's share of the gradient; returns its summed loss and right answers."""
        try:
            pixels = self._augmented(train.batch(rows, self.device), generator)
            target = train.targets[torch.from_numpy(rows)].to(self.device)
            logits = model(normalise(pixels))
            loss = functional.cross_entropy(logits, target, reduction="sum")
            (loss / images).backward()  # type: ignore[no-untyped-call]
        except torch.OutOfMemoryError as error:
            raise CurateError(
                f"the device has too little memory for --batch-size {self.config.batch_size}; "
                f"try --batch-size {max(1, self.config.batch_size // 2)}"
            ) from error
        if not torch.isfinite(loss):
            raise CurateError(
                f"the loss is {loss.item()} in this epoch; train with a lower --lr than "
                f"{self.config.lr} (the last good epoch is kept)"
            )
        return float(loss.item()), int((logits.argmax(dim=1) == target).sum().item())

    def _augmented(self, pixels: Tensor, generator: torch.Generator) -> Tensor:
        if not self.config.augment:
            return pixels
        return rand_augment(
            pixels, self.config.augment_ops, self.config.augment_magnitude, generator
        )

    def _number(self, epoch: int) -> int:
        state = np.random.SeedSequence([self.seed, epoch + 1]).generate_state(1, np.uint64)
        return int(state[0]) % SEED_MODULUS

    def _seed(self, epoch: int) -> None:
        """Reset torch's own draws (first weights, dropout) so that an epoch can be redone alone."""
        torch.manual_seed(self._number(epoch))


def build_model(config: TrainConfig) -> GramEfficientNet:
    """Make the network a configuration describes, with random weights."""
    options = HeadOptions(
        config.dropout, config.negative_slope, config.normalise_gram, config.bn_momentum
    )
    return GramEfficientNet(config.backbone, config.grams, config.drop_path, options)


@torch.inference_mode()
def predict_packed(
    model: GramEfficientNet, images: PackedImages, batch_size: int, device: torch.device
) -> NDArray[np.float64]:
    """Return the probability of sadness for each image.

    Parameters
    ----------
    model : GramEfficientNet
        Put into evaluation mode.
    images : PackedImages
        What is classified.
    batch_size : int
        Images at a time.
    device : torch.device
        Where the model is.

    Returns
    -------
    ndarray of float64, shape (images,)
        Softmax of the second logit.
    """
    model.eval()
    count = len(images.sha256)
    parts = [
        model(normalise(images.batch(np.arange(start, min(start + batch_size, count)), device)))
        .double()
        .softmax(dim=1)[:, 1]
        .cpu()
        .numpy()
        for start in range(0, count, batch_size)
    ]
    return np.concatenate(parts) if parts else np.empty(0)


def log_loss(target: NDArray[np.int64], probability: NDArray[np.float64]) -> float:
    """Return the mean cross-entropy; probabilities are kept a float's epsilon from 0 and 1."""
    epsilon = np.finfo(np.float64).eps
    clipped = np.clip(probability, epsilon, 1 - epsilon)
    return float(-np.mean(np.log(np.where(target == 1, clipped, 1 - clipped))))


def _best(history: list[dict[str, float]]) -> float:
    return max(entry["val_accuracy"] for entry in history)
