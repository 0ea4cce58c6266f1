"""docs/commands.md, generated from the command line: `python -m tools.command_pages > FILE`."""

from collections.abc import Iterator
from enum import EnumType
from typing import Any, get_args, get_origin

import typer.main
from typer.core import TyperArgument, TyperGroup, TyperOption

from webemo_curate.cli import entry  # noqa: F401 - declares the commands
from webemo_curate.cli.command import app
from webemo_curate.cli.options import VALUES, field_options
from webemo_curate.config import PipelineConfig
from webemo_curate.config.settings import option_name

HEADER = """\
# Commands

Generated from the command line: what `curate COMMAND --help` says, of every command. Options
that every command takes stand at the end. Old names that work until the next release: {old}.
"""

GENERAL = "General"


def command_page() -> str:
    """Return the page as Markdown: a section for each command, a table for each help panel."""
    commands = list(_commands(typer.main.get_command(app)))
    shared = [one for one in commands[0][1].params if _panel(one) == GENERAL]
    sections = [_section(name, command) for name, command in commands]
    return (
        HEADER.format(old=_old_names())
        + "".join(sections)
        + "\n## Every command\n"
        + _table(shared)
    )


def _old_names() -> str:
    options = [each for section in PipelineConfig.model_fields for each in field_options(section)]
    return ", ".join(
        f"`{each.flag.old_name}` (now `{option_name(each.name, each.field)}`)"
        for each in options
        if each.flag.old_name
    )


def _commands(command: Any, name: str = "curate") -> Iterator[tuple[str, Any]]:
    if not isinstance(command, TyperGroup):
        yield name, command
        return
    for part, below in sorted(command.commands.items()):
        yield from _commands(below, f"{name} {part}")


def _section(name: str, command: Any) -> str:
    arguments = [one for one in command.params if isinstance(one, TyperArgument)]
    options = [one for one in command.params if isinstance(one, TyperOption) and not one.hidden]
    usage = " ".join([name, *(_placeholder(one) for one in arguments), "[OPTIONS]"])
    text = f"\n## {name}\n\n{command.help}\n\n```\n{usage}\n```\n"
    if arguments:
        text += _table(arguments)
    panels = dict.fromkeys(_panel(one) for one in options if _panel(one) != GENERAL)
    for panel in panels:
        text += f"\n**{panel}**\n" + _table([one for one in options if _panel(one) == panel])
    return text + _examples(command.epilog)


def _examples(epilog: str | None) -> str:
    _, *examples = (epilog or "").split("\n\n")
    return "\n```\n" + "\n".join(examples) + "\n```\n" if examples else ""


def _table(parameters: list[Any]) -> str:
    return "\n| | |\n|---|---|\n" + "".join(map(_row, parameters))


def _row(parameter: Any) -> str:
    is_option = isinstance(parameter, TyperOption)
    names = ", ".join([*parameter.opts, *parameter.secondary_opts]) if is_option else ""
    value = "" if getattr(parameter, "is_flag", False) else _placeholder(parameter)
    what = " ".join(part for part in (names, value) if part).replace("|", "\\|")
    default = _default(parameter)
    said = f" Default: `{default}`." if default else ""
    return f"| `{what}` | {(parameter.help or '').replace('|', chr(92) + '|')}{said} |\n"


def _placeholder(parameter: Any) -> str:
    """Return the placeholder of a value: as declared, or its choices, or its type."""
    if parameter.metavar:
        return str(parameter.metavar)
    kind = parameter.type_descriptor.annotation
    kind = get_args(kind)[0] if get_origin(kind) is list else kind
    choices = list(kind) if isinstance(kind, EnumType) else get_args(kind)
    if choices:
        return "[" + "|".join(map(str, choices)) + "]"
    return VALUES[kind] if isinstance(parameter, TyperOption) else parameter.name.upper()


def _default(parameter: Any) -> str:
    shown = getattr(parameter, "show_default", False)
    if isinstance(shown, str):
        return shown
    default = parameter.default
    return "" if default in (None, False, True, (), []) else str(default)


def _panel(parameter: Any) -> str:
    return getattr(parameter, "rich_help_panel", None) or (
        "Options" if isinstance(parameter, TyperOption) else "Arguments"
    )


if __name__ == "__main__":
    print(command_page(), end="")
