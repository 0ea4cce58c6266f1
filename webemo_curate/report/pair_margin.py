"""The measured pairs by how narrowly they were decided, near misses among them."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from webemo_curate.config import DedupConfig
from webemo_curate.duplicates.hash_keys import Indices
from webemo_curate.duplicates.links import KEEPER, link_looks
from webemo_curate.duplicates.margins import pair_margins
from webemo_curate.duplicates.measured import MeasuredPairs
from webemo_curate.duplicates.stored_pairs import StoredPairs, from_table
from webemo_curate.remedies import typed
from webemo_curate.report.borderline import Borderline, Move, Side, moved
from webemo_curate.report.examples import Album, Example
from webemo_curate.report.histogram import BINS, Axis, Histogram, histogram
from webemo_curate.reviews.review import NEAR
from webemo_curate.stages.compared_images import (
    CLEAN_COLUMNS,
    QUALITY,
    clean_names,
    first_of_pixels,
    linked_pixels,
    make_clean,
)
from webemo_curate.table_engine import TableEngine
from webemo_curate.workspace import Workspace

NEEDED = ("images", "text", "pairs", "duplicates")
RULE = (
    "Two images are the same picture if every measure reaches its limit: bits between their "
    "hashes, keypoints that agree, correlation, and the largest part that differs. The examples "
    "are those whose worst measure is nearest to its limit."
)
ANSWERS = ("pairs", "not the same", "the same picture")
BITS = "bits by which the hashes of a pair differ"
CORRELATION = Axis(
    "correlation of the gray values where a pair overlaps (-1 to 1)",
    *(*ANSWERS, np.linspace(0, 1, BINS + 1)),
)
DISTANCE_STEPS = (-4, -2, 2)
CORRELATION_STEPS = (-0.1, -0.05, 0.05, 0.1)
MIN_CORRELATION = 0.6
"""Pairs below were not all measured to the end."""

CHANGED_FACTORS = (0.5, 2)


@dataclass(frozen=True)
class _DecidedPairs:
    """The pairs manifest by position; the images are all clean ones, best keeper first."""

    workspace: Workspace
    config: DedupConfig
    memory: int | None

    @cached_property
    def clean(self) -> tuple[list[str], Indices]:
        """SHA-256 of the clean images, and for each the first with equal pixels."""
        reads = {"images": CLEAN_COLUMNS, "text": ("sha256", "verdict")}
        if by_quality := self.workspace.has("quality"):
            reads |= QUALITY
        tables = {name: self.workspace.scan(name, columns) for name, columns in reads.items()}
        with TableEngine(self.workspace.root, tables, self.memory) as engine:
            make_clean(engine, by_quality=by_quality)
            return clean_names(engine), first_of_pixels(engine)

    @property
    def names(self) -> list[str]:
        """SHA-256 by position."""
        return self.clean[0]

    @cached_property
    def table(self) -> pa.Table:
        """The manifest."""
        return self.workspace.read("pairs")

    @cached_property
    def measured(self) -> MeasuredPairs:
        """Its rows."""
        return from_table(self.table, self.names)

    @cached_property
    def margin(self) -> NDArray[np.float32]:
        """Of each row."""
        return pair_margins(self.measured, self.config).margin

    @cached_property
    def best(self) -> NDArray[np.int64]:
        """Rows that say most of their pair, one a pair."""
        first, second = self.measured.first, self.measured.second
        order = np.lexsort((-self.margin, second, first))
        begins = np.ones(len(order), bool)
        pair = np.stack([first[order], second[order]])
        begins[1:] = (pair[:, 1:] != pair[:, :-1]).any(axis=0)
        return order[begins]

    @cached_property
    def together(self) -> NDArray[np.bool_]:
        """Whether each row's two images ended in one cluster."""
        members = self.workspace.read("duplicates", ["sha256", "cluster"])
        place = pc.index_in(pa.array(self.names, pa.string()), members["sha256"])
        cluster = members["cluster"].combine_chunks().dictionary_encode().indices.take(place)
        number = pc.fill_null(cluster, -1).to_numpy(zero_copy_only=False)
        same: NDArray[np.bool_] = number[self.measured.first] == number[self.measured.second]
        return same

    def dropped(self, config: DedupConfig) -> int:
        """Return how many images would leave under other limits."""
        links = linked_pixels(self.clean[1])
        link_looks(links, StoredPairs(self.table, self.names), config)
        return int((~links.by(KEEPER)).sum())


def pair_borderline(album: Album, config: DedupConfig, count: int) -> Borderline | None:
    """Return what the duplicate search decided narrowly.

    Parameters
    ----------
    album : Album
        Shows pictures of the workspace.
    config : DedupConfig
        The limits that decided.
    count : int
        Examples of each side.

    Returns
    -------
    Borderline or None
        None until pairs were measured and decided.
    """
    if not all(map(album.workspace.has, NEEDED)) or not config.perceptual:
        return None
    pairs = _DecidedPairs(album.workspace, config, album.memory)
    same, margin = pairs.together[pairs.best], pairs.margin[pairs.best]
    # A pair in one cluster may have been joined by other pairs; what it shows is decided by itself.
    narrow = {
        "the same, narrowly": same & (margin >= 0),
        "not the same, narrowly: near misses": ~same & (margin < 0) & (margin >= -NEAR),
    }
    sides = [_side(album, pairs, title, chosen, count) for title, chosen in narrow.items()]
    now = pairs.dropped(config)
    drawn = [each for each in (_bits(pairs), _correlations(pairs)) if each]
    return Borderline("dedup", RULE, drawn, now, _moves(pairs, now), sides)


def _side(
    album: Album, pairs: _DecidedPairs, title: str, chosen: NDArray[np.bool_], count: int
) -> Side:
    rows = pairs.best[chosen]
    rows = rows[np.argsort(np.abs(pairs.margin[rows]), kind="stable")[:count]]
    sides = [[pairs.names[place] for place in side[rows]] for side in pairs.measured[:2]]
    paths = album.paths({*sides[0], *sides[1]})
    shown = []
    for row, first, second in zip(rows, *sides, strict=True):
        picture, beside = album.picture(paths.get(first)), album.picture(paths.get(second))
        if picture and beside:
            laid = album.laid(paths.get(first), paths.get(second))
            shown.append(Example(picture, beside, _caption(pairs.measured, row), laid))
    return Side(title, shown)


def _caption(measured: MeasuredPairs, row: int) -> str:
    """Put a row's measures into words."""
    showed, bits = measured.showed, int(measured.distance[row])
    words = [f"correlation {showed.correlation[row]:.3f}"]
    if bits >= 0:
        words.insert(0, f"{bits} bits apart")
    if showed.measured[row]:
        words.append(f"{int(showed.inliers[row])} keypoints agree")
        words.append(f"largest part that differs {showed.changed[row]:.2%} of the overlap")
    return ", ".join(words)


def _bits(pairs: _DecidedPairs) -> Histogram | None:
    best = pairs.best[pairs.measured.distance[pairs.best] >= 0]
    bits = pairs.measured.distance[best]
    axis = Axis(BITS, *ANSWERS, np.arange(-0.5, pairs.config.matching.reach + 1))
    limit = pairs.config.distance
    return histogram(bits, pairs.together[best], axis, limit + 0.5, f"--distance {limit}")


def _correlations(pairs: _DecidedPairs) -> Histogram | None:
    best = pairs.best
    values = pairs.measured.showed.correlation[best]
    least = pairs.config.min_correlation
    at = f"min_correlation {least:g}"
    return histogram(values, pairs.together[best], CORRELATION, least, at)


def _moves(pairs: _DecidedPairs, now: int) -> list[Move]:
    counts = {}
    for name, value in _changes(pairs.config):
        command = typed(f"dedup --{name.replace('_', '-')} {value}")
        dropped = pairs.dropped(pairs.config.model_copy(update={name: value}))
        counts[f"{name.replace('_', ' ')} {value}", command] = dropped
    return moved(now, counts)


def _changes(config: DedupConfig) -> Iterator[tuple[str, float]]:
    """Yield the limits to be tried: as far as pairs were measured."""
    for step in DISTANCE_STEPS:
        if 0 <= config.distance + step <= config.matching.reach:
            yield "distance", config.distance + step
    for change in CORRELATION_STEPS:
        value = round(config.min_correlation + change, 3)
        if MIN_CORRELATION <= value <= 1:
            yield "min_correlation", value
    for factor in CHANGED_FACTORS:
        value = round(config.max_changed * factor, 6)
        if value <= 1 and factor:
            yield "max_changed", value
