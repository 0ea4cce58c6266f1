"""What forbids a training is said before the work above it: nothing of it has run."""

import shlex
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
import yaml

from tests.cli.command import Said, curate
from tests.trainable import TINY, draw_set, make_workspace
from tests.work import work_on
from webemo_curate.config import BinarizeConfig
from webemo_curate.errors import InputError
from webemo_curate.run_names import names_by_seed
from webemo_curate.training.fit import train

LONGEST = "n" * 64


@pytest.fixture
def photos(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give a workspace of which nothing has run; packages that tensorboard needs are not here."""
    monkeypatch.setattr("webemo_curate.optional_packages.find_spec", lambda _: None)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    source = draw_set(tmp_path / "photos", 1)
    (tmp_path / "curate.yaml").write_text(yaml.safe_dump({"listing": {"source": [str(source)]}}))
    return tmp_path


def in_file(settings: str) -> Callable[[Path], Said]:
    """Return what runs a pipeline file with such settings of training."""

    def run(place: Path) -> Said:
        file = place / "pipeline.yaml"
        file.write_text((place / "curate.yaml").read_text() + f"train: {{{settings}}}\n")
        return curate("run", file, "--workspace", place)

    return run


def by_command(*typed: str) -> Callable[[Path], Said]:
    """Return what gives a command."""
    return lambda place: curate(*typed, "--workspace", place)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (by_command("train-model", "--name", "my run"), "--name my run: use letters"),
        (by_command("train-model", "--name", LONGEST, "--seeds", "2"), "at most 64"),
        (by_command("train-model", "--device", "cuda"), "--device cuda: no CUDA device"),
        (by_command("train-model", "--tensorboard"), "--tensorboard: the package"),
        (by_command("label-issues", "--device", "cuda"), "--device cuda: no CUDA device"),
        (in_file("device: cuda"), "--device cuda: no CUDA device"),
        (in_file("tensorboard: true"), "--tensorboard: the package"),
        (in_file("weights: nosuch.pth"), "no such file"),
    ],
)
def test_nothing_runs_where_the_training_cannot_begin(
    photos: Path, given: Callable[[Path], Said], said: str
) -> None:
    ended = given(photos)
    assert (ended.code, said in ended.rest) == (2, True), ended
    assert not (photos / "manifests").exists()


def test_a_name_is_that_of_the_run_or_of_each_seed() -> None:
    assert names_by_seed(None, range(2)) == {0: None, 1: None}
    assert names_by_seed("first", range(3, 4)) == {3: "first"}
    assert names_by_seed("first", range(2)) == {0: "first-seed0", 1: "first-seed1"}
    with pytest.raises(InputError, match="at most 64"):
        names_by_seed(LONGEST, range(2))


@pytest.mark.parametrize("classes", [("others", "it's joy, ok"), ("a", "b", "it's joy, ok")])
def test_a_class_with_too_few_images_is_said_with_commands_that_help(
    tmp_path: Path, classes: tuple[str, ...]
) -> None:
    sizes = {"train": 2 * len(classes) - 1, "validation": 2, "test": 2}
    workspace = make_workspace(tmp_path, classes, sizes)
    with pytest.raises(InputError, match="1 images of 'it's joy, ok'") as few:
        train(TINY, work_on(workspace))
    keep, *leave_out = str(few.value).split(" with '")[1:]
    assert shlex.split(keep.partition("'")[0]) == ["curate", "undersample", "--size", "none"]
    assert bool(leave_out) == (len(classes) > 2)
    for command in leave_out:
        given = shlex.split(command.removesuffix("'"))[3]
        assert BinarizeConfig.model_validate({"exclude": given}).exclude == ("it's joy, ok",)
