"""WEBEmo's labels by index, for what concerns WEBEmo alone: its lists and the demo."""

from typing import NamedTuple

from webemo_curate.taxonomies.loading import WEBEMO, load_taxonomy


class Label(NamedTuple):
    """A label of the lists, and the classes above it.

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


LABELS: tuple[Label, ...] = tuple(Label(*chain) for chain in load_taxonomy(WEBEMO).chains)
"""The labels; a label's position is its index in the lists."""
