"""Commands end with their result in words, where it lies, and the next command, whole."""

import ast
import json
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.command import curate
from tests.cli.test_every_command import EVERY
from webemo_curate import cli
from webemo_curate.workspace import Workspace

LOOKS = ("list_runs", "compare_runs", "show_taxonomy", "similar")
"""Commands that show what is there, and lead nowhere."""


def commands() -> Iterator[ast.FunctionDef]:
    """Yield the functions that are declared as commands."""
    for file in sorted(Path(cli.__file__).parent.glob("*_commands.py")):
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.FunctionDef) and any(
                isinstance(call, ast.Call) and getattr(call.func, "id", "") == "command"
                for call in node.decorator_list
            ):
                yield node


def closes(function: ast.FunctionDef) -> bool:
    """Tell whether a function names the next command, or hands on to one that does."""
    calls = [node for node in ast.walk(function) if isinstance(node, ast.Call)]
    ends = [call for call in calls if getattr(call.func, "attr", "") in ("end", "say")]
    named = any(keyword.arg == "then" for call in ends for keyword in call.keywords)
    shared = {"_run_stages", "_save"}
    return named or any(getattr(call.func, "id", "") in shared for call in calls)


def test_every_command_that_works_names_the_next() -> None:
    found = list(commands())
    assert len(found) == len(EVERY)
    silent = {each.name for each in found if not closes(each)}
    assert silent == set(LOOKS)


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ("config show", "settings are set in"),
        ("config set train.epochs 7", "train.epochs is 7"),
        ("export csv --to OUT", "csv in"),
        ("predict RUN PICTURE", "1 image: 1 "),
        ("report", "The report is made"),
        ("pack --image-size 32", "images packed"),
    ],
)
def test_the_closing_lines_are_whole(
    trained: tuple[Workspace, Path],
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    typed: str,
    words: str,
) -> None:
    workspace, run = trained
    picture = next(workspace.root.glob("data/images/**/*.png"))
    places = {"OUT": tmp_path / "out", "RUN": run.name, "PICTURE": picture}
    arguments = [places.get(word, word) for word in typed.split()]
    said = curate(*arguments, "--workspace", workspace.root)
    assert said.code == 0, said
    lines = [*said.results.splitlines(), *caplog.messages]
    assert any(words in line for line in lines)
    (following,) = [line for line in lines if line.startswith("Next: ")]
    program, *command = shlex.split(following.removeprefix("Next: "))
    assert program == "curate"
    assert any(name.split() == command[: len(name.split())] for name in (*EVERY, "runs"))
    assert command[-2:] == ["--workspace", str(workspace.root)]


def test_quiet_keeps_the_result_and_leaves_out_what_comes_next(
    trained: tuple[Workspace, Path],
) -> None:
    workspace, _ = trained
    said = curate("report", "-q", "--workspace", workspace.root)
    assert "Written: " in said.results
    assert "Next: " not in said.results + said.rest


def test_what_is_printed_as_a_table_stays_one(trained: tuple[Workspace, Path]) -> None:
    workspace, run = trained
    picture = next(workspace.root.glob("data/images/**/*.png"))
    said = curate("predict", run.name, picture, "--workspace", workspace.root)
    assert [len(line.split("\t")) for line in said.results.splitlines()] == [3]


def test_local_files_are_called_files(tmp_path: Path, workspace: Workspace) -> None:
    picture = next(workspace.root.glob("data/images/**/*.png"))
    (tmp_path / "photos" / "sad").mkdir(parents=True)
    (tmp_path / "photos" / "sad" / "1.png").write_bytes(picture.read_bytes())
    (tmp_path / "photos" / "sad" / "2.png").write_bytes(b"no picture")
    place = ("--workspace", tmp_path / "ws")
    said = curate("fetch", "--source", tmp_path / "photos", *place)
    assert "1 of 2 files gave no picture" in said.results
    assert "remaining            1             files" in curate("status", *place).results
    assert "URLs" not in said.results


@pytest.mark.parametrize(
    "typed",
    [
        *("config show", "config set train.epochs 7", "status", "taxonomy show", "runs", "report"),
        *("export csv --to OUT", "predict RUN PICTURE", "pack --image-size 32"),
    ],
)
def test_all_of_standard_output_is_one_json_document(
    trained: tuple[Workspace, Path], tmp_path: Path, typed: str
) -> None:
    workspace, run = trained
    picture = next(workspace.root.glob("data/images/**/*.png"))
    places = {"OUT": tmp_path / "out", "RUN": run.name, "PICTURE": picture}
    arguments = [places.get(word, word) for word in typed.split()]
    said = curate(*arguments, "--json", "--workspace", workspace.root)
    assert said.code == 0, said
    assert isinstance(json.loads(said.results), dict)


def test_every_command_has_an_answer_for_programs() -> None:
    for function in commands():
        calls = [node for node in ast.walk(function) if isinstance(node, ast.Call)]
        answers = any(getattr(call.func, "attr", "") == "answer" for call in calls)
        shared = any(getattr(call.func, "id", "") in ("_run_stages", "_save") for call in calls)
        assert answers or shared, function.name
