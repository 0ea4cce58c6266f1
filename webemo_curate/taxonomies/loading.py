"""Load taxonomies from YAML, within limits; an invalid one is refused with a remedy."""

from collections.abc import Iterable, Mapping
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any, Final

import yaml

from webemo_curate.errors import InputError
from webemo_curate.rooted import read_regular
from webemo_curate.system_faults import raise_system_fault
from webemo_curate.taxonomies.taxonomy import Taxonomy

WEBEMO: Final = "webemo"
AS_LISTED: Final = "as-listed"
"""Names the taxonomy without groups, whose labels are those of the listing."""

SUFFIX = ".yaml"
SUFFIXES = (SUFFIX, ".yml")
MAX_FILE_BYTES = 2**20
MAX_NAME = 100
KEYS = frozenset({"title", "levels", "labels", "groups"})

BUILT_IN: Final = tuple(
    sorted(
        entry.name.removesuffix(SUFFIX)
        for entry in files(__package__).iterdir()
        if entry.name.endswith(SUFFIX)
    )
)
"""Names of the built-in taxonomies."""


def load_taxonomy(name: str) -> Taxonomy:
    """Load a taxonomy.

    Parameters
    ----------
    name : str
        One of `BUILT_IN`, or the path of a YAML file.

    Returns
    -------
    Taxonomy
        The validated taxonomy.

    Raises
    ------
    InputError
        If it does not exist or is invalid; the message names the file, the line or name, and a
        remedy.
    """
    if name in BUILT_IN:
        return _built_in(name)
    path = Path(name)
    if path.suffix.lower() not in SUFFIXES:
        raise InputError(
            f"--taxonomy {name}: there are {', '.join(BUILT_IN)}; or give a file of your own "
            f"({SUFFIX}), or '{AS_LISTED}' for labels without groups"
        )
    return parse_taxonomy(_read(path), str(path))


def flat_taxonomy(labels: Iterable[str]) -> Taxonomy:
    """Return a taxonomy of labels without groups, sorted."""
    return Taxonomy(
        "the listing", "labels as listed", ("label",), tuple((x,) for x in sorted(set(labels)))
    )


def parse_taxonomy(text: str, name: str) -> Taxonomy:
    """Parse a taxonomy from YAML text.

    Parameters
    ----------
    text : str
        A mapping of `labels` (a list, or a mapping of label to group), `groups` (a mapping of group
        to its parent group, or to nothing), `levels` (names, the labels' level first) and `title`.
    name : str
        For messages.

    Returns
    -------
    Taxonomy
        With the labels in the given order.

    Raises
    ------
    InputError
        If the mapping is malformed, a name occurs twice, a group is unknown or its own ancestor, or
        labels differ in the number of groups above them.
    """
    document = _document(text, name)
    groups = _parents(document.get("groups"), name, "groups")
    labels = _parents(document.get("labels"), name, "labels")
    if not labels:
        raise InputError(f"{name}: has no labels; give 'labels: [happy, sad]' or more")
    chains = tuple(_chain(label, parent, groups, name) for label, parent in labels.items())
    depth = _depth(chains, name)
    levels = _levels(document.get("levels"), depth, name)
    used = {group for chain in chains for group in chain[1:]}
    if idle := sorted(groups.keys() - used):
        raise InputError(f"{name}: no label stands below '{idle[0]}'; remove the group")
    return Taxonomy(name, str(document.get("title") or name), levels, chains)


@cache
def _built_in(name: str) -> Taxonomy:
    text = files(__package__).joinpath(name + SUFFIX).read_text(encoding="utf-8")
    return parse_taxonomy(text, name)


def _read(path: Path) -> str:
    try:
        content = read_regular(path, MAX_FILE_BYTES + 1)
        text = content.decode("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise_system_fault(error, str(path))
        raise InputError(f"{path}: cannot be read as UTF-8 text: {error}") from error
    if len(content) > MAX_FILE_BYTES:
        raise InputError(f"{path}: longer than {MAX_FILE_BYTES} bytes; a taxonomy is short")
    return text


class _StrictLoader(yaml.SafeLoader):
    """Refuses references, and duplicate keys, of which YAML would silently drop the first."""

    def compose_node(self, parent: Any, index: Any) -> Any:
        if self.check_event(yaml.AliasEvent):
            event = self.peek_event()  # type: ignore[no-untyped-call]
            raise yaml.constructor.ConstructorError(
                None, None, "references (*name) are not taken", event.start_mark
            )
        return super().compose_node(parent, index)

    def construct_mapping(self, node: Any, deep: bool = False) -> dict[Any, Any]:
        seen: set[Any] = set()
        for key, _ in node.value:
            if not isinstance(key, yaml.ScalarNode):
                raise yaml.constructor.ConstructorError(
                    None, None, "a key must be a name", key.start_mark
                )
            if key.value in seen:
                raise yaml.constructor.ConstructorError(
                    None, None, f"'{key.value}' stands twice; remove one", key.start_mark
                )
            seen.add(key.value)
        return super().construct_mapping(node, deep)


def _document(text: str, name: str) -> dict[str, Any]:
    try:
        document = yaml.load(text, _StrictLoader)  # noqa: S506 - a safe loader, and stricter
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        mark = getattr(error, "problem_mark", None)
        line = f":{mark.line + 1}" if mark else ""
        raise InputError(f"{name}{line}: {getattr(error, 'problem', None) or error}") from error
    if not isinstance(document, dict):
        raise InputError(f"{name}: must be a mapping with 'labels:'")
    if strange := sorted(map(str, document.keys() - KEYS)):
        raise InputError(f"{name}: unknown key '{strange[0]}'; there are {', '.join(sorted(KEYS))}")
    return document


def _parents(given: Any, name: str, key: str) -> dict[str, str | None]:
    """Return the parent group of each name of a section; None for a name without one."""
    if isinstance(given, list):
        names = [_name(entry, name, key) for entry in given]
        if twice := sorted({entry for entry in names if names.count(entry) > 1}):
            raise InputError(f"{name}: '{twice[0]}' stands twice in {key}; remove one")
        return dict.fromkeys(names)
    if isinstance(given, Mapping):
        return {
            _name(entry, name, key): None if parent is None else _name(parent, name, key)
            for entry, parent in given.items()
        }
    if given is None:
        return {}
    raise InputError(f"{name}: {key} must be a list of names, or a mapping of name to group")


def _name(given: Any, name: str, key: str) -> str:
    if not isinstance(given, str):
        raise InputError(f"{name}: {given!r} in {key} is no name; put it in quotes")
    if not given.strip() or len(given) > MAX_NAME or not given.isprintable() or "," in given:
        raise InputError(
            f"{name}: {given[:MAX_NAME]!r} in {key} is no name: give 1 to {MAX_NAME} printable "
            "characters without commas"
        )
    return given


def _chain(
    label: str, parent: str | None, groups: Mapping[str, str | None], name: str
) -> tuple[str, ...]:
    """Return a label and the groups above it, up to the highest."""
    chain = [label]
    while parent is not None:
        if parent not in groups:
            raise InputError(
                f"{name}: '{chain[-1]}' stands below '{parent}', which is no group; "
                f"add '{parent}:' to groups, or correct it"
            )
        if parent in chain[1:]:
            way = " -> ".join([*chain[chain.index(parent, 1) :], parent])
            raise InputError(f"{name}: groups stand above themselves ({way}); cut the circle")
        chain.append(parent)
        parent = groups[parent]
    return tuple(chain)


def _depth(chains: tuple[tuple[str, ...], ...], name: str) -> int:
    depth = len(chains[0])
    for chain in chains:
        if len(chain) != depth:
            raise InputError(
                f"{name}: '{chain[0]}' has {len(chain) - 1} groups above it and '{chains[0][0]}' "
                f"{depth - 1}; give all labels as many"
            )
    return depth


def _levels(given: Any, depth: int, name: str) -> tuple[str, ...]:
    if given is None:
        return ("label", *(f"level {number}" for number in range(2, depth + 1)))
    if not isinstance(given, list) or len(given) != depth:
        raise InputError(f"{name}: levels must name the {depth} levels, the labels' first")
    return tuple(_name(entry, name, "levels") for entry in given)
