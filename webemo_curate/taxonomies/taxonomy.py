"""A taxonomy: labels, and the groups above them on any number of levels."""

import hashlib
import json
import shlex
from collections.abc import Iterable
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cached_property

from webemo_curate.config.settings import comma_list
from webemo_curate.errors import InputError

SHOWN_NAMES = 60
"""Most names listed in a message; a user's table may have thousands of labels."""


@dataclass(frozen=True)
class Taxonomy:
    """Labels in order, each with the groups above it.

    Attributes
    ----------
    name
        The name the user gave: that of a built-in taxonomy, or a file.
    title
        A description, in one line.
    levels
        Names of the levels, the labels' level first.
    chains
        For each label, the label itself and the groups above it, one a level. A label's position is
        the index by which lists may name it.
    """

    name: str
    title: str
    levels: tuple[str, ...]
    chains: tuple[tuple[str, ...], ...]

    @cached_property
    def labels(self) -> tuple[str, ...]:
        """The labels, in their order."""
        return tuple(chain[0] for chain in self.chains)

    @cached_property
    def names(self) -> frozenset[str]:
        """All labels and groups."""
        return frozenset(name for chain in self.chains for name in chain)

    @property
    def digest(self) -> str:
        """SHA-256 of its content in hex, without its name and comments."""
        document = json.dumps([self.levels, self.chains])
        return hashlib.sha256(document.encode()).hexdigest()

    def class_of(self, label: str, level: int) -> str:
        """Return the class of a label on a level.

        Parameters
        ----------
        label : str
            One of the labels.
        level : int
            1 for the label itself, 2 and more for the groups above it.

        Returns
        -------
        str
            The class's name.

        Raises
        ------
        InputError
            If there is no such label; the message suggests the nearest.
        """
        if label not in self._by_label:
            raise self.unknown(label, "label", self.labels)
        return self._by_label[label][level - 1]

    def classes(self, level: int) -> tuple[str, ...]:
        """Return the names of all classes of a level, sorted; empty if there is no such level."""
        if level > len(self.levels):
            return ()
        return tuple(sorted({chain[level - 1] for chain in self.chains}))

    def covered(self, names: Iterable[str], level: int | None = None) -> frozenset[str]:
        """Return the labels that the given labels and groups stand for.

        Parameters
        ----------
        names : iterable of str
            Labels, or groups of any level.
        level : int, optional
            The level meant by a name that occurs on several levels. A name that does not occur
            there means the highest level that has it: `sadness` in WEBEmo means the emotion, with
            all its labels.

        Returns
        -------
        frozenset of str
            Labels.

        Raises
        ------
        InputError
            If a name does not occur; the message suggests the nearest.
        """
        return frozenset(label for name in names for label in self._below(name, level))

    def unknown(self, name: str, kind: str, known: Iterable[str]) -> InputError:
        """Return the error for an unknown name, with the nearest known name as a suggestion."""
        names = sorted(known)
        near = get_close_matches(name.lower(), names, n=1)
        meant = f"; did you mean '{near[0]}'?" if near else ""
        if near and (given := comma_list(near)) != near[0]:
            meant += f" It is given as {shlex.quote(given)}"
        more = f", ... {len(names) - SHOWN_NAMES} more" if len(names) > SHOWN_NAMES else ""
        listed = ", ".join(names[:SHOWN_NAMES])
        return InputError(
            f"'{name}' is no {kind} of {self.name}{meant} (there are: {listed}{more})"
        )

    def outline(self) -> str:
        """Return all levels as indented text, from the highest groups down to the labels."""
        lines: list[str] = []
        above: tuple[str, ...] = ()
        for chain in sorted(self.chains, key=lambda chain: chain[::-1]):
            way = chain[::-1]
            shared = next(
                (i for i, (a, b) in enumerate(zip(way, above, strict=False)) if a != b), len(above)
            )
            lines += [f"{'  ' * depth}{way[depth]}" for depth in range(shared, len(way))]
            above = way
        return "\n".join(lines)

    def _below(self, name: str, level: int | None) -> set[str]:
        standing = [place for place in range(len(self.levels), 0, -1) if self._has(name, place)]
        if not standing:
            raise self.unknown(name, "label or group", self.names)
        place = level if level in standing else standing[0]
        return {chain[0] for chain in self.chains if chain[place - 1] == name}

    def _has(self, name: str, level: int) -> bool:
        return any(chain[level - 1] == name for chain in self.chains)

    @cached_property
    def _by_label(self) -> dict[str, tuple[str, ...]]:
        return {chain[0]: chain for chain in self.chains}
