"""Options that belong together: a dataclass whose fields are options of a command."""

from collections.abc import Callable, Iterator
from dataclasses import fields, is_dataclass
from inspect import Parameter, signature
from typing import Any


def spread(function: Callable[..., None]) -> list[Parameter]:
    """Return what a command parses: its parameters, and in a bundle's place the bundle's fields.

    Parameters
    ----------
    function : callable
        Takes a `Call`, options, and dataclasses of options.

    Returns
    -------
    list of Parameter
        By name alone.
    """
    return [each.replace(kind=Parameter.KEYWORD_ONLY) for each in _options(function)]


def gather(function: Callable[..., None], given: dict[str, Any]) -> dict[str, Any]:
    """Return the arguments of a command's function, bundles put together of what was parsed.

    Parameters
    ----------
    function : callable
        As for `spread`.
    given : dict of str to Any
        A value for each parameter that `spread` returns.

    Returns
    -------
    dict of str to Any
        A value for each parameter of the function's own.
    """
    return {name: _value(name, own.annotation, given) for name, own in _own(function).items()}


def _value(name: str, kind: Any, given: dict[str, Any]) -> Any:
    names = [field.name for field in fields(kind)] if is_dataclass(kind) else []
    return kind(**{each: given[each] for each in names}) if names else given[name]


def _own(function: Callable[..., None]) -> dict[str, Parameter]:
    """Return a command's parameters behind the call."""
    return dict([*signature(function).parameters.items()][1:])


def _options(function: Callable[..., None]) -> Iterator[Parameter]:
    for own in _own(function).values():
        if not is_dataclass(own.annotation):
            yield own
            continue
        for field in fields(own.annotation):
            yield Parameter(
                field.name, Parameter.KEYWORD_ONLY, default=field.default, annotation=field.type
            )
