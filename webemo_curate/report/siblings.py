"""Pictures of one sitting, side by side: both stay, and no split parts them."""

from dataclasses import dataclass
from typing import Any

from webemo_curate.report.examples import Album, Details, Example


@dataclass(frozen=True)
class Siblings:
    """Pairs of pictures that share a group and are not the same.

    Attributes
    ----------
    count
        Pairs of an image and the sibling that it differs from least.
    examples
        Some of them, those first that differ least.
    """

    count: int
    examples: list[Example]


def siblings(album: Album, count: int) -> Siblings | None:
    """Return the pairs of siblings among the clean images.

    Parameters
    ----------
    album : Album
        Shows pictures of the workspace.
    count : int
        Pairs that are shown.

    Returns
    -------
    Siblings or None
        None until duplicates were looked for.
    """
    workspace = album.workspace
    if not workspace.has("duplicates"):
        return None
    table = workspace.read("duplicates", ["sha256", "sibling_of", "sibling_score"])
    # A pair in which each is the other's nearest stands in two rows.
    pairs: dict[frozenset[str], tuple[float, str]] = {}
    for row in table.to_pylist():
        if row["sibling_of"] is not None:
            pair = frozenset((row["sha256"], row["sibling_of"]))
            found = row["sibling_score"], row["sha256"]
            pairs[pair] = min(found, pairs.get(pair, found))
    shown = [sha256 for _, sha256 in sorted(pairs.values())[:count]]
    return Siblings(len(pairs), list(DETAILS.examples(album, shown).values()))


def _caption(row: dict[str, Any]) -> str:
    return (
        f"one scene; the largest part that differs is {row['sibling_score']:.1%} of it; "
        f"group {row['group'][:12]}"
    )


DETAILS = Details("duplicates", "sha256", _caption, beside="sibling_of")
