"""`curate export-model` writes files that answer as the network does, and a model card."""

import json
from pathlib import Path

import numpy as np
import onnxruntime
import pytest
import torch
from safetensors.torch import load_file, save_file

from tests.e2e.conftest import curate
from tests.trainable import TINY
from webemo_curate.errors import CurateError, InputError
from webemo_curate.evaluation import export_network as exports
from webemo_curate.evaluation.inference import load_network
from webemo_curate.runs import LAST_FILE, load_config
from webemo_curate.workspace import Workspace


@pytest.fixture
def run(trained: tuple[Workspace, Path]) -> Path:
    return trained[1]


@pytest.mark.slow
def test_exported_files_answer_as_the_network_and_the_card_tells_of_it(
    trained: tuple[Workspace, Path], tmp_path: Path
) -> None:
    workspace, run = trained
    folder = tmp_path / "export"

    out = curate("export-model", run.name, folder, "--workspace", workspace.root, "--json")

    assert "Warning" not in out
    assert json.loads(out.splitlines()[-1])["onnx_error"] < exports.TOLERANCE
    session = onnxruntime.InferenceSession(str(folder / exports.ONNX_FILE))
    program = torch.export.load(str(folder / exports.PROGRAM_FILE)).module()
    network = load_network(run / LAST_FILE, load_config(run), torch.device("cpu"))
    for count in (1, 5):  # at any batch size
        images = torch.rand(count, 3, TINY.image_size, TINY.image_size)
        with torch.inference_mode():
            expected = network(images).numpy()
            np.testing.assert_allclose(program(images).numpy(), expected, atol=exports.TOLERANCE)
        (found,) = session.run(["logits"], {"images": images.numpy()})
        np.testing.assert_allclose(found, expected, atol=exports.TOLERANCE)

    card = (folder / exports.CARD_FILE).read_text()
    assert run.name in card
    assert "### validation" in card
    metrics = json.loads((run / "metrics-validation.json").read_bytes())
    assert f"| accuracy | {metrics['accuracy']:.4g} |" in card
    assert f"float32, (batch, 3, {TINY.image_size}, {TINY.image_size})" in card


def test_a_file_that_answers_otherwise_is_an_error_and_gets_no_card(
    run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wrong = np.full((exports.EXAMPLES, 2), 9, np.float32)
    monkeypatch.setattr(exports, "_by_onnx", lambda *_: wrong)

    with pytest.raises(CurateError, match=r"network\.onnx"):
        exports.export_run(run, tmp_path)
    assert not (tmp_path / exports.CARD_FILE).exists()


@pytest.mark.slow
def test_the_gap_is_held_against_the_size_of_the_logits(run: Path, tmp_path: Path) -> None:
    """Float32 rounds large logits by more; 8 epochs on drawn pictures give logits of 100."""
    weights = load_file(run / LAST_FILE)
    for part in ("weight", "bias"):
        weights[f"output.{part}"] *= 1e5
    save_file(weights, run / LAST_FILE)

    export = exports.export_run(run, tmp_path)
    assert export.onnx_error > exports.TOLERANCE
    assert (tmp_path / exports.CARD_FILE).exists()


def test_a_run_without_weights_is_an_error(run: Path, tmp_path: Path) -> None:
    (run / LAST_FILE).write_bytes(b"torn")

    with pytest.raises(InputError, match="last"):
        exports.export_run(run, tmp_path)
