"""Reading configuration files, with errors that a user can act on."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from webemo_curate.config.settings import ConfigT
from webemo_curate.config.yaml_files import read_yaml
from webemo_curate.credentials import masked
from webemo_curate.errors import InputError
from webemo_curate.quoting import quoted


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
    document = read_yaml(path)
    if document is None:
        return {}
    if not isinstance(document, dict) or not all(isinstance(key, str) for key in document):
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
        given = quoted(masked(given) if isinstance(given, str) else given)
        raise InputError(f"{name(first['loc'])}: {first['msg']} (given: {given})") from error


def within(path: Path) -> Callable[[tuple[Any, ...]], str]:
    """Return what names a field of a file: the file, then the keys."""
    return lambda keys: f"{path}: {'.'.join(map(str, keys))}"
