"""Compute what the loss of images does to the shares of the classes."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from webemo_curate.verdicts import Split


@dataclass(frozen=True)
class Shares:
    """Images of a split by class.

    Attributes
    ----------
    released
        Class -> images.
    now
        The same of what is still there.
    """

    released: dict[str, int]
    now: dict[str, int]


def class_shares(
    released: Iterable[Mapping[str, Any]],
    now: Iterable[Mapping[str, Any]],
    classes: tuple[str, ...],
) -> dict[str, Shares]:
    """Count the images of each split by class, as released and now.

    Parameters
    ----------
    released, now : iterable of mappings
        Rows with `split` and `target`.
    classes : tuple of str
        Names of the targets.

    Returns
    -------
    dict of str to Shares
        By split.
    """
    before, after = (
        Counter((row["split"], row["target"]) for row in rows) for rows in (released, now)
    )

    def named(counts: Counter[tuple[str, int]], split: str) -> dict[str, int]:
        return {name: counts[split, target] for target, name in enumerate(classes)}

    return {str(split): Shares(named(before, split), named(after, split)) for split in Split}


def share_lines(shares: Mapping[str, Shares]) -> Iterator[str]:
    """Yield a line a split: images left, and each class's share before and after."""
    for split, counts in shares.items():
        before, after = sum(counts.released.values()), sum(counts.now.values())
        if not before:
            continue
        moved = ", ".join(
            f"{name} {_share(counts.released[name], before)} -> {_share(counts.now[name], after)}"
            for name in counts.released
        )
        yield f"  {split:<11}{after:>9,} of {before:,}; {moved}"


def _share(part: int, whole: int) -> str:
    return f"{part / whole:.1%}" if whole else "-"
