"""Training, evaluation and prediction as a user meets them."""

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pyarrow.parquet as pq
import pytest
import torch
from safetensors.torch import load_file, save_file

from tests.trainable import TINY
from tests.work import work_on
from webemo_curate.errors import CurateError, InputError
from webemo_curate.evaluation.evaluate import evaluate
from webemo_curate.evaluation.predict import predict
from webemo_curate.models.pretrained import load_backbone, read_weights
from webemo_curate.models.registry import build_network
from webemo_curate.runs import find_run
from webemo_curate.training.fit import train
from webemo_curate.workspace import Workspace


def test_run_is_evaluated_predicted_and_not_trained_twice(workspace: Workspace) -> None:
    (run,) = train(TINY, work_on(workspace))
    assert [entry["epoch"] for entry in run.history] == [1, 2]
    evaluation = evaluate(run.folder, "test", work_on(workspace), "cpu")
    rows = pq.read_table(evaluation.predictions).to_pandas()
    right = ((rows["probability"] >= 0.5) == rows["target"]).mean()
    assert evaluation.metrics.accuracy == pytest.approx(right)
    assert evaluation.metrics.images == len(rows) == 6
    picture = workspace.root / rows["path"][0]
    (prediction,) = predict(run.folder, [picture], "cpu")
    assert prediction.probability == pytest.approx(rows["probability"][0], abs=1e-5)
    (again,) = train(TINY, work_on(workspace))
    assert again.skipped
    assert find_run(None, workspace) == run.folder


def test_equal_seeds_give_equal_weights_and_a_killed_training_resumes_bitwise(
    workspace: Workspace,
) -> None:
    config = TINY.model_copy(update={"epochs": 3})
    (run,) = train(config, work_on(workspace))
    undisturbed = load_file(run.folder / "last.safetensors")
    shutil.rmtree(run.folder)
    code = (
        "import sys; from pathlib import Path; from webemo_curate.config import TrainConfig;"
        "from webemo_curate.training.fit import train;"
        "from webemo_curate.workspace import Workspace;"
        "from webemo_curate.config import PipelineConfig;"
        "from webemo_curate.runner.work_context import WorkContext;"
        f"train(TrainConfig.model_validate_json({config.model_dump_json()!r}),"
        f"WorkContext(Workspace(Path({str(workspace.root)!r})), PipelineConfig()))"
    )
    process = subprocess.Popen([sys.executable, "-c", code])
    state = run.folder / "state.safetensors"
    while not state.exists() and process.poll() is None:
        time.sleep(0.01)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    assert state.exists(), "the run ended before it could be killed"
    threads = torch.get_num_threads()
    torch.set_num_threads(threads + 1)  # whatever this process used before must not matter
    try:
        train(config, work_on(workspace))
    finally:
        torch.set_num_threads(threads)
    resumed = load_file(run.folder / "last.safetensors")
    assert all(torch.equal(undisturbed[name], resumed[name]) for name in undisturbed)


def test_what_ends_after_the_last_epoch_does_not_cost_the_training(workspace: Workspace) -> None:
    (run,) = train(TINY, work_on(workspace))
    files = {"last.safetensors", "best.safetensors"}
    undisturbed = {name: (run.folder / name).read_bytes() for name in files}
    shutil.rmtree(run.folder)
    (run.folder / "metrics-validation.json" / "in the way").mkdir(parents=True)
    with pytest.raises(CurateError, match=r"metrics-validation\.json"):
        train(TINY, work_on(workspace))
    log = (run.folder / "log.jsonl").read_bytes()  # tells the speed, which is never the same

    shutil.rmtree(run.folder / "metrics-validation.json")
    (again,) = train(TINY, work_on(workspace))
    assert not again.skipped
    assert (run.folder / "log.jsonl").read_bytes() == log, "it was trained anew"
    for name in files:
        assert (run.folder / name).read_bytes() == undisturbed[name]
    assert not (run.folder / "state.safetensors").exists()


def test_a_finished_run_keeps_no_state_that_a_kill_has_left(workspace: Workspace) -> None:
    (run,) = train(TINY, work_on(workspace))
    (run.folder / "state.safetensors").touch()
    (again,) = train(TINY, work_on(workspace))
    assert again.skipped
    assert not (run.folder / "state.safetensors").exists()


def test_diverging_loss_stops_with_a_message(workspace: Workspace) -> None:
    with pytest.raises(CurateError, match="--lr"):
        train(TINY.model_copy(update={"lr": 1e30}), work_on(workspace))


def test_cuda_without_cuda_is_an_error(workspace: Workspace) -> None:
    if torch.cuda.is_available():
        pytest.skip("this machine has CUDA")
    with pytest.raises(InputError, match="no CUDA device"):
        train(TINY.model_copy(update={"device": "cuda"}), work_on(workspace))


def test_absent_weights_say_where_they_come_from(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("HF_HOME", str(tmp_path))
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    remedies = r"--weights FILE.*weights: FILE.*--from-scratch \(from_scratch: true\)"
    with pytest.raises(InputError, match=remedies):
        train(TINY.model_copy(update={"from_scratch": False}), work_on(workspace))


@pytest.mark.parametrize("suffix", [".safetensors", ".pth"])
def test_backbone_weights_come_from_a_file(tmp_path: Path, suffix: str) -> None:
    state = build_network(TINY).backbone.state_dict()
    source = {name: tensor.contiguous() for name, tensor in state.items()}
    path = tmp_path / f"weights{suffix}"
    if suffix == ".pth":
        torch.save(source, path)
    else:
        save_file(source, path)
    model = build_network(TINY)
    load_backbone(model, TINY.model_copy(update={"from_scratch": False, "weights": path}))
    loaded = model.backbone.state_dict()
    assert all(torch.equal(loaded[name], source[name]) for name in source)


def test_weights_of_another_shape_are_named(tmp_path: Path) -> None:
    state = build_network(TINY).backbone.state_dict()
    state["conv_stem.weight"] = torch.zeros(1)
    state = {name: tensor.contiguous() for name, tensor in state.items()}
    save_file(state, tmp_path / "w.safetensors")
    config = TINY.model_copy(update={"from_scratch": False, "weights": tmp_path / "w.safetensors"})
    with pytest.raises(InputError, match=r"conv_stem\.weight"):
        load_backbone(build_network(TINY), config)


class Payload:
    """Pickles to a call that makes a file."""

    def __init__(self, victim: Path) -> None:
        self.victim = victim

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return Path.touch, (self.victim,)  # type: ignore[return-value]


def test_pickled_code_is_refused_and_not_run(tmp_path: Path) -> None:
    path = tmp_path / "evil.pth"
    torch.save({"conv_stem.weight": Payload(tmp_path / "victim")}, path)
    with pytest.raises(InputError, match="plain tensors"):
        read_weights(path)
    assert not (tmp_path / "victim").exists()
    assert path.exists()


def test_out_of_memory_says_which_batch_size_to_try(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_: object) -> None:
        raise torch.OutOfMemoryError("CUDA out of memory")

    monkeypatch.setattr("webemo_curate.training.trainer.Augmentation.__call__", fails)
    with pytest.raises(CurateError, match="--batch-size 4"):
        train(TINY, work_on(workspace))
