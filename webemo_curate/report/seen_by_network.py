"""Grad-CAM of right and wrong answers on the test split: where a network looked."""

import logging
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from webemo_curate.errors import InputError
from webemo_curate.evaluation.metrics import answers
from webemo_curate.evaluation.predictions import predictions_file, read_predictions
from webemo_curate.imaging import DecodeError, load_apart
from webemo_curate.parquet import read_parquet
from webemo_curate.report.examples import Example
from webemo_curate.report.pictures import SIDE, as_data, small_file
from webemo_curate.report.prediction_row import heated
from webemo_curate.report.run_sections import RunSection
from webemo_curate.runner.work_context import WorkContext
from webemo_curate.runs import LAST_FILE
from webemo_curate.system_faults import raise_system_fault
from webemo_curate.verdicts import Split

if TYPE_CHECKING:
    from PIL import Image

    from webemo_curate.models.registry import Network

logger = logging.getLogger(__name__)

SECONDS = 60.0
"""After which no further picture is begun."""


@dataclass(frozen=True)
class NetworkLooks:
    """Pictures beside where the network saw its answer.

    Attributes
    ----------
    run
        Its name.
    right, wrong
        The surest answers of each kind.
    """

    run: str
    right: list[Example]
    wrong: list[Example]


@dataclass(frozen=True)
class _Chosen:
    """An image of the test split, its class, and whether the answer was right."""

    sha256: str
    target: int
    right: bool


def looks(work: WorkContext, runs: list[RunSection], count: int) -> NetworkLooks | None:
    """Show where the run finished last looked, of its surest right and wrong answers.

    Parameters
    ----------
    work : WorkContext
        Its workspace has the images.
    runs : list of RunSection
        Those of the page.
    count : int
        Pictures of each kind.

    Returns
    -------
    NetworkLooks or None
        None without an evaluated run whose weights are here and fit it.
    """
    measured = [run for run in runs if run.row and run.metrics]
    latest = max(measured, key=lambda run: run.row.finished if run.row else "", default=None)
    if latest is None or not count:
        return None
    folder = work.workspace.runs / latest.name
    if not (folder / LAST_FILE).is_file():
        return None
    try:
        shown = [*_shown(work, folder, latest.classes, count)]
    except (InputError, OSError, ValueError, KeyError, pa.ArrowException) as error:
        raise_system_fault(error, str(folder))
        logger.warning("%s: no picture of where it looked: %s", latest.name, error)
        return None
    right, wrong = ([one for each, one in shown if each.right is kind] for kind in (True, False))
    return NetworkLooks(latest.row.name if latest.row else latest.name, right, wrong)


def _shown(
    work: WorkContext, folder: Path, classes: tuple[str, ...], count: int
) -> Iterator[tuple[_Chosen, Example]]:
    """Yield pictures as long as there is time: right and wrong answers by turns."""
    import torch

    from webemo_curate.evaluation.predict import open_network

    chosen = _chosen(folder, count)
    paths = work.workspace.image_paths([each.sha256 for each in chosen])
    network, end = open_network(folder, torch.device("cpu")), time.monotonic() + SECONDS
    for each in chosen:
        if time.monotonic() > end:
            logger.warning("%s: the rest would take too long", folder.name)
            return
        picture = _picture(work, paths.get(each.sha256))
        if picture:
            yield each, _example(network, folder, picture, classes[each.target])


def _chosen(folder: Path, count: int) -> list[_Chosen]:
    """Return the surest answers, right and wrong ones by turns."""
    file = predictions_file(folder, Split.TEST)
    target, probability = read_predictions(file)
    answer = answers(probability)
    several = probability.ndim > 1
    sure = probability.max(axis=1) if several else np.abs(probability - 0.5)
    order = np.argsort(-sure, kind="stable")
    right = answer == target
    kinds = [order[right[order] == kind][:count] for kind in (True, False)]
    turns = np.concatenate([np.arange(len(kind)) for kind in kinds])
    rows = np.concatenate(kinds)[np.argsort(turns, kind="stable")]
    names = pc.take(read_parquet(file, ["sha256"])["sha256"], pa.array(rows)).to_pylist()
    return [
        _Chosen(name, int(target[row]), bool(right[row]))
        for name, row in zip(names, rows, strict=True)
    ]


def _picture(work: WorkContext, path: str | None) -> "Image.Image | None":
    if path is None:
        return None
    try:
        return load_apart(work.workspace.read_image(path), work.max_pixels)
    except DecodeError:
        return None
    except OSError as error:
        raise_system_fault(error, path)
        return None


def _example(network: "Network", folder: Path, picture: "Image.Image", label: str) -> Example:
    from webemo_curate.evaluation.predict import classify

    (answer,) = classify(network, folder, [picture], look=True)
    small = picture.copy()
    small.thumbnail((SIDE, SIDE))
    warm = heated(small, answer.activation) if answer.activation is not None else small
    caption = f"answered {answer.caption}, is {label}"
    return Example(as_data(small_file(small)), as_data(small_file(warm)), caption)
