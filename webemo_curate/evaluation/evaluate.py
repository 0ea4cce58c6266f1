"""Evaluate a run on a split, a manifest or a folder of emotions."""

import json
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import torch
from numpy.typing import NDArray

from webemo_curate.config import TrainConfig
from webemo_curate.dataset.labeled_images import LabeledImages, open_images
from webemo_curate.dataset.prefetch import Feed
from webemo_curate.duplicates.leakage import NEEDED, mark_shared
from webemo_curate.duplicates.shared_pictures import TRAINED_ON, TrainedOn
from webemo_curate.errors import InputError
from webemo_curate.evaluation.evaluation_set import (
    CONTENT,
    PLACE,
    EvaluationSet,
    find_set,
    metrics_file,
    open_set,
)
from webemo_curate.evaluation.inference import load_network, predict_logits, probabilities
from webemo_curate.evaluation.metrics import (
    ClassMetrics,
    Metrics,
    RankedClassMetrics,
    best_threshold,
    measure,
)
from webemo_curate.evaluation.predictions import (
    predictions_file,
    read_predictions,
    write_predictions,
)
from webemo_curate.evaluation.seen_images import check_unseen, seen_images
from webemo_curate.models.devices import choose_device
from webemo_curate.remedies import typed
from webemo_curate.run_digests import PREDICTIONS, WEIGHTS, file_digests, sealed
from webemo_curate.run_names import run_name
from webemo_curate.runner.work_context import WorkContext
from webemo_curate.runs import BEST_FILE, LAST_FILE, load_classes, load_config
from webemo_curate.storage.atomic import write_bytes
from webemo_curate.system_faults import raise_system_fault
from webemo_curate.verdicts import BINARY, Split, is_split


@dataclass(frozen=True)
class Evaluation:
    """The evaluation of a run on one set.

    Attributes
    ----------
    run
        The run's folder.
    on
        Name of the set.
    metrics
        Metrics of the last epoch's weights; for two classes at threshold 0.5.
    tuned
        The same at the threshold chosen on validation; None on validation itself, and for more than
        two classes, which have no threshold.
    best
        Metrics of the best epoch on validation.
    predictions
        Parquet file of the probabilities of each image, from which all metrics are computed.
    seen
        Number of images of a split that the run was trained or validated on.
    shared
        Number of images of an external set whose picture is in the training or validation split;
        None if this was not checked.
    excluded
        Whether those were left out.
    siblings
        Number of evaluated images of an external set in whose group the training or validation
        split holds another picture; None if this was not checked.
    sibling_warning
        A warning about siblings; None if there are none.
    """

    run: Path
    on: str
    metrics: Metrics
    tuned: Metrics | None
    best: Metrics
    predictions: Path
    seen: int = 0
    shared: int | None = None
    excluded: bool = False
    siblings: int | None = None
    sibling_warning: str | None = None

    def as_json(self) -> dict[str, Any]:
        """Return everything as JSON values; the metrics are at the top level."""
        return asdict(self.metrics) | {
            "run": self.run.name,
            "on": self.on,
            "best": asdict(self.best),
            "tuned": asdict(self.tuned) if self.tuned else None,
            "seen": self.seen,
            "shared": self.shared,
            "excluded": self.excluded,
            "siblings": self.siblings,
            "predictions": str(self.predictions),
        }

    def summary(self) -> str:
        """Return the most important figures in a few lines."""
        m = self.metrics
        auc = "-" if m.auc is None else f"{m.auc:.3f}"
        larger = "larger" if len(m.per_class) == BINARY else "largest"
        lines = [
            f"{run_name(self.run)} on {self.on}: {m.images} images",
            f"  accuracy {m.accuracy:.1%} (95 % interval {m.accuracy_low:.1%} to "
            f"{m.accuracy_high:.1%}); always answering the {larger} class: {m.majority:.1%}; "
            f"gain {(m.accuracy - m.majority) * 100:+.1f} points",
            f"  AUC {auc}, calibration error {m.ece:.3f}, Brier {m.brier:.3f}",
        ]
        lines += [f"  {name}: {_said(c)}" for name, c in m.per_class.items()]
        if self.seen:
            what = "left out" if self.excluded else "warning"
            lines.append(f"  {what}: training has seen {self.seen} of these images")
        if self.shared:
            lines.append(self._leak_line())
        if self.sibling_warning:
            lines.append(f"  {self.sibling_warning}")
        return "\n".join(lines)

    def _leak_line(self) -> str:
        where = "in the training data"
        if self.excluded:
            return f"  left out: {self.shared} images whose picture is {where}"
        said = f"  warning: the pictures of {self.shared} of these images are {where} too"
        return f"{said}; --exclude-shared leaves them out"


def _said(figures: ClassMetrics) -> str:
    """Describe one class's figures."""
    area = figures.auc if isinstance(figures, RankedClassMetrics) else None
    against = "" if area is None else f"AUC against the rest {area:.3f} "
    rates = f"precision {figures.precision:.3f}, recall {figures.recall:.3f}, F1 {figures.f1:.3f}"
    return f"{rates} {against}({figures.support} images)"


def evaluate(
    run: Path,
    on: str,
    work: WorkContext,
    device: str = "auto",
    *,
    exclude_shared: bool = False,
    allow_seen: bool = False,
) -> Evaluation:
    """Evaluate a run; write `predictions-<set>.parquet` and `metrics-<set>.json` into its folder.

    Parameters
    ----------
    run : Path
        The run's folder.
    on : str
        `validation`, `test`, a split manifest's path, or a folder of emotion-named folders.
    work : WorkContext
        Its workspace holds the manifests and images.
    device : {'auto', 'cpu', 'cuda'}
        The device to compute on.
    exclude_shared : bool, default False
        For an external set, leave out images whose picture the training or validation split holds.
        Their siblings are other pictures and stay; the summary counts them. For a split, leave out
        what the run was trained on.
    allow_seen : bool, default False
        Evaluate on a split even if the run was trained on some of its pictures.

    Returns
    -------
    Evaluation
        The figures.

    Raises
    ------
    InputError
        If the set or the run cannot be read, or the set is empty, has other classes, or is a split
        that the run has seen in part.
    """
    on, classes = find_set(on, work.workspace), load_classes(run)
    test_set = open_set(on, work, classes)
    test_set.check_classes(classes)
    shared = _shared(on, test_set, work)
    seen = _seen(run, on, test_set, work)
    if exclude_shared:
        left_out = seen if is_split(on) else _shared_pictures(shared, work)
        test_set = test_set.without(left_out)
    elif not allow_seen:
        check_unseen(run, on, seen, test_set.table)
    test_set = test_set.named_apart(run)
    test_set.check_not_empty(on)
    evaluation = replace(
        _measure(run, test_set, classes, work, device),
        seen=len(seen),
        shared=len(shared.pictures) if shared else None,
        excluded=exclude_shared,
        siblings=len(shared.siblings) if shared else None,
        sibling_warning=shared.warning() if shared else None,
    )
    metrics = _write_metrics(evaluation, test_set)
    if run.is_relative_to(work.workspace.runs):
        work.workspace.publish(evaluation.predictions, metrics)
    return evaluation


def _measure(
    run: Path, test_set: EvaluationSet, classes: tuple[str, ...], work: WorkContext, device: str
) -> Evaluation:
    """Compute, store and measure the probabilities of all images."""
    name, config = test_set.name, load_config(run)
    images = open_images(test_set.table, config, work)
    target, chosen = images.targets.numpy(), choose_device(device)
    last = _probabilities(run, LAST_FILE, images, config, chosen)
    best = _probabilities(run, BEST_FILE, images, config, chosen)
    predictions = predictions_file(run, name)
    write_predictions(predictions, images, last, best)
    return Evaluation(
        run=run,
        on=name,
        metrics=measure(target, last, classes=classes),
        tuned=_tuned(run, name, target, last),
        best=measure(target, best, classes=classes),
        predictions=predictions,
    )


def _seen(run: Path, on: str, test_set: EvaluationSet, work: WorkContext) -> set[str]:
    """Return images of a split that the run has seen; external sets are left to `_shared`."""
    if not is_split(on):
        return set()
    return seen_images(run, on, test_set.table, work.workspace)


def _shared_pictures(shared: TrainedOn | None, work: WorkContext) -> set[str]:
    """Return the images of an external set that training has seen."""
    if shared is None:
        raise InputError(
            f"--exclude-shared: {work.workspace.root} holds no duplicates and split manifests to "
            f"compare with; run '{typed('split')}'"
        )
    return shared.pictures


def _shared(on: str, test_set: EvaluationSet, work: WorkContext) -> TrainedOn | None:
    """Return what training has seen of an external set; None if this cannot be determined."""
    workspace = work.workspace
    if is_split(on) or not all(map(workspace.has, (*NEEDED, *TRAINED_ON))):
        return None
    with workspace.lock(), work.running() as runner:
        marks = mark_shared(Path(on), work, runner, told=True)
    return marks.trained_on(workspace).among(test_set.table["sha256"].to_pylist())


def _write_metrics(evaluation: Evaluation, test_set: EvaluationSet) -> Path:
    """Write the figures and what they were computed from; see `run_digests`."""
    predictions = evaluation.predictions
    digests = file_digests(evaluation.run, [predictions.name, LAST_FILE])
    document = evaluation.as_json() | {
        PLACE: test_set.place,
        CONTENT: test_set.digest,
        PREDICTIONS: digests[predictions.name],
        WEIGHTS: digests[LAST_FILE],
    }
    metrics = metrics_file(evaluation.run, evaluation.on)
    # Converted through JSON, so that the digest equals that of the file when it is read again.
    plain = json.loads(json.dumps(document))
    write_bytes(metrics, json.dumps(sealed(plain), indent=2).encode())
    return metrics


def _probabilities(
    run: Path, file: str, images: LabeledImages, config: TrainConfig, device: torch.device
) -> NDArray[np.float64]:
    network = load_network(run / file, config, device, len(load_classes(run)))
    return probabilities(predict_logits(network, Feed(images, device, config.feed), config))


def _tuned(
    run: Path, name: str, target: NDArray[np.int64], probability: NDArray[np.float64]
) -> Metrics | None:
    """Measure at the threshold with the highest accuracy on validation."""
    validation = predictions_file(run, Split.VALIDATION)
    if probability.ndim > 1 or name == Split.VALIDATION or not validation.exists():
        return None
    try:
        scored = read_predictions(validation)
    except (OSError, ValueError, pa.ArrowException) as error:
        raise_system_fault(error, str(validation))
        again = typed(f"evaluate {run.name} --on validation")
        raise InputError(f"{validation}: cannot be read ({error}); run '{again}' again") from error
    chosen = best_threshold(*scored)
    return measure(target, probability, chosen, load_classes(run))
