"""WEBEmo's taxonomy as data: 25 labels, each with its level-2 emotion and its polarity.

Panda et al., "Contemplating Visual Emotions: Understanding and Overcoming Dataset Bias", ECCV 2018;
the names are spelled as their `category.txt` spells them, slips included.
"""

from collections.abc import Iterable
from difflib import get_close_matches
from typing import Literal, NamedTuple

from webemo_curate.errors import InputError

Level = Literal[1, 2, 3]


class Label(NamedTuple):
    """A label of the list and the classes above it.

    Attributes
    ----------
    name
        The label (level 1).
    emotion
        Its emotion (level 2).
    polarity
        Its polarity (level 3), `+` or `-`.
    """

    name: str
    emotion: str
    polarity: str


LABELS: tuple[Label, ...] = (
    Label("affection", "love", "+"),
    Label("cheerfullness", "joy", "+"),
    Label("confusion", "confusion", "-"),
    Label("contentment", "joy", "+"),
    Label("disappointment", "sadness", "-"),
    Label("disgust", "anger", "-"),
    Label("enthrallment", "joy", "+"),
    Label("envy", "anger", "-"),
    Label("exasperation", "anger", "-"),
    Label("gratitude", "love", "+"),
    Label("horror", "fear", "-"),
    Label("irritabilty", "anger", "-"),
    Label("lust", "love", "+"),
    Label("neglect", "sadness", "-"),
    Label("nervousness", "fear", "-"),
    Label("optimism", "joy", "+"),
    Label("pride", "joy", "+"),
    Label("rage", "anger", "-"),
    Label("relief", "joy", "+"),
    Label("sadness", "sadness", "-"),
    Label("shame", "sadness", "-"),
    Label("suffering", "sadness", "-"),
    Label("surprise", "surprise", "+"),
    Label("sympathy", "sadness", "-"),
    Label("zest", "joy", "+"),
)
"""The labels; the position is the index that the lists hold."""

LEVEL_COLUMNS: dict[Level, str] = {1: "label", 2: "emotion", 3: "polarity"}
"""The listing's column that holds a line's class, by level."""

_BY_NAME = {label.name: label for label in LABELS}


def class_of(label: str, level: Level) -> str:
    """Return the class of a label.

    Parameters
    ----------
    label : str
        One of the 25 labels.
    level : {1, 2, 3}
        1 for the label itself, 2 for its emotion, 3 for its polarity.

    Returns
    -------
    str
        The class's name.

    Raises
    ------
    InputError
        If there is no such label; the message suggests the nearest.
    """
    if label not in _BY_NAME:
        raise _unknown(label, "label", _BY_NAME)
    return _BY_NAME[label][level - 1]


def classes(level: Level) -> tuple[str, ...]:
    """Return the names of all classes of a level, sorted.

    Parameters
    ----------
    level : {1, 2, 3}
        Depth in the taxonomy.

    Returns
    -------
    tuple of str
        25 labels, seven emotions or two polarities.
    """
    return tuple(sorted({label[level - 1] for label in LABELS}))


def check_class(name: str, level: Level) -> str:
    """Check that a class stands on a level.

    Parameters
    ----------
    name : str
        What the user called the class.
    level : {1, 2, 3}
        Where it must stand.

    Returns
    -------
    str
        The name.

    Raises
    ------
    InputError
        If it does not; the message suggests the nearest name, or the level that has it.
    """
    if name in classes(level):
        return name
    elsewhere = [other for other in LEVEL_COLUMNS if name in classes(other)]
    hint = f"; it is one of level {elsewhere[0]}: give --level {elsewhere[0]}" if elsewhere else ""
    raise _unknown(name, f"class of level {level}", classes(level), hint)


def excluded_labels(names: Iterable[str]) -> frozenset[str]:
    """Return the labels that a list of labels and emotions covers.

    Parameters
    ----------
    names : iterable of str
        Labels or emotions. A name that is both (`sadness`) means the emotion, with all its labels.

    Returns
    -------
    frozenset of str
        Labels.

    Raises
    ------
    InputError
        If a name is neither; the message suggests the nearest.
    """
    covered: set[str] = set()
    for name in names:
        below = {label.name for label in LABELS if label.emotion == name}
        if not below and name not in _BY_NAME:
            raise _unknown(name, "label or emotion", {*classes(1), *classes(2)})
        covered |= below or {name}
    return frozenset(covered)


def _unknown(name: str, kind: str, known: Iterable[str], hint: str = "") -> InputError:
    names = sorted(known)
    near = get_close_matches(name.lower(), names, n=1)
    meant = f"; did you mean '{near[0]}'?" if near else ""
    return InputError(f"'{name}' is no {kind}{hint or meant} (there are: {', '.join(names)})")
