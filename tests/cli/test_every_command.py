"""Every command's options come from the configuration, and what all share is the same."""

import inspect
import re
from collections.abc import Iterator
from typing import Any

import pytest
import typer

from webemo_curate.cli.command import RUNNER, SHARED, app
from webemo_curate.cli.entry import COMMANDS
from webemo_curate.cli.options import field_options

STAGES = (
    *("fetch", "flag-quality", "filter-text", "dedup", "binarize", "undersample", "split", "run"),
    *("label-issues", "map", "pack", "train-model", "evaluate", "experiment", "add-folder"),
)
RUNS_STAGES = re.compile(r"_run_stages\(call|[pP]ipeline(\(.*\))?\.run\(|\bcurate\(config")


def walk(command: Any, name: str = "") -> Iterator[tuple[str, Any]]:
    """Yield every command that can be called, with its full name."""
    if not hasattr(command, "commands"):
        yield name, command
    for part, inner in getattr(command, "commands", {}).items():
        yield from walk(inner, f"{name} {part}".strip())


assert COMMANDS, "importing them declares the commands"
EVERY = dict(walk(typer.main.get_command(app)))


def options(command: Any) -> list[Any]:
    return [option for option in command.params if option.param_type_name == "option"]


def flags(command: Any) -> set[str]:
    return {flag for option in options(command) for flag in (*option.opts, *option.secondary_opts)}


@pytest.mark.parametrize("name", EVERY)
def test_a_command_says_what_it_does_and_what_each_option_means(name: str) -> None:
    command = EVERY[name]
    assert command.help
    assert [option.name for option in options(command) if not (option.help or option.hidden)] == []


@pytest.mark.parametrize("name", EVERY)
def test_a_command_has_the_options_of_all(name: str) -> None:
    assert {"--workspace", "--json", "--quiet", "--verbose"} <= flags(EVERY[name])
    general = [option for option in options(EVERY[name]) if option.name in SHARED]
    assert {getattr(option, "rich_help_panel", None) for option in general} == {"General"}


def test_no_command_that_runs_stages_is_forgotten_here() -> None:
    sources = [
        part for module in COMMANDS for part in inspect.getsource(module).split("\n@command(")
    ]
    declared = [part for part in sources[1:] if RUNS_STAGES.search(part.partition("\ndef _")[0])]
    names = {re.findall(r'"([^"]+)"', part)[0] for part in declared}
    assert "split" in names
    assert names <= {*STAGES}


@pytest.mark.parametrize("name", STAGES)
def test_a_command_that_runs_stages_takes_the_runner_options(name: str) -> None:
    wanted = {option.key for place in RUNNER for option in field_options(place)}
    assert wanted
    assert wanted <= {option.name for option in options(EVERY[name])}


def test_an_option_means_the_same_wherever_it_stands() -> None:
    """An option of one name and one field has one help, one default and one panel."""
    said: dict[str, set[tuple[str | None, str | None]]] = {}
    for command in EVERY.values():
        for option in options(command):
            entry = (option.help, getattr(option, "rich_help_panel", None))
            said.setdefault(str(option.name), set()).add(entry)
    shared = {option.key for place in RUNNER for option in field_options(place)} | set(SHARED)
    assert {name: said[name] for name in shared if len(said[name]) > 1} == {}


def test_the_program_completes_and_tells_its_version() -> None:
    program = typer.main.get_command(app)
    assert {"--version", "--install-completion", "--show-completion"} <= flags(program)
