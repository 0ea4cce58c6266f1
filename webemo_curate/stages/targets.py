"""Number the classes, and map each label of a listing to its class."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

from webemo_curate.errors import InputError
from webemo_curate.taxonomies import Taxonomy
from webemo_curate.verdicts import BINARY, DEFAULT_CLASSES, MOST_CLASSES, binary_classes
from webemo_curate.workspace import Workspace

LEVELS = {"labels": 1, "level2": 2}
"""Level of the taxonomy whose classes a target distinguishes."""


@dataclass(frozen=True)
class Targets:
    """The numbered classes, and the class of each label.

    Attributes
    ----------
    names
        Names of classes 0, 1, ...
    of_label
        Class number by label.
    """

    names: tuple[str, ...]
    of_label: Mapping[str, int]


def binary_targets(labels: Iterable[str], positive: Collection[str]) -> Targets:
    """Map positive labels to 1 and all others to 0; the classes have the paper's names here."""
    return Targets(DEFAULT_CLASSES, {label: int(label in positive) for label in labels})


def class_targets(labels: Iterable[str], taxonomy: Taxonomy, target: str) -> Targets:
    """Assign numbers to the classes of a level that labels belong to, in order of name.

    Parameters
    ----------
    labels : iterable of str
        The listed labels, without those left out. A class without any of them gets no number.
    taxonomy : Taxonomy
        The hierarchy above the labels.
    target : str
        A key of `LEVELS`.

    Returns
    -------
    Targets
        At least two classes.

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
    """Return the names of the classes made by binarize; None for the binary target."""
    labels = workspace.info("labels")
    return labels.classes if labels else None


def target_names(workspace: Workspace) -> tuple[str, ...]:
    """Return the names of the classes made by binarize, also for the binary target."""
    labels = workspace.info("labels")
    if labels and labels.classes:
        return labels.classes
    positive = labels.origin.configuration.get("positive") if labels else None
    if not positive:
        return DEFAULT_CLASSES
    return binary_classes([positive] if isinstance(positive, str) else positive)
