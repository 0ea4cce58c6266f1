"""Train one network for a number of epochs; a resumed training is equal to the last bit.

All random draws come from (seed, epoch, update, batch), never from a generator that keeps running.
Interrupted work is repeated with the same draws.
"""

import logging
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from webemo_curate.config import TrainConfig
from webemo_curate.dataset.labeled_images import LabeledImages, epoch_updates
from webemo_curate.dataset.prefetch import Batches, Feed
from webemo_curate.errors import CurateError, InputError
from webemo_curate.evaluation.inference import predict_logits, probabilities, validation_figures
from webemo_curate.evaluation.predictions import check_numbers
from webemo_curate.models.devices import cpu_threads
from webemo_curate.models.pretrained import load_backbone
from webemo_curate.models.registry import Network, build_network, set_training
from webemo_curate.progress import ProgressBar
from webemo_curate.runs import (
    BEST_FILE,
    LAST_FILE,
    LOG_FILE,
    STATE_FILE,
    LogEntry,
    save_log,
)
from webemo_curate.training.augment.augmentation import Augmentation
from webemo_curate.training.averaging import Averaging
from webemo_curate.training.distributed import ProcessGroup
from webemo_curate.training.epoch_lines import accuracy_of, epoch_line, training_bar
from webemo_curate.training.loss import Objective
from webemo_curate.training.optimizers import learning_rate, make_optimizer
from webemo_curate.training.state import Progress, load_state, save_state, save_weights
from webemo_curate.training.tensorboard_events import epoch_events
from webemo_curate.training.updates import Updates
from webemo_curate.verdicts import BINARY

logger = logging.getLogger(__name__)

SEED_MODULUS = 2**63
FIRST_WEIGHTS = 2**32 - 1
"""Takes the epoch's place in the seed of the first weights, which belong to no epoch."""

CHECK_UPDATES = 20
"""Updates between two reads of the loss, because each read makes the CPU wait for the device."""


class Trainer:
    """Trains one network into one folder.

    Parameters
    ----------
    config : TrainConfig
        The network's and the training's settings.
    seed : int
        Determines first weights, order, augmentation and dropout.
    device : torch.device
        The device that this process computes on.
    folder : Path
        The run's folder.
    processes : ProcessGroup
        The processes that train together.
    publish : Callable, optional
        Called after the folder's files have been written; see `Workspace.publish`.
    classes : int, default 2
        Number of classes.
    """

    def __init__(
        self,
        config: TrainConfig,
        seed: int,
        device: torch.device,
        folder: Path,
        processes: ProcessGroup | None = None,
        publish: Callable[..., None] = lambda *_: None,
        classes: int = BINARY,
    ) -> None:
        self.config, self.seed, self.device, self.folder = config, seed, device, folder
        self.processes, self._publish = processes or ProcessGroup(), publish
        self._share = self.processes.share(config.accumulate)
        self._reseed(FIRST_WEIGHTS)
        network = build_network(config, classes)
        load_backbone(network, config)
        self.objective = Objective(network, config).to(device)
        self.optimizer = make_optimizer(config, self.objective.parameters())
        self.averaging = Averaging(network, config.ema_decay) if config.ema_decay else None
        self._updates = Updates(
            config, self.objective, self.optimizer, self.averaging, self.processes
        )
        self.best: dict[str, Tensor] = {}
        self.progress = Progress()
        self._saved = time.monotonic()

    @property
    def network(self) -> Network:
        """The network to measure and export: the averaged one if weights are averaged."""
        chosen: Any = self.averaging.model.module if self.averaging else self.objective.network
        return chosen

    def fit(self, train: LabeledImages, validation: LabeledImages) -> list[LogEntry]:
        """Train to the last epoch, resuming from the state in the folder.

        The state stays there: what follows the last epoch may end too, and then goes on from it.

        Parameters
        ----------
        train, validation : LabeledImages
            The images.

        Returns
        -------
        list of dict of str to float
            One log entry for each epoch.

        Raises
        ------
        CurateError
            If the loss is not a number, or the device has too little memory.
        """
        if len(train.targets) < 2 * self.config.accumulate:
            raise InputError(
                f"{len(train.targets)} training images are too few for {self.config.accumulate} "
                "batches an update; fetch more, or lower 'accumulate' in the train section"
            )
        state, leads = self.folder / STATE_FILE, self.processes.leads
        if self.config.resume:
            self.best, self.progress = load_state(state, self._modules(), self.optimizer)
        feeds = (self._feed(train), self._feed(validation))
        # Another number of threads would round differently: a resumed run uses the first one's.
        with (
            cpu_threads(self.progress.threads, self.processes.size) as self.progress.threads,
            self._events() as write_events,
            training_bar(self.config, self.seed, len(train.targets), self.progress, leads) as bar,
        ):
            set_training(self.objective.network, self.config)
            with self._in_memory():
                self._updates.prepare(len(train.targets))
            while self.progress.epochs < self.config.epochs:
                self._epoch(*feeds, bar)
                # Before the state is saved: a run killed in between writes this epoch's events
                # again.
                write_events(self.progress.history[-1])
                self._save()
        if leads:
            save_weights(self.folder / LAST_FILE, self.network.state_dict(), {})
            save_weights(self.folder / BEST_FILE, self.best, {})
            self._publish(self.folder)
        return self.progress.history

    def _feed(self, images: LabeledImages) -> Feed:
        return Feed(images, self.device, self.config.feed)

    def _epoch(self, train: Feed, validation: Feed, bar: ProgressBar) -> None:
        started, seen_before = time.monotonic(), self.progress.seen
        bar.rename(f"epoch {self.progress.epochs + 1} of {self.config.epochs}")
        self._train_epoch(train, bar)
        seconds = time.monotonic() - started
        for module in self._modules().values():
            self.processes.average_buffers(module)
        done = self.progress
        entry: LogEntry = {
            "epoch": done.epochs + 1,
            "loss": done.loss / done.seen,
            "accuracy": done.right / done.seen,
            "images_per_second": (done.seen - seen_before) / seconds,
        }
        entry |= self._validate(validation)
        if accuracy_of(entry) >= max(map(accuracy_of, done.history), default=0.0):
            self.best = {k: v.detach().clone() for k, v in self.network.state_dict().items()}
        done.end_epoch(entry)
        if self.processes.leads:
            logger.info("%s", epoch_line(done.history, self.config.epochs))

    def _events(self) -> AbstractContextManager[Callable[[LogEntry], None]]:
        if self.config.tensorboard and self.processes.leads:
            return epoch_events(self.folder, self.progress.epochs)
        return nullcontext(lambda _: None)

    def _validate(self, validation: Feed) -> LogEntry:
        probability = probabilities(predict_logits(self.network, validation, self.config))
        check_numbers(probability, validation.images.sha256, self.folder.name)
        return validation_figures(validation.images.targets.numpy(), probability)

    def _train_epoch(self, train: Feed, bar: ProgressBar) -> None:
        """Make the remaining updates of the current epoch."""
        config, epoch = self.config, self.progress.epochs
        count = len(train.images.targets)
        updates = epoch_updates(count, config.batch_size, config.accumulate, self.seed, epoch)
        augmentation = Augmentation(config, count, self.seed, epoch)
        done = self.progress.updates
        mine = [rows for batches in updates[done:] for rows in batches[self._share]]
        pixels = train.batches(mine, augmentation)
        set_training(self.objective.network, config)
        for number, batches in enumerate(updates[done:], start=done):
            with self._in_memory():
                self._update(batches, number, pixels, number / len(updates))
            images = sum(len(rows) for rows in batches)
            self.progress.advance(images)
            if number % CHECK_UPDATES == 0 or number + 1 == len(updates):
                self._settle()
                self._save_if_due(number + 1 < len(updates))
            bar.update(images)

    def _update(
        self, batches: list[NDArray[np.int64]], number: int, pixels: Batches, share: float
    ) -> None:
        """Move the weights once; `share` of the epoch is finished."""
        epoch = self.progress.epochs
        self._updates.begin(sum(len(rows) for rows in batches))
        for position in range(len(batches))[self._share]:
            batch = next(pixels)
            self._reseed(epoch, number, position)
            self._updates.add(*batch)
        self._updates.end(learning_rate(self.config, epoch, share))

    def _settle(self) -> None:
        """Add the summed loss and counts to the progress; raise if the loss is not a number."""
        sums = self._updates.sums
        loss, right = self.processes.total(sums).tolist()
        sums.zero_()
        if not np.isfinite(loss):
            raise CurateError(
                f"the loss is {loss} in epoch {self.progress.epochs + 1}; train with a lower --lr "
                f"than {self.config.lr} (the last good state is kept)"
            )
        self.progress.loss += loss
        self.progress.right += int(right)

    def _save_if_due(self, within_epoch: bool) -> None:
        """Save an unfinished epoch, unless processes hold different running statistics."""
        due = time.monotonic() - self._saved >= self.config.checkpoint_minutes * 60
        if within_epoch and due and self.processes.size == 1:
            self._save()

    def _save(self) -> None:
        if self.processes.leads:
            path = self.folder / STATE_FILE
            save_state(path, self._modules(), self.optimizer, self.best, self.progress)
            save_log(self.folder, self.progress.history)
            self._publish(path, self.folder / LOG_FILE)
        self._saved = time.monotonic()

    def _modules(self) -> dict[str, nn.Module]:
        averaged = {"averaged": self.averaging.model} if self.averaging else {}
        return {"objective": self.objective, **averaged}

    @contextmanager
    def _in_memory(self) -> Iterator[None]:
        """Turn a lack of device memory into an error with a remedy."""
        try:
            yield
        except torch.OutOfMemoryError as error:
            size = self.config.batch_size
            raise CurateError(
                f"the device has too little memory for --batch-size {size}; try --batch-size "
                f"{max(2, size // 2)} with 'accumulate' {self.config.accumulate * 2} in the train "
                "section, which keeps the images an update"
            ) from error

    def _reseed(self, *place: int) -> None:
        """Reset torch's own random draws (first weights, dropout) for one point of the training."""
        state = np.random.SeedSequence([self.seed, *place]).generate_state(1, np.uint64)
        torch.manual_seed(int(state[0]) % SEED_MODULUS)
