"""Command-line options made from the configuration's fields: name, type, choices, default, help."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from inspect import Parameter
from pathlib import Path
from types import UnionType
from typing import Annotated, Any, Final, Literal, Union, get_args, get_origin

import typer
from pydantic.fields import FieldInfo

from webemo_curate.config import TAKEN_BACK, Overrides, PipelineConfig
from webemo_curate.config.settings import Flag, flag_of, option_name

VALUES: Final = {int: "N", float: "X", str: "TEXT", Path: "PATH"}
"""What stands for a value of a kind in the help."""


@dataclass(frozen=True)
class FieldOption:
    """An option that stands for a field of the configuration.

    Attributes
    ----------
    section
        Where the field is; empty for the pipeline's own.
    name
        The field's name.
    field
        Its declaration.
    flag
        How it is given.
    """

    section: str
    name: str
    field: FieldInfo
    flag: Flag

    @property
    def key(self) -> str:
        """Name of the parameter that carries it: unique over sections."""
        return f"{self.section}_{self.name}"

    @property
    def old_key(self) -> str:
        """The same for the option's old name."""
        return f"{self.key}_old"

    def parameters(self) -> Iterator[Parameter]:
        """Yield what Typer reads the option from, and a hidden one for its old name."""
        names = self.flag.names or option_name(self.name, self.field)
        yield self._parameter(self.key, names)
        if self.flag.old_name:
            yield self._parameter(self.old_key, self.flag.old_name, hidden=True)

    def take(self, given: dict[str, Any]) -> Any:
        """Take the option's value out of what was parsed; None if it was not given."""
        value = given.pop(self.key)
        if self.flag.old_name:
            old = given.pop(self.old_key, None)
            if old is not None:
                new = option_name(self.name, self.field)
                typer.echo(
                    f"curate: {self.flag.old_name} is {new} now; the old name goes with the next "
                    "release",
                    err=True,
                )
                value = old if value is None else value
        return self.flag.switch[value] if self.flag.switch and value is not None else value

    def _parameter(self, key: str, names: str, *, hidden: bool = False) -> Parameter:
        kind: Any = bool if self.flag.switch else _option_type(self.field.annotation)
        metavar, parser = self.flag.metavar, None
        if _takes_none(self.field, kind):
            metavar, parser, kind = f"{metavar or VALUES[kind]}|none", _value_or_none, str
        option: Any = typer.Option(
            names,
            parser=parser,
            help=self.field.description,
            metavar=metavar,
            rich_help_panel=self.flag.panel,
            show_default=_shown_default(self.field, self.flag),
            hidden=hidden,
        )
        return Parameter(
            key, Parameter.KEYWORD_ONLY, default=None, annotation=Annotated[kind | None, option]
        )


def field_options(place: str) -> Iterator[FieldOption]:
    """Find the options of a part of the configuration.

    Parameters
    ----------
    place : str
        A section (`fetch`), one field of it (`train.image_size`), or a field of the pipeline
        itself (`workers`).

    Yields
    ------
    FieldOption
        One for each field there that has a flag, in the order of their declaration.
    """
    section, _, wanted = place.partition(".")
    model = PipelineConfig.model_fields[section].annotation
    fields: Mapping[str, FieldInfo] = getattr(model, "model_fields", {})
    if not fields:
        section, wanted, fields = "", section, PipelineConfig.model_fields
    for name, field in fields.items():
        flag = flag_of(field)
        if flag and wanted in ("", name):
            yield FieldOption(section, name, field, flag)


def option_parameters(options: Sequence[FieldOption]) -> list[Parameter]:
    """Return what Typer reads options from; an old name that two have had is the first's.

    Parameters
    ----------
    options : sequence of FieldOption
        A command's.

    Returns
    -------
    list of Parameter
        Keyword parameters, None by default.
    """
    old_names: dict[str, str] = {}
    for option in options:
        if option.flag.old_name:
            old_names.setdefault(option.flag.old_name, option.old_key)
    return [
        parameter
        for option in options
        for parameter in option.parameters()
        if parameter.name != option.old_key or parameter.name in old_names.values()
    ]


def take_overrides(options: list[FieldOption], given: dict[str, Any]) -> Overrides:
    """Take what options were given out of what was parsed.

    Parameters
    ----------
    options : list of FieldOption
        The command's.
    given : dict of str to Any
        Parsed parameters; those of the options are removed.

    Returns
    -------
    dict of str to dict of str to Any
        Section, field, value; None where nothing was given.
    """
    overrides: Overrides = {}
    for option in options:
        value = option.take(given)
        overrides.setdefault(option.section, {})[option.name] = None if value == [] else value
    return overrides


def value_given(field: FieldInfo, text: str) -> Any:
    """Return what a field reads of a text; of `none`, that its value is taken back.

    Parameters
    ----------
    field : FieldInfo
        Of the configuration.
    text : str
        As it was typed.
    """
    return _value_or_none(text) if _takes_none(field, _option_type(field.annotation)) else text


def _option_type(annotation: Any) -> Any:
    """Return what Typer parses a field as."""
    plain = _without_none(annotation)
    if get_origin(plain) is Annotated:
        plain = get_args(plain)[0]
    if get_origin(plain) is tuple:
        first = get_args(plain)[0]
        item = get_args(first)[0] if get_origin(first) is Annotated else first
        # Several texts or numbers are one value with separators, which the field itself splits.
        return list[Path] if item is Path else str
    if get_origin(plain) is Literal and not all(isinstance(v, str) for v in get_args(plain)):
        return type(get_args(plain)[0])
    return plain


def _takes_none(field: FieldInfo, kind: Any) -> bool:
    """Tell whether a field can be without a value, so that `none` takes one back."""
    optional = type(None) in get_args(field.annotation)
    return optional and kind in (int, float, str, Path)


def _value_or_none(given: str) -> Any:
    """Return an option's text, which the field itself reads, or that it is taken back."""
    return TAKEN_BACK if given.lower() == "none" else given


def _without_none(annotation: Any) -> Any:
    if get_origin(annotation) in (Union, UnionType):
        (kind,) = [part for part in get_args(annotation) if part is not type(None)]
        return kind
    return annotation


def _shown_default(field: FieldInfo, flag: Flag) -> str | bool:
    """Return how the help shows a default; False where there is nothing to show."""
    default = field.default
    if flag.switch or default is None or default == ():
        return False
    if isinstance(default, bool):
        names = flag.names.split("/")
        return names[0 if default else 1].removeprefix("--") if len(names) > 1 else False
    if isinstance(default, tuple):
        return "/".join(map(str, default))
    return str(default)
