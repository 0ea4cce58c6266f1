"""Answers for images by networks that were not trained on them, fold by fold, resumable."""

import logging
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import torch
from numpy.typing import NDArray

from webemo_curate.config import TrainConfig
from webemo_curate.dataset.labeled_images import ChosenImages, LabeledImages
from webemo_curate.dataset.prefetch import Feed
from webemo_curate.evaluation.inference import (
    each_class,
    load_network,
    predict_logits,
    probabilities,
)
from webemo_curate.evaluation.predictions import check_numbers
from webemo_curate.models.registry import Network
from webemo_curate.runs import LAST_FILE
from webemo_curate.training.trainer import Trainer
from webemo_curate.workspace import CHECKPOINTS, Workspace

logger = logging.getLogger(__name__)

ANSWERS = pa.schema([("row", pa.int64()), ("probability", pa.list_(pa.float32()))])


@dataclass(frozen=True)
class FoldTraining:
    """The networks of all folds, and what is kept of an unfinished one.

    A fold that is done is a table among the stage's partial results; the one under way has a
    folder beside them, from whose state the same training goes on.

    Attributes
    ----------
    workspace
        Keeps partial results.
    stage, fingerprint
        Under which they are kept.
    config
        What is trained.
    device
        Where.
    classes
        What the networks tell apart.
    """

    workspace: Workspace
    stage: str
    fingerprint: str
    config: TrainConfig
    device: torch.device
    classes: int

    def answers(self, images: LabeledImages, fold: NDArray[np.int64]) -> NDArray[np.float32]:
        """Return each image's answer by the network that has not seen its fold.

        Parameters
        ----------
        images : LabeledImages
            All of them.
        fold : ndarray of int64, shape (images,)
            Their folds, from 0.

        Returns
        -------
        ndarray of float32, shape (images, classes)
            Probabilities.
        """
        done = self.workspace.checkpoints(self.stage, self.fingerprint)
        result = np.empty((len(fold), self.classes), np.float32)
        for number in np.unique(fold):
            name = f"fold-{number}"
            table = done.load(name)
            if table is None:
                table = self._answer(images, np.flatnonzero(fold == number), name)
                done.save(name, table)
                self.workspace.store.remove(self._key(name))
            rows, values = table["row"].to_numpy(), table["probability"].combine_chunks()
            result[rows] = values.flatten().to_numpy().reshape(-1, self.classes)
        return result

    def _key(self, name: str) -> str:
        return f"{CHECKPOINTS}/{self.stage}/{self.fingerprint}/{name}"

    def _answer(self, images: LabeledImages, held: NDArray[np.int64], name: str) -> pa.Table:
        others = np.setdiff1d(np.arange(len(images.sha256)), held)
        logger.info("%s: %d images train, %d are answered", name, len(others), len(held))
        network = self._network(ChosenImages(images, others), name)
        asked = ChosenImages(images, held)
        logits = predict_logits(network, Feed(asked, self.device, self.config.feed), self.config)
        answers = each_class(probabilities(logits))
        check_numbers(answers, asked.sha256, name)
        values = pa.array(answers.astype(np.float32).tolist(), ANSWERS.field("probability").type)
        return pa.table([pa.array(held), values], schema=ANSWERS)

    def _network(self, images: LabeledImages, name: str) -> Network:
        """Train a fold's network, or take the one that a run killed just after it has left."""
        folder = self.workspace.pull(self.workspace.root / self._key(name))
        if self.config.resume and (folder / LAST_FILE).exists():
            return load_network(folder / LAST_FILE, self.config, self.device, self.classes)
        folder.mkdir(parents=True, exist_ok=True)
        publish = self.workspace.publish
        trainer = Trainer(
            self.config, self.config.seed, self.device, folder, None, publish, self.classes
        )
        # Nothing is chosen by what the held-out images say: the last weights count.
        trainer.fit(images, ChosenImages(images, np.empty(0, np.int64)))
        return trainer.network
