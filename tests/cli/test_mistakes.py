"""What newcomers mistype: exit code 2, one message with the right remedy, nothing created."""

from pathlib import Path

import pytest

from tests.cli.command import Said, curate
from webemo_curate.workspace import Workspace


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give an empty folder to stand in."""
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    return tmp_path / "here"


def message(said: Said) -> str:
    """Return the one message that a mistake ended with."""
    assert said.code == 2, said
    assert not said.results
    (one,) = [line for line in said.rest.splitlines() if line.startswith("curate: ")]
    return one


@pytest.mark.parametrize(
    ("typed", "remedy"),
    [
        ("status --workspace nosuch", "--workspace nosuch: no such folder"),
        ("report --workspace nosuch", "--workspace nosuch: no such folder"),
        ("verify --workspace nosuch", "--workspace nosuch: no such folder"),
        ("evaluate --workspace nosuch", "--workspace nosuch: no such folder"),
        ("filter-text", "--lists webemo"),
        ("fetch --lists nosuch.txt", "nosuch.txt: no such list; give --lists a list"),
        ("fetch --source nosuch", "nosuch: no such list; give --lists a list"),
        ("run nosuch.yaml", "nosuch.yaml: no such file"),
        ("experiment nosuch.yaml", "nosuch.yaml: no such file"),
        ("add-folder nosuch --name emo", "nosuch: no such folder"),
        ("taxonomy show nosuch", "there are ekman6"),
        ("rebuild nosuch", "nosuch: no such folder"),
        ("undersample --positive-fraction 46", "--positive-fraction: "),
        ("split --ratios 80/10", "--ratios: give three numbers, such as 80/10/10"),
        ("split --ratios a/b/c", "--ratios: give three numbers, such as 80/10/10"),
        ("dedup --against nosuch", "--against nosuch: no such folder or manifest"),
        ("split --only --workspace nosuch", "--workspace nosuch: no such folder"),
    ],
)
def test_a_mistake_is_one_message_and_creates_nothing(here: Path, typed: str, remedy: str) -> None:
    assert remedy in message(curate(*typed.split()))
    assert not list(here.iterdir())


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("fetch:\n  rat: 3\n", "file.yaml:2: fetch.rat: no such setting; did you mean 'rate'?"),
        ("fetsh:\n  rate: 3\n", "file.yaml:1: fetsh: no such setting; did you mean 'fetch'?"),
        ("train:\n  grams: 3\n  epochs: x\n", "file.yaml:3: train.epochs: "),
    ],
)
def test_a_setting_of_a_file_is_named_with_its_line(here: Path, content: str, said: str) -> None:
    (here / "file.yaml").write_text(content)
    assert said in message(curate("run", "file.yaml"))
    assert [entry.name for entry in here.iterdir()] == ["file.yaml"]


@pytest.mark.parametrize(
    ("groups", "said"),
    [
        ("{good: bad, bad: good}", "groups stand above themselves (good -> bad -> good)"),
        ("{good: , bad: worst}", "worst"),
    ],
)
def test_a_taxonomy_that_cannot_be_is_refused_before_anything_is_made(
    here: Path, groups: str, said: str
) -> None:
    (here / "mood.yaml").write_text(
        "title: moods\nlevels: [mood, valence]\nlabels: {calm: good, sad: bad}\n"
        f"groups: {groups}\n"
    )
    (here / "photos" / "sad").mkdir(parents=True)
    (here / "photos" / "sad" / "1.jpg").write_bytes(b"any")
    typed = ("fetch", "--source", "photos", "--taxonomy", "mood.yaml", "--workspace", "ws")
    assert said in message(curate(*typed))
    assert sorted(entry.name for entry in here.iterdir()) == ["mood.yaml", "photos"]


def test_pictures_and_sets_that_are_not_there(trained: tuple[Workspace, Path], here: Path) -> None:
    workspace, run = trained
    place = ["--workspace", workspace.root]
    assert "nosuch.jpg: no such image file" in message(
        curate("predict", run.name, "nosuch.jpg", *place)
    )
    said = message(curate("evaluate", "--on", "nosuchfolder", *place))
    assert "--on nosuchfolder: no such split, added set, folder or manifest" in said
    assert "there are: train, validation, test" in said
    assert f"no finished run; there are: {run.name}" in message(
        curate("evaluate", "nosuchrun", *place)
    )
    assert not list(here.iterdir())


def test_a_workspace_that_is_a_file(here: Path) -> None:
    (here / "file").write_text("x")
    assert "--workspace file: is a file" in message(curate("status", "--workspace", "file"))
