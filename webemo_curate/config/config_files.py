"""Reading configuration files, with errors that a user can act on."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from webemo_curate.config.settings import ConfigT
from webemo_curate.errors import InputError
from webemo_curate.system_faults import raise_system_fault


def read_mapping(path: Path) -> dict[str, Any]:
    """Read a YAML file of sections.

    Parameters
    ----------
    path : Path
        The file.

    Returns
    -------
    dict of str to Any
        Its top-level keys; empty for an empty file.

    Raises
    ------
    InputError
        If it cannot be read or is no mapping.
    """
    try:
        document = yaml.safe_load(path.read_text(encoding="utf-8")) or {}
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise_system_fault(error, str(path))
        raise InputError(f"{path}: not a readable YAML file: {error}") from error
    if not isinstance(document, dict):
        raise InputError(f"{path}: must be a mapping of sections such as 'fetch:'")
    return document


def validate(
    model: type[ConfigT], document: dict[str, Any], name: Callable[[tuple[Any, ...]], str]
) -> ConfigT:
    """Make a configuration of a document.

    Parameters
    ----------
    model : type of StageConfig
        The kind of configuration.
    document : dict of str to Any
        Its fields.
    name : Callable
        Names a field, given its keys from the top, as the user knows it.

    Returns
    -------
    StageConfig
        The configuration, defaults filled in.

    Raises
    ------
    InputError
        For the first field that is unknown or impossible.
    """
    try:
        return model.model_validate(document)
    except ValidationError as error:
        first = error.errors()[0]
        given = first.get("input")
        raise InputError(f"{name(first['loc'])}: {first['msg']} (given: {given!r})") from error


def within(path: Path) -> Callable[[tuple[Any, ...]], str]:
    """Return what names a field of a file: the file, then the keys."""
    return lambda keys: f"{path}: {'.'.join(map(str, keys))}"
