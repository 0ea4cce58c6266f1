"""Export a trained network to files that other programs run, with a model card."""

import io
import json
import warnings
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray

from webemo_curate.config import TrainConfig
from webemo_curate.errors import CurateError, InputError
from webemo_curate.evaluation.inference import load_network
from webemo_curate.models.registry import network_title
from webemo_curate.onnx_runtime import open_session
from webemo_curate.runs import DONE_FILE, LAST_FILE, load_classes, load_config, load_log
from webemo_curate.storage.atomic import atomic_path, write_bytes
from webemo_curate.system_faults import raise_system_fault

ONNX_FILE = "network.onnx"
PROGRAM_FILE = "network.pt2"
CARD_FILE = "README.md"

TOLERANCE = 1e-4
"""Largest difference of a logit between the network and an exported file, as a part of the largest
logit or of 1. Float32 rounds to 1e-5 of the largest over the layers; another network differs by
more."""

EXAMPLES = 2
OPSET = 18

CARD = """---
library_name: timm
pipeline_tag: image-classification
tags: [emotion-recognition, {labels}]
---

# {name}

{network}, trained by `curate train-model` to tell {labels} in photographs.

## Input and output

| | |
|---|---|
| input `images` | float32, (batch, 3, {size}, {size}), RGB from 0 to 1; normalization is inside |
| output `logits` | float32, (batch, {count}): {labels}; softmax gives probabilities |
| `{onnx}` | ONNX, opset {opset}; logits differ by at most {onnx_error:.1e} |
| `{program}` | `torch.export.load(...).module()`; logits differ by at most {program_error:.1e} |

Images are scaled as in training ({resize}).

## Training

{configuration}

Last epoch: {last}.

## Evaluation

{metrics}

## Limits

The classes are those of the pictures' search words or annotators, not what the people in them felt;
the network must not be used to judge persons. Labels of web images are noisy, and accuracy on other
collections is lower: see each test set above.
"""


class Export(NamedTuple):
    """The result of an export.

    Attributes
    ----------
    folder
        Folder with the ONNX file, the `torch.export` program and the model card.
    onnx_error, program_error
        Largest difference of a logit from the network's.
    """

    folder: Path
    onnx_error: float
    program_error: float


def export_run(run: Path, folder: Path) -> Export:
    """Write a run's network as ONNX and as a `torch.export` program, with a model card.

    Parameters
    ----------
    run : Path
        The run's folder.
    folder : Path
        Created if missing; its files of these names are replaced.

    Returns
    -------
    Export
        The folder and the measured differences.

    Raises
    ------
    InputError
        If the run cannot be read.
    CurateError
        If an exported file differs from the network by more than `TOLERANCE` allows; the model card
        is then not written.
    """
    config = load_config(run)
    network = load_network(run / LAST_FILE, config, torch.device("cpu"), len(load_classes(run)))
    _make(folder)
    images = _examples(config)
    with torch.inference_mode():
        expected = network(images).numpy()
    batch = torch.export.Dim("batch", min=1)
    program = torch.export.export(network, (images,), dynamic_shapes=({0: batch},))
    onnx_error = _gap(_by_onnx(program, images, folder / ONNX_FILE), expected)
    program_error = _gap(_by_program(program, images, folder / PROGRAM_FILE), expected)
    allowed = TOLERANCE * max(1.0, float(np.abs(expected).max()))
    for file, error in ((ONNX_FILE, onnx_error), (PROGRAM_FILE, program_error)):
        if not error <= allowed:
            raise CurateError(
                f"{folder / file}: its logits differ from the network's by {error:.1e}, more than "
                f"{allowed:.0e}; do not use it, and report the versions of torch and onnx"
            )
    export = Export(folder, onnx_error, program_error)
    write_bytes(folder / CARD_FILE, _card(run, config, export).encode())
    return export


def _make(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise_system_fault(error, str(folder))
        raise InputError(
            f"{folder}: cannot be made a folder: {error.strerror}; name another"
        ) from error


def _examples(config: TrainConfig) -> torch.Tensor:
    """Return random pictures, float32, (2, 3, S, S)."""
    generator = torch.Generator().manual_seed(config.seed)
    return torch.rand(EXAMPLES, 3, config.image_size, config.image_size, generator=generator)


def _by_onnx(
    program: torch.export.ExportedProgram, images: torch.Tensor, path: Path
) -> NDArray[np.float32]:
    """Write the ONNX file and return ONNX Runtime's logits for the images."""
    # The exporters warn about their own insides, which the user cannot change.
    with warnings.catch_warnings(action="ignore"), atomic_path(path) as partial:
        torch.onnx.export(
            program,
            f=str(partial),
            input_names=["images"],
            output_names=["logits"],
            opset_version=OPSET,
            external_data=False,
            dynamo=True,
            verbose=False,
        )
    (logits,) = open_session(path).run(None, {"images": images.numpy()})
    return np.asarray(logits, np.float32)


def _by_program(
    program: torch.export.ExportedProgram, images: torch.Tensor, path: Path
) -> NDArray[np.float32]:
    """Write the `torch.export` program, read it back and return its logits for the images."""
    # Into memory first: where a disk fills up, torch's own writer ends the whole process.
    stream = io.BytesIO()
    with warnings.catch_warnings(action="ignore"):
        torch.export.save(program, stream)
    write_bytes(path, stream.getvalue())
    with torch.inference_mode():
        logits: NDArray[np.float32] = torch.export.load(str(path)).module()(images).numpy()
    return logits


def _gap(found: NDArray[np.float32], expected: NDArray[np.float32]) -> float:
    return float(np.abs(found - expected).max())


def _card(run: Path, config: TrainConfig, export: Export) -> str:
    summary = _document(run / DONE_FILE)
    return CARD.format(
        name=run.name,
        network=network_title(config),
        labels=", ".join(load_classes(run)),
        count=len(load_classes(run)),
        size=config.image_size,
        resize=config.resize,
        onnx=ONNX_FILE,
        opset=OPSET,
        onnx_error=export.onnx_error,
        program=PROGRAM_FILE,
        program_error=export.program_error,
        configuration=_table(config.model_dump(mode="json") | summary),
        last=", ".join(f"{key} {_figure(value)}" for key, value in load_log(run)[-1].items()),
        metrics=_metrics(run),
    )


def _metrics(run: Path) -> str:
    """Return tables of the run's evaluations, one section for each set."""
    sections = [
        f"### {file.stem.removeprefix('metrics-')}\n\n{_table(_document(file))}"
        for file in sorted(run.glob("metrics-*.json"))
    ]
    return "\n\n".join(sections) or "None yet: `curate evaluate`."


def _document(file: Path) -> dict[str, Any]:
    try:
        document = json.loads(file.read_bytes())
    except (OSError, ValueError, RecursionError) as error:
        raise_system_fault(error, str(file))
        raise InputError(f"{file}: cannot be read ({error}); train or evaluate it again") from error
    if not isinstance(document, dict):
        raise InputError(f"{file}: not what a run says of itself; train or evaluate it again")
    return document


def _table(entries: dict[str, Any]) -> str:
    rows = [
        f"| {key} | {_figure(value)} |"
        for key, value in entries.items()
        if not isinstance(value, dict | list)
    ]
    return "\n".join(["| | |", "|---|---|", *rows])


def _figure(value: object) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value).replace("|", "\\|")
