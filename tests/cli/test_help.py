"""The help of every command: each option says what it is for, and the examples are commands."""

import shlex
from collections.abc import Iterator
from typing import Any

import pytest
import typer.main
from typer.core import TyperGroup

from tests.cli.command import curate
from webemo_curate.cli import entry  # noqa: F401 - declares the commands
from webemo_curate.cli.command import app


def commands(command: Any, name: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Yield every command with the words that call it."""
    if not isinstance(command, TyperGroup):
        yield name, command
        return
    for part, below in command.commands.items():
        yield from commands(below, (*name, part))


ALL = dict(commands(typer.main.get_command(app)))


@pytest.mark.parametrize("name", ALL, ids=" ".join)
def test_every_parameter_is_described(name: tuple[str, ...]) -> None:
    command = ALL[name]
    assert command.help
    shown = [one for one in command.params if not getattr(one, "hidden", False)]
    assert [one.name for one in shown if not getattr(one, "help", None)] == []


@pytest.mark.parametrize("name", ALL, ids=" ".join)
def test_examples_at_the_end_of_the_help_are_commands_that_parse(name: tuple[str, ...]) -> None:
    _, *examples = (ALL[name].epilog or "").split("\n\n")
    assert examples, "no example"
    for example in examples:
        curate_, *words = shlex.split(example)
        assert curate_ == "curate"
        assert tuple(words[: len(name)]) == name or name == ("runs", "list")
        given = words[len(name) :] if tuple(words[: len(name)]) == name else words[1:]
        ALL[name].make_context("example", given)


def test_short_and_long_help_are_the_same_and_end_with_examples() -> None:
    short, long = curate("split", "-h"), curate("split", "--help")
    assert short == long
    assert "curate split --ratios 70/15/15 --seed 1" in short.results


def test_a_mistyped_option_is_bad_usage() -> None:
    said = curate("split", "--rations", "80/10/10")
    assert said.code == 2
    assert "--ratios" in said.rest
