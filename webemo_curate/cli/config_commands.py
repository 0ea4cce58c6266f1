"""Commands on what a workspace remembers of the options that were given."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, Any

import typer
from pydantic.fields import FieldInfo

from webemo_curate.cli.call import Call
from webemo_curate.cli.command import command
from webemo_curate.cli.options import value_given
from webemo_curate.config import (
    CONFIG,
    NOT_KEPT,
    PRESET_FIELDS,
    TAKEN_BACK,
    Overrides,
    PipelineConfig,
    StageConfig,
    override,
)
from webemo_curate.config.config_files import closest
from webemo_curate.config.settings import option_name
from webemo_curate.config.yaml_files import line_of
from webemo_curate.errors import InputError

if TYPE_CHECKING:
    from webemo_curate.workspace import Workspace

SettingArgument = Annotated[
    str, typer.Argument(metavar="SETTING", help="Such as train.epochs, or the option --epochs.")
]


@command("config show", looks=True, examples=("config show --workspace mine",))
def show(call: Call) -> None:
    """Show every setting, its value and where the value comes from."""
    config = call.config()
    document = {}
    for name, value in settings(config):
        origin = _origin(name, config, call.workspace)
        document[name] = {"value": value, "from": origin}
        print(f"{name:<32} {_shown(value):<28} {origin}")
    given = sum(_is_given(name, config) for name in document)
    place = call.workspace.store.where(CONFIG)
    call.end(f"{given} of {len(document)} settings are set in {place}", then="status")
    call.answer(settings=document)


@command(
    "config set",
    looks=True,
    examples=("config set train.epochs 7", "config set --limit 100"),
    names_options=True,
)
def put(
    call: Call,
    setting: SettingArgument,
    value: Annotated[str, typer.Argument(help="What it is to be; several with commas.")],
) -> None:
    """Set a value for the commands that follow."""
    field = _field(_named(setting, call.config()))
    _save(call, setting, value_given(field, value) if field else value)


@command(
    "config unset",
    looks=True,
    examples=("config unset fetch.limit", "config unset --limit"),
    names_options=True,
)
def unset(call: Call, setting: SettingArgument) -> None:
    """Take a value back: the default holds again."""
    _save(call, setting, TAKEN_BACK)


def settings(config: PipelineConfig) -> Iterator[tuple[str, Any]]:
    """Yield the settings of a configuration by their dotted names, with their values.

    Parameters
    ----------
    config : PipelineConfig
        Of a workspace.

    Yields
    ------
    tuple of str and Any
        `section.field`, or the field alone where it is the pipeline's own.
    """
    for section in type(config).model_fields:
        part = getattr(config, section)
        if isinstance(part, StageConfig):
            yield from (
                (f"{section}.{name}", getattr(part, name)) for name in type(part).model_fields
            )
        else:
            yield section, part


def _save(call: Call, setting: str, value: Any) -> None:
    name = _named(setting, call.config())
    section, _, field = name.rpartition(".")
    if field in NOT_KEPT.get(section, ()) and value is not TAKEN_BACK:
        raise InputError(
            f"{setting}: no workspace keeps it; give {_option(name)} with each command"
        )
    overrides: Overrides = {section: {field: value}}
    with call.workspace.lock():
        before = call.workspace.config()
        if value is TAKEN_BACK and not _is_given(name, before):
            raise InputError(f"{setting}: is not set in {call.workspace.store.where(CONFIG)}")
        config = override(before, overrides)
        call.workspace.save_config(config)
    now = dict(settings(config))[name]
    said = f"{name} is {_shown(now)} ({_origin(name, config, call.workspace)})"
    call.end(said, lies=call.workspace.store.where(CONFIG), then="status")
    call.answer(**{name: now})


def _named(setting: str, config: PipelineConfig) -> str:
    """Return the dotted name of a setting that is given by it or by its option."""
    names = dict(settings(config))
    if setting in names:
        return setting
    options = [name for name in names if _option(name) == setting]
    if len(options) == 1:
        return options[0]
    if options:
        raise InputError(f"{setting}: give one of {', '.join(options)}")
    raise InputError(f"{setting}: no such setting; {closest(setting, names)}")


def _field(name: str) -> FieldInfo | None:
    section, _, field = name.rpartition(".")
    fields = PipelineConfig.model_fields
    if section:
        fields = getattr(fields[section].annotation, "model_fields", {})
    return fields.get(field)


def _option(name: str) -> str:
    field = _field(name)
    return option_name(name.rpartition(".")[2], field) if field else ""


def _is_given(name: str, config: PipelineConfig) -> bool:
    section, _, field = name.rpartition(".")
    part = getattr(config, section) if section else config
    return field in part.model_fields_set


def _origin(name: str, config: PipelineConfig, workspace: "Workspace") -> str:
    section, _, field = name.rpartition(".")
    if _is_given(name, config):
        line = line_of(workspace.store.local(CONFIG), name.split("."))
        return f"{CONFIG}:{line}" if line else CONFIG
    if section and field in PRESET_FIELDS.get(section, ()):
        return f"preset {getattr(config, section).preset}"
    return "default"


def _shown(value: Any) -> str:
    if isinstance(value, tuple):
        return ", ".join(map(str, value)) or "-"
    return "-" if value is None else str(value)
