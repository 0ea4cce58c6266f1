"""What commands call: train, evaluate, predict."""

import json
from collections.abc import Sequence
from contextlib import closing, nullcontext
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import torch
from numpy.typing import NDArray

from webemo_curate.atomic import atomic_path, write_bytes
from webemo_curate.config import TrainConfig
from webemo_curate.engine.choose import make_engine
from webemo_curate.errors import InputError
from webemo_curate.leakage import NEEDED, TRAINED_ON, mark_shared
from webemo_curate.manifest import read_manifest
from webemo_curate.schemas import Split
from webemo_curate.sources.folders import read_folder
from webemo_curate.storage.image_files import ImageFiles
from webemo_curate.training.data import Images, open_images
from webemo_curate.training.devices import choose_device, make_reproducible
from webemo_curate.training.distributed import World, join_world
from webemo_curate.training.events import require_tensorboard
from webemo_curate.training.feed import Feed
from webemo_curate.training.gradcam import class_activation
from webemo_curate.training.inference import (
    THRESHOLD,
    load_network,
    predict_logits,
    probabilities,
)
from webemo_curate.training.loop import Trainer
from webemo_curate.training.metrics import CLASS_NAMES, Metrics, best_threshold, measure
from webemo_curate.training.objective import as_floats
from webemo_curate.training.packing import read_square
from webemo_curate.training.run import (
    BEST_FILE,
    CONFIG_FILE,
    DONE_FILE,
    LAST_FILE,
    RunResult,
    find_run,
    finish,
    is_finished,
    load_config,
    load_log,
    run_folder,
    save_config,
)
from webemo_curate.workspace import Workspace

__all__ = [
    "Evaluation",
    "Prediction",
    "RunResult",
    "evaluate",
    "find_run",
    "pack_splits",
    "predict",
    "set_name",
    "train",
]

COLUMNS = ["path", "sha256", "target"]
FILES = ImageFiles(Path())
"""Reads files by the names a user gives them."""

LEAST_IMAGES = 2
"""Of each class in training: batch normalisation and a boundary need as many."""


@dataclass(frozen=True)
class Evaluation:
    """A run measured on one set.

    Attributes
    ----------
    run
        The run's folder.
    on
        Name of the set.
    metrics
        Of the last epoch's weights at 0.5.
    tuned
        The same at the threshold chosen on validation; None on validation itself.
    best
        Of the best epoch on validation, at 0.5.
    predictions
        Parquet of per-image probabilities, from which all metrics are computed.
    shared
        Images of an external set whose picture is in the training or validation split; None
        where that was not looked for.
    excluded
        Whether those were left out.
    """

    run: Path
    on: str
    metrics: Metrics
    tuned: Metrics | None
    best: Metrics
    predictions: Path
    shared: int | None = None
    excluded: bool = False

    def as_json(self) -> dict[str, Any]:
        """Return everything as JSON values; the metrics proper stand at the top level."""
        document = asdict(self.metrics) | {"run": self.run.name, "on": self.on}
        document["best"] = asdict(self.best)
        document["tuned"] = asdict(self.tuned) if self.tuned else None
        document |= {"shared": self.shared, "excluded": self.excluded}
        return document | {"predictions": str(self.predictions)}

    def summary(self) -> str:
        """Return the figures that a reader looks for first, in a few lines."""
        m = self.metrics
        auc = "-" if m.auc is None else f"{m.auc:.3f}"
        lines = [
            f"{self.run.name} on {self.on}: {m.images} images",
            f"  accuracy {m.accuracy:.1%} (95 % interval {m.accuracy_low:.1%} to "
            f"{m.accuracy_high:.1%}); always answering the larger class: {m.majority:.1%}; "
            f"gain {(m.accuracy - m.majority) * 100:+.1f} points",
            f"  AUC {auc}, calibration error {m.ece:.3f}, Brier {m.brier:.3f}",
        ]
        lines += [
            f"  {name}: precision {c.precision:.3f}, recall {c.recall:.3f}, F1 {c.f1:.3f} "
            f"({c.support} images)"
            for name, c in m.per_class.items()
        ]
        if self.shared:
            lines.append(self._leak_line())
        return "\n".join(lines)

    def _leak_line(self) -> str:
        if self.excluded:
            return f"  left out: {self.shared} images whose picture is in the training data"
        return (
            f"  warning: the pictures of {self.shared} of these images are in the training data "
            "too; --exclude-shared leaves them out"
        )


@dataclass(frozen=True)
class Prediction:
    """The answer for one image.

    Attributes
    ----------
    path
        The file.
    label
        Its class.
    probability
        Of the positive class, sadness.
    activation
        Where the network saw its class, float32, shape (S, S), 0 to 1; None if not asked for.
    """

    path: Path
    label: str
    probability: float
    activation: NDArray[np.float32] | None = None

    @property
    def caption(self) -> str:
        """Class and the class's own probability, for under a picture."""
        own = self.probability if self.label == CLASS_NAMES[1] else 1 - self.probability
        return f"{self.label} {own:.0%}"


def train(config: TrainConfig, workspace: Workspace) -> list[RunResult]:
    """Train a network for each seed on the workspace's manifests.

    Parameters
    ----------
    config : TrainConfig
        What is trained; `seeds` runs from `seed` on.
    workspace : Workspace
        Holds train and validation manifests; gets the run folders.

    Returns
    -------
    list of RunResult
        One a seed; an equal finished run is not trained again.

    Raises
    ------
    CurateError
        If manifests, weights or the device do not allow it, or training fails.
    """
    if config.tensorboard:
        require_tensorboard()
    device = choose_device(config.device)
    with join_world(device) as world, workspace.lock() if world.leads else nullcontext():
        make_reproducible(device, deterministic=config.deterministic)
        return [
            _train_one(config, config.seed + offset, workspace, device, world)
            for offset in range(config.seeds)
        ]


def evaluate(
    run: Path,
    on: str,
    workspace: Workspace,
    device: str = "auto",
    *,
    exclude_shared: bool = False,
) -> Evaluation:
    """Measure a run; writes `predictions-<set>.parquet` and `metrics-<set>.json` into its folder.

    Parameters
    ----------
    run : Path
        The run's folder.
    on : str
        `validation`, `test`, a split manifest's path, or a folder of emotion-named folders.
    workspace : Workspace
        Holds the manifests and images.
    device : {'auto', 'cpu', 'cuda'}
        Where it computes.
    exclude_shared : bool, default False
        Leave out images of an external set whose picture the training or validation split holds.

    Returns
    -------
    Evaluation
        The figures.

    Raises
    ------
    InputError
        If the set or the run cannot be read, or the set is empty.
    """
    config = load_config(run)
    test_set = _test_set(on, workspace)
    shared = _shared(on, workspace)
    if exclude_shared and shared is None:
        raise InputError(
            f"--exclude-shared: {workspace.root} holds no duplicates and split manifests to "
            "compare with; run 'curate split'"
        )
    if exclude_shared and shared:
        test_set = test_set.without(shared)
    name, images = test_set.name, _packed(test_set, on, workspace, config)
    target = images.targets.numpy()
    chosen = choose_device(device)
    last = _probabilities(run, LAST_FILE, images, config, chosen)
    best = _probabilities(run, BEST_FILE, images, config, chosen)
    predictions = run / f"predictions-{name}.parquet"
    _write_predictions(predictions, images, last, best)
    evaluation = Evaluation(
        run=run,
        on=name,
        metrics=measure(target, last),
        tuned=_tuned(run, name, target, last),
        best=measure(target, best),
        predictions=predictions,
        shared=None if shared is None else len(shared),
        excluded=exclude_shared,
    )
    document = json.dumps(evaluation.as_json(), indent=2)
    metrics = run / f"metrics-{name}.json"
    write_bytes(metrics, document.encode())
    if run.is_relative_to(workspace.runs):
        workspace.publish(predictions, metrics)
    return evaluation


def set_name(on: str, workspace: Workspace) -> str:
    """Return the name by which a set's results are kept; see `evaluate`.

    Raises
    ------
    InputError
        If the set cannot be read or is empty.
    """
    test_set = _test_set(on, workspace)
    _check_not_empty(test_set, on)
    return test_set.name


def predict(
    run: Path, images: Sequence[Path], device: str = "auto", *, look: bool = False
) -> list[Prediction]:
    """Classify image files by the last epoch's weights.

    Parameters
    ----------
    run : Path
        The run's folder.
    images : sequence of Path
        Image files.
    device : {'auto', 'cpu', 'cuda'}
        Where it computes.
    look : bool, default False
        Also tell where the network saw the class it chose.

    Returns
    -------
    list of Prediction
        In the order given.

    Raises
    ------
    InputError
        If an image or the run cannot be read.
    """
    config = load_config(run)
    chosen = choose_device(device)
    network = load_network(run / LAST_FILE, config, chosen)
    predictions = []
    for path in images:
        pixels = as_floats(torch.from_numpy(read_square(FILES, str(path), config))[None].to(chosen))
        with torch.inference_mode():
            logits = network(pixels).cpu().numpy()
        probability = float(probabilities(logits)[0])
        answer = int(probability >= THRESHOLD)
        activation = class_activation(network, pixels, answer) if look else None
        predictions.append(Prediction(path, CLASS_NAMES[answer], probability, activation))
    return predictions


def pack_splits(config: TrainConfig, workspace: Workspace) -> dict[str, int]:
    """Decode the images of all splits into packed files, as training would at its start.

    Parameters
    ----------
    config : TrainConfig
        Size and resizing.
    workspace : Workspace
        Holds the manifests and images; gets the packed files.

    Returns
    -------
    dict of str to int
        Images of each split.

    Raises
    ------
    InputError
        If a manifest or an image cannot be read.
    """
    packed = config.model_copy(update={"feed": "mapped"})
    with workspace.lock():
        return {
            split.value: len(_split_images(split, workspace, packed).targets) for split in Split
        }


def _train_one(
    config: TrainConfig, seed: int, workspace: Workspace, device: torch.device, world: World
) -> RunResult:
    folder = run_folder(config, seed, workspace)
    _pull_in_turn(folder, workspace, world)
    if is_finished(folder):
        return RunResult(folder, seed, True, load_log(folder))
    # One process packs; the others find the files.
    if world.leads:
        save_config(folder, config, seed)
        workspace.publish(folder / CONFIG_FILE)
        _training_sets(workspace, config)
    world.wait()
    sets = _training_sets(workspace, config)
    history = Trainer(config, seed, device, folder, world, workspace.publish).fit(*sets)
    if world.leads:
        if len(sets[1].targets):
            evaluate(folder, Split.VALIDATION, workspace, config.device)
        finish(folder, {"epochs": len(history)})
        workspace.publish(folder / DONE_FILE)
    return RunResult(folder, seed, False, history)


def _pull_in_turn(folder: Path, workspace: Workspace, world: World) -> None:
    """Bring a run's files here before anyone writes some: processes of one machine share them."""
    if world.leads:
        workspace.pull(folder)
    world.wait()
    if not world.leads:
        workspace.pull(folder)
    world.wait()


def _training_sets(workspace: Workspace, config: TrainConfig) -> tuple[Images, Images]:
    train = _split_images(Split.TRAIN, workspace, config)
    _check_trainable(train, workspace)
    return train, _split_images(Split.VALIDATION, workspace, config)


def _check_trainable(images: Images, workspace: Workspace) -> None:
    for value, name in enumerate(CLASS_NAMES):
        count = int((images.targets == value).sum())
        if count < LEAST_IMAGES:
            raise InputError(
                f"{workspace.where(Split.TRAIN)}: {count} images of '{name}', at least "
                f"{LEAST_IMAGES} are needed; fetch more or change 'curate undersample'"
            )


def _split_images(split: str, workspace: Workspace, config: TrainConfig) -> Images:
    table = workspace.read(split, COLUMNS)
    return open_images(table, config, workspace)


@dataclass(frozen=True)
class _TestSet:
    """Images to measure on: their table (`COLUMNS`), its paths in the workspace or absolute."""

    name: str
    table: pa.Table

    def without(self, sha256: set[str]) -> "_TestSet":
        """Return the set without some images, under a name of its own."""
        keep = [name not in sha256 for name in self.table["sha256"].to_pylist()]
        return _TestSet(f"{self.name}-unshared", self.table.filter(pa.array(keep)))


def _test_set(on: str, workspace: Workspace) -> _TestSet:
    place = Path(on)
    if on in (*Split,):
        return _TestSet(on, workspace.read(on, COLUMNS))
    if place.is_dir():
        table = read_folder(place, workspace.config().binarize.positive)
        paths = [str(place.absolute() / path) for path in table["path"].to_pylist()]
        return _TestSet(place.resolve().name, table.set_column(0, "path", pa.array(paths)))
    return _TestSet(place.stem, read_manifest(place, Split.TEST, COLUMNS))


def _check_not_empty(test_set: _TestSet, on: str) -> None:
    if not test_set.table.num_rows:
        raise InputError(f"{on}: holds no images to evaluate on")


def _packed(test_set: _TestSet, on: str, workspace: Workspace, config: TrainConfig) -> Images:
    _check_not_empty(test_set, on)
    return open_images(test_set.table, config, workspace)


def _shared(on: str, workspace: Workspace) -> set[str] | None:
    """Return the images of an external set that training has seen; None if that is unknowable."""
    if on in (*Split,) or not all(map(workspace.has, (*NEEDED, *TRAINED_ON))):
        return None
    config = workspace.config()
    with workspace.lock(), closing(make_engine(config)) as engine:
        marks = mark_shared(Path(on), workspace, engine, config.dedup)
    return marks.trained_on(workspace)


def _probabilities(
    run: Path, file: str, images: Images, config: TrainConfig, device: torch.device
) -> NDArray[np.float64]:
    network = load_network(run / file, config, device)
    return probabilities(predict_logits(network, Feed(images, device, config.feed), config))


def _write_predictions(
    path: Path, images: Images, last: NDArray[np.float64], best: NDArray[np.float64]
) -> None:
    table = pa.table(
        {
            "sha256": images.sha256,
            "path": images.paths,
            "target": pa.array(images.targets.numpy(), pa.int8()),
            "probability": last,
            "probability_best": best,
        }
    )
    with atomic_path(path) as partial:
        pq.write_table(table, partial, compression="zstd")


def _tuned(
    run: Path, name: str, target: NDArray[np.int64], probability: NDArray[np.float64]
) -> Metrics | None:
    """Measure at the threshold of the highest accuracy on validation."""
    validation = run / f"predictions-{Split.VALIDATION}.parquet"
    if name == Split.VALIDATION or not validation.exists():
        return None
    table = pq.read_table(validation, columns=["target", "probability"])
    chosen = best_threshold(table["target"].to_numpy(), table["probability"].to_numpy())
    return measure(target, probability, chosen)
