"""An update in parts: what a GPU records of it is what is launched piece by piece."""

from collections.abc import Callable
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from tests.trainable import TINY
from tests.work import work_on
from webemo_curate.config import TrainConfig
from webemo_curate.dataset.labeled_images import PackedImages, chunks
from webemo_curate.dataset.prefetch import Feed
from webemo_curate.manifest import Origin
from webemo_curate.models.registry import build_network
from webemo_curate.training.adagrad import KerasAdagrad
from webemo_curate.training.augment.augmentation import Augmentation
from webemo_curate.training.averaging import Averaging
from webemo_curate.training.distributed import ProcessGroup
from webemo_curate.training.fit import train
from webemo_curate.training.loss import Objective
from webemo_curate.training.optimizers import make_optimizer
from webemo_curate.training.update import EagerUpdate
from webemo_curate.training.update_graph import GraphedUpdate
from webemo_curate.training.updates import Updates
from webemo_curate.workspace import Workspace

SMALL = TINY.model_copy(
    update={"batch_size": 4, "accumulate": 2, "ema_decay": 0.9, "center_loss": 0.01}
)
RATE = 0.01


class ReplayedUpdate(GraphedUpdate):
    """A recorded update where there is no GPU: its graphs are the parts themselves."""

    def _warm_up(self) -> None:
        with self._update.undone():
            self._update.clear(self._images)
            self._update.accumulate(self._pixels, self._targets)
            self._update.move()
            self._update.average()

    def _record(self, part: Callable[[], None]) -> torch.cuda.CUDAGraph:
        return SimpleNamespace(replay=part)  # type: ignore[return-value]


class Training:
    """An objective with its updates, always from the same first weights."""

    def __init__(self, config: TrainConfig) -> None:
        torch.manual_seed(0)
        self.objective = Objective(build_network(config), config).train()
        self.optimizer = make_optimizer(config, self.objective.parameters())
        self.averaging = Averaging(self.objective.network, config.ema_decay)
        parts = (self.objective, self.optimizer, self.averaging)
        self.updates = Updates(config, *parts, ProcessGroup())
        self.eager = EagerUpdate(*parts, config.accumulate)

    def state(self) -> list[torch.Tensor]:
        """Return copies of all that training goes on from."""
        entries = [v for state in self.optimizer.state.values() for v in state.values()]
        modules = (self.objective, self.averaging.model)
        tensors = [tensor for m in modules for tensor in m.state_dict().values()]
        return [value.clone() for value in (*tensors, *entries) if isinstance(value, torch.Tensor)]

    def run(self, sizes: list[int]) -> list[torch.Tensor]:
        """Make an update of two batches of each size; returns the state."""
        generator = torch.Generator().manual_seed(1)
        for number, size in enumerate(sizes):
            self.updates.begin(2 * size)
            for position in range(2):
                pixels = torch.randint(
                    0, 256, (size, 3, 32, 32), dtype=torch.uint8, generator=generator
                )
                torch.manual_seed(10 * number + position)
                self.updates.add(pixels, torch.arange(size) % 2)
            self.updates.end(RATE)
        return [*self.state(), self.updates.sums.clone()]


def equal(one: list[torch.Tensor], other: list[torch.Tensor]) -> bool:
    return len(one) == len(other) and all(map(torch.equal, one, other))


@pytest.mark.parametrize("optimizer", ["adagrad", "adamw", "sgd"])
def test_recorded_updates_train_as_plain_ones_and_recording_leaves_no_trace(
    optimizer: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = SMALL.model_copy(update={"optimizer": optimizer})
    sizes = [4, 4, 3]  # the last update is uneven
    plain = Training(config).run(sizes)
    recorded = Training(config)
    monkeypatch.setattr("torch.cuda.Stream", lambda _: None)
    pixels = torch.randint(0, 256, (4, 3, 32, 32), dtype=torch.uint8)
    recorded.updates._whole = ReplayedUpdate(
        recorded.updates._plain, pixels, torch.zeros(4, dtype=torch.int64), 8
    )
    assert equal(recorded.run(sizes), plain)


def test_a_recorded_update_refuses_another_number_of_images(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("torch.cuda.Stream", lambda _: None)
    pixels = torch.zeros((4, 3, 32, 32), dtype=torch.uint8)
    recorded = ReplayedUpdate(
        Training(SMALL).eager, pixels, torch.zeros(4, dtype=torch.int64), images=8
    )
    with pytest.raises(ValueError, match="6 images, recorded for 8"):
        recorded.clear(6)


def test_what_is_undone_leaves_the_optimizers_first_state() -> None:
    training = Training(SMALL.model_copy(update={"optimizer": "adamw"}))
    before, update = training.state(), training.eager
    with update.undone():
        update.clear(4)
        update.accumulate(torch.zeros((4, 3, 32, 32), dtype=torch.uint8), torch.arange(4) % 2)
        update.move()
    after = training.state()
    assert equal(after[: len(before)], before)
    assert len(after) > len(before)
    assert not any(value.any() for value in after[len(before) :])


def test_without_a_gpu_nothing_is_recorded() -> None:
    training = Training(SMALL)
    training.updates.prepare(100)
    assert training.updates._whole is training.updates._plain


def test_a_rate_in_a_tensor_moves_weights_as_a_number_does() -> None:
    generator = torch.Generator().manual_seed(0)
    gradients = [torch.randn(50, generator=generator) for _ in range(5)]
    moved = []
    for rate in (0.002, torch.tensor(0.002)):
        parameter = torch.nn.Parameter(torch.ones(50))
        optimizer = KerasAdagrad([parameter], rate)
        for gradient in gradients:
            parameter.grad = gradient
            optimizer.step()
        moved.append(parameter.detach())
    assert torch.equal(*moved)


@pytest.mark.parametrize("kind", ["randaugment", "crop-jitter", "flip"])
def test_many_batches_augmented_at_once_are_those_augmented_one_by_one(kind: str) -> None:
    config = TrainConfig(augment=kind, image_size=48)
    random = np.random.default_rng(0)
    pixels = random.integers(0, 256, (40, 3, 48, 48), np.uint8)
    names = [str(number) for number in range(40)]
    images = PackedImages([pixels], torch.zeros(40, dtype=torch.int64), names, names)
    augment = Augmentation(config, 40, seed=3, epoch=2)
    order = random.permutation(40)
    batches = [order[rows] for rows in chunks(40, 6)]
    feed = Feed(images, torch.device("cpu"), "mapped")
    one_by_one = [changed for changed, _ in feed.batches(batches, augment)]
    at_once = augment(images.take(order), order)
    assert torch.equal(torch.cat(one_by_one), at_once)


def test_training_without_validation_images_goes_to_its_end(workspace: Workspace) -> None:
    nothing = workspace.read("validation").slice(0, 0)
    workspace.write("validation", nothing, Origin("split", 1, {}, {}), workspace.classes("train"))
    (run,) = train(TINY.model_copy(update={"epochs": 1, "feed": "resident"}), work_on(workspace))
    assert run.history[0]["val_accuracy"] is None
