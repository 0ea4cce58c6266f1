"""Read labels from the cells of lists and tables and from folder names."""

import ast
import json
import math
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

from webemo_curate.errors import InputError
from webemo_curate.sources.cell_rules import ValueFaultError
from webemo_curate.taxonomies import Taxonomy

MAX_LABEL = 200
MAX_TEXT = 4000
FLAT_SEPARATORS: Final = ";|"
SEPARATORS: Final = ";|,"
"""Separators of several labels in one text; a comma separates only if a taxonomy is given."""

WHOLE: Final = re.compile(r"(\d{1,9})\.0", re.ASCII)
"""A whole number as pandas writes it where its column has gaps."""

NO_CLASS = -1
"""Hugging Face's index of a missing label."""


@dataclass(frozen=True)
class LabelReader:
    """Turns values into labels.

    Attributes
    ----------
    taxonomy
        The valid labels; None accepts any text as a label.
    """

    taxonomy: Taxonomy | None

    def read(self, value: Any, names: Sequence[str] = ()) -> tuple[str, ...]:
        """Return the labels in a cell.

        Parameters
        ----------
        value : Any
            A name, an index, a list of either, or a text with several; None, NaN or blank for no
            label, as is -1 where the table states names.
        names : sequence of str, optional
            Label names by index, as stated by the table itself (Hugging Face's ClassLabel).

        Returns
        -------
        tuple of str
            Distinct labels, in order.

        Raises
        ------
        ValueFaultError
            If one of them is invalid.
        """
        if isinstance(value, list | tuple):
            return self._merged(value, names)
        if isinstance(value, float):
            value = int(value) if value.is_integer() else value
        if _is_missing(value) or (names and value == NO_CLASS):
            return ()
        if not isinstance(value, str):
            return (self._one(value, names),)
        text = value.strip()
        if len(text) > MAX_TEXT:
            raise ValueFaultError(f"has {len(text)} characters", "give labels, not descriptions")
        if not text:
            return ()
        if (whole := WHOLE.fullmatch(text)) and not self._has(text):
            text = whole[1]
        parts = self._parts(text)
        return (self._one(text, names),) if parts is None else self._merged(parts, names)

    def name(self, text: str) -> str:
        """Return the label that a single name means, such as a folder's; see `read`."""
        return self._one(text, ())

    def _merged(self, values: Iterable[Any], names: Sequence[str]) -> tuple[str, ...]:
        labels: list[str] = []
        for value in values:
            if isinstance(value, list | tuple):
                raise ValueFaultError("has a list of lists", "give a list of labels")
            labels += self.read(value, names)
        return tuple(dict.fromkeys(labels))

    def _parts(self, text: str) -> list[Any] | None:
        """Split a text with several labels; return None if it is a single one."""
        if text[0] == "[" and text[-1] == "]":
            return _literal_list(text)
        if self._has(text):
            return None
        marks = FLAT_SEPARATORS if self.taxonomy is None else SEPARATORS
        mark = next((mark for mark in marks if mark in text), None)
        return text.split(mark) if mark else None

    def _one(self, value: Any, names: Sequence[str]) -> str:
        if isinstance(value, bool) or not isinstance(value, int | str):
            raise ValueFaultError(f"has {value!r}", "give a label's name or index")
        if isinstance(value, str) and not self._is_index(value):
            return self._by_name(value)
        meant = names or (self.taxonomy.labels if self.taxonomy else None)
        if meant is None:
            return str(value)
        if not 0 <= int(value) < len(meant):
            raise ValueFaultError(
                f"has the label {value}, which is outside 0-{len(meant) - 1}", "correct the row"
            )
        name = meant[int(value)]
        return self._by_name(name) if names else name

    def _is_index(self, text: str) -> bool:
        return text.isascii() and text.isdigit() and len(text) < 10 and not self._has(text)

    def _has(self, text: str) -> bool:
        return text.lower() in self._by_small_letters

    def _by_name(self, text: str) -> str:
        if len(text) > MAX_LABEL or not text.isprintable():
            raise ValueFaultError(
                f"has {text[:20]!r}..., no printable label of up to {MAX_LABEL} characters",
                "correct the row",
            )
        if self.taxonomy is None:
            return text
        label = self._by_small_letters.get(text.lower())
        if label is None:
            error: InputError = self.taxonomy.unknown(text, "label", self.taxonomy.labels)
            raise ValueFaultError(
                f"has a label that is not known: {error}",
                "correct it, or give its --taxonomy ('as-listed' takes every name)",
            )
        return label

    @cached_property
    def _by_small_letters(self) -> dict[str, str]:
        if self.taxonomy is None:
            return {}
        return {label.lower(): label for label in reversed(self.taxonomy.labels)}


def _is_missing(value: Any) -> bool:
    return value is None or (isinstance(value, float) and math.isnan(value))


def _literal_list(text: str) -> list[Any]:
    """Parse a list in JSON or Python notation, without evaluating anything."""
    try:
        return list(json.loads(text))
    except (ValueError, TypeError, RecursionError):
        pass
    try:
        return list(ast.literal_eval(text))
    except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
        raise ValueFaultError(f"has {text[:40]!r}, no list", "write it as ['a', 'b']") from None
