"""Read YAML from outside: plain values only, within limits on size and aliases."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import yaml
from yaml import MappingNode, Node, ScalarNode, SequenceNode

from webemo_curate.errors import InputError
from webemo_curate.quoting import printable
from webemo_curate.rooted import read_regular
from webemo_curate.system_faults import raise_system_fault

MAX_BYTES: Final = 256 * 2**10
"""Most bytes of a configuration file: ten times the longest sensible list of options and files."""

MAX_VALUES: Final = 20_000
"""Most values of a document with all aliases written out; nested aliases grow without bound."""

MAX_DEPTH: Final = 20
TOO_MUCH: Final = "its aliases stand for too many values; write the values out"


class _PlainLoader(yaml.SafeLoader):
    """Reads numbers, texts, lists and mappings; a date stays the text it was written as."""


_PlainLoader.yaml_implicit_resolvers = {
    first: [(tag, form) for tag, form in forms if tag != "tag:yaml.org,2002:timestamp"]
    for first, forms in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


def read_yaml(path: Path) -> Any:
    """Read a YAML file.

    Parameters
    ----------
    path : Path
        A regular file.

    Returns
    -------
    The document; None for an empty file.
        Its document; None for an empty file.

    Raises
    ------
    InputError
        If it cannot be read, is not YAML of plain values, or exceeds a limit of this module.
    """
    try:
        content = read_regular(path, MAX_BYTES + 1)
        if len(content) > MAX_BYTES:
            raise InputError(f"{path}: has more than {MAX_BYTES} bytes; is it a configuration?")
        return _construct(content.decode("utf-8"), path)
    except InputError:
        raise
    except FileNotFoundError as error:
        raise InputError(f"{path}: no such file") from error
    except Exception as error:  # constructors raise many kinds of errors on odd scalars
        raise_system_fault(error, str(path))
        reason = printable(str(error)) or type(error).__name__
        raise InputError(f"{path}: not a readable YAML file: {reason}") from error


def line_of(path: Path, keys: Sequence[object]) -> int | None:
    """Return the line of a value in a YAML file.

    Parameters
    ----------
    path : Path
        A file that `read_yaml` has read.
    keys : sequence of object
        Keys and indexes, outermost first.

    Returns
    -------
    int or None
        Line of the deepest key that exists, counted from 1; None if none exists.
    """
    loader = _PlainLoader(read_regular(path, MAX_BYTES).decode("utf-8"))
    try:
        node, line = loader.get_single_node(), None
        for key in keys:
            place, node = _below(node, key)
            if place is None:
                break
            line = place.start_mark.line + 1
        return line
    finally:
        loader.dispose()


def _below(node: Node | None, key: object) -> tuple[Node, Node] | tuple[None, None]:
    """Return the node of a mapping's key or of a list's item, and that of its value."""
    if isinstance(node, MappingNode):
        for name, value in node.value:
            if name.value == str(key):
                return name, value
    if isinstance(node, SequenceNode) and isinstance(key, int) and key < len(node.value):
        return node.value[key], node.value[key]
    return None, None


def _construct(text: str, path: Path) -> Any:
    loader = _PlainLoader(text)
    try:
        node = loader.get_single_node()
        if node is None:
            return None
        if _size(node, {}, 0) > MAX_VALUES:
            raise InputError(f"{path}: {TOO_MUCH}")
        return loader.construct_document(node)
    except RecursionError as error:
        raise InputError(f"{path}: is nested too deep, or an alias holds itself") from error
    finally:
        loader.dispose()


def _size(node: Node, known: dict[int, int], depth: int) -> int:
    """Count the values of a node with aliases written out; `known` holds counted nodes."""
    if depth > MAX_DEPTH:
        raise RecursionError
    if id(node) not in known:
        known[id(node)] = 1 + sum(_size(each, known, depth + 1) for each in _children(node))
    return known[id(node)]


def _children(node: Node) -> list[Node]:
    if isinstance(node, SequenceNode):
        return list(node.value)
    if isinstance(node, MappingNode):
        return [each for pair in node.value for each in pair]
    assert isinstance(node, ScalarNode)  # noqa: S101 - there is no other kind
    return []
