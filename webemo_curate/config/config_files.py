"""Read configuration files, with errors that a user can act on."""

from collections.abc import Callable, Iterable
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Final, get_args

from pydantic import ValidationError

from webemo_curate.config.settings import ConfigT, StageConfig
from webemo_curate.config.yaml_files import line_of, read_yaml
from webemo_curate.credentials import masked
from webemo_curate.errors import InputError
from webemo_curate.quoting import quoted

UNKNOWN: Final = "extra_forbidden"
"""Pydantic's name for the error of an unknown field."""


def read_mapping(path: Path) -> dict[str, Any]:
    """Read a YAML file of sections.

    Parameters
    ----------
    path : Path
        The file.

    Returns
    -------
    dict of str to Any
        The file's top-level keys; empty for an empty file.

    Raises
    ------
    InputError
        If the file cannot be read or is not a mapping.
    """
    document = read_yaml(path)
    if document is None:
        return {}
    if not isinstance(document, dict) or not all(isinstance(key, str) for key in document):
        raise InputError(f"{path}: must be a mapping of sections such as 'fetch:'")
    return document


def validate(
    model: type[ConfigT], document: dict[str, Any], name: Callable[[tuple[Any, ...]], str]
) -> ConfigT:
    """Build a configuration from a document.

    Parameters
    ----------
    model : type of StageConfig
        The kind of configuration.
    document : dict of str to Any
        Its fields.
    name : Callable
        Names a field as the user knows it, from its keys, outermost first.

    Returns
    -------
    StageConfig
        The configuration, defaults filled in.

    Raises
    ------
    InputError
        For the first unknown field or invalid value.
    """
    try:
        return model.model_validate(document)
    except ValidationError as error:
        first = error.errors()[0]
        if first["type"] == UNKNOWN:
            what = _unknown(model, first["loc"])
            raise InputError(f"{name(first['loc'])}: {what}") from error
        given = first.get("input")
        given = quoted(masked(given) if isinstance(given, str) else given)
        what = first["msg"].removeprefix("Value error, ")
        raise InputError(f"{name(first['loc'])}: {what} (given: {given})") from error


def within(path: Path) -> Callable[[tuple[Any, ...]], str]:
    """Return a function that names a field of a file: the file, its line, then the keys."""

    def name(keys: tuple[Any, ...]) -> str:
        line = line_of(path, keys)
        place = f"{path}:{line}" if line else str(path)
        return f"{place}: {'.'.join(map(str, keys))}"

    return name


def closest(given: str, known: Iterable[str]) -> str:
    """Suggest the known name closest to a mistyped one, or list all known names."""
    names = sorted(known)
    near = get_close_matches(given, names, n=1)
    return f"did you mean '{near[0]}'?" if near else f"there are: {', '.join(names)}"


def _unknown(model: type[StageConfig], keys: tuple[Any, ...]) -> str:
    kind: Any = model
    for key in keys[:-1]:
        field = getattr(kind, "model_fields", {}).get(str(key))
        kind = _section(field.annotation) if field else None
    fields = getattr(kind, "model_fields", {})
    return f"no such setting; {closest(str(keys[-1]), fields)}"


def _section(annotation: Any) -> Any:
    """Return the model of a section, also of an optional one."""
    kinds = (annotation, *get_args(annotation))
    return next((kind for kind in kinds if hasattr(kind, "model_fields")), None)
