"""Classes and their numbers: what each label of a listing counts for."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

from webemo_curate.errors import InputError
from webemo_curate.taxonomies import Taxonomy
from webemo_curate.verdicts import BINARY, DEFAULT_CLASSES, binary_classes
from webemo_curate.workspace import Workspace

MOST_CLASSES = 127
"""The numbers of classes are stored as int8."""

LEVELS = {"labels": 1, "level2": 2}
"""Level of the taxonomy whose classes a target tells apart."""


@dataclass(frozen=True)
class Targets:
    """Classes by their numbers, and the number of each label.

    Attributes
    ----------
    names
        Of the classes 0, 1, ...
    of_label
        Label -> number of its class.
    """

    names: tuple[str, ...]
    of_label: Mapping[str, int]


def binary_targets(labels: Iterable[str], positive: Collection[str]) -> Targets:
    """Give positive labels the number 1 and all others 0; they go by the paper's names here."""
    return Targets(DEFAULT_CLASSES, {label: int(label in positive) for label in labels})


def class_targets(labels: Iterable[str], taxonomy: Taxonomy, target: str) -> Targets:
    """Give numbers to the classes of a level that labels stand for, in the order of their names.

    Parameters
    ----------
    labels : iterable of str
        Those listed, without those left out. A class that none of them stands for has no number.
    taxonomy : Taxonomy
        What stands above them.
    target : str
        A key of `LEVELS`.

    Returns
    -------
    Targets
        Two classes at least.

    Raises
    ------
    InputError
        If the taxonomy has no such level, or the classes are too few or too many.
    """
    level = LEVELS[target]
    if level > len(taxonomy.levels):
        raise InputError(
            f"binarize: --target {target} needs labels with groups above them, and "
            f"{taxonomy.name} has none; name a taxonomy with --taxonomy, or give --target labels"
        )
    above = {label: taxonomy.class_of(label, level) for label in labels}
    names = tuple(sorted(set(above.values())))
    if not BINARY <= len(names) <= MOST_CLASSES:
        raise InputError(
            f"binarize: --target {target} makes {len(names)} classes, and there can be {BINARY} to "
            f"{MOST_CLASSES}; give another --target, or leave labels out with --exclude"
        )
    numbers = {name: number for number, name in enumerate(names)}
    return Targets(names, {label: numbers[name] for label, name in above.items()})


def recorded_classes(workspace: Workspace) -> tuple[str, ...] | None:
    """Return the names of the classes that binarize told apart; None of the binary target."""
    labels = workspace.info("labels")
    return labels.classes if labels else None


def target_names(workspace: Workspace) -> tuple[str, ...]:
    """Return the names of the classes that binarize told apart, the binary target's among them."""
    labels = workspace.info("labels")
    if labels and labels.classes:
        return labels.classes
    positive = labels.origin.configuration.get("positive") if labels else None
    if not positive:
        return DEFAULT_CLASSES
    return binary_classes([positive] if isinstance(positive, str) else positive)
