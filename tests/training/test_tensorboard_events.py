"""The log of a training as TensorBoard shows it."""

from pathlib import Path

import pytest
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from tests.trainable import TINY
from tests.work import work_on
from webemo_curate.errors import InputError
from webemo_curate.runs import LogEntry
from webemo_curate.training.fit import train
from webemo_curate.training.trainer import Trainer
from webemo_curate.workspace import Workspace

LOGGED = TINY.model_copy(update={"tensorboard": True})


def shown(run: Path) -> dict[str, list[tuple[int, float]]]:
    """The (epoch, figure) pairs of each curve, as TensorBoard reads them."""
    events = EventAccumulator(str(run / "tensorboard")).Reload()
    return {
        name: [(point.step, point.value) for point in events.Scalars(name)]
        for name in events.Tags()["scalars"]
    }


def logged(history: list[LogEntry], name: str) -> list[tuple[int, float]]:
    return [(entry["epoch"], pytest.approx(entry[name], rel=1e-6)) for entry in history]


@pytest.mark.slow
def test_events_show_the_log(workspace: Workspace) -> None:
    (run,) = train(LOGGED, work_on(workspace))
    curves = shown(run.folder)
    assert set(curves) == {name for name, value in run.history[0].items() if value is not None} - {
        "epoch"
    }
    for name, curve in curves.items():
        assert curve == logged(run.history, name)


@pytest.mark.slow
def test_a_resumed_run_shows_each_epoch_once(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    save = Trainer._save

    def stop_at_the_second_epoch(trainer: Trainer) -> None:
        if trainer.progress.epochs == 2:
            raise KeyboardInterrupt
        save(trainer)

    with monkeypatch.context() as patch:
        patch.setattr(Trainer, "_save", stop_at_the_second_epoch)
        with pytest.raises(KeyboardInterrupt):
            train(LOGGED, work_on(workspace))
    (run,) = train(LOGGED, work_on(workspace))
    assert [step for step, _ in shown(run.folder)["loss"]] == [1, 2]


def test_without_tensorboard_nothing_starts(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("webemo_curate.optional_packages.find_spec", lambda _: None)
    with pytest.raises(InputError, match="pip install"):
        train(LOGGED, work_on(workspace))
    assert not (workspace.root / "runs").exists()
