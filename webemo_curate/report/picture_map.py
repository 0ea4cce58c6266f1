"""The report's map: every placed picture as a point, some as small pictures, for its script."""

import base64
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from webemo_curate.accounting import accounts
from webemo_curate.config import LOOKS
from webemo_curate.departures import BEGIN, note_left
from webemo_curate.report.map_tiles import Tiles, map_tiles
from webemo_curate.runner.work_context import WorkContext
from webemo_curate.table_engine import TableEngine
from webemo_curate.verdicts import Split

MAX_NAMES: Final = 40
"""Names with a color of their own; the commonest have one, the others share the last."""

OTHERS: Final = "all others"

FAR: Final = 65_535
"""A place of 1, in two bytes."""

NONE: Final = 255
"""Stands for no value among bytes."""

STEPS: Final = 254
"""A score of 1, as a byte."""

DIGITS: Final = 8
"""Of a picture's hash, by which `curate similar` finds it; two of 60,000 rarely share them."""


@dataclass(frozen=True)
class _Saying:
    """What manifests say of pictures: a query for columns `sha256` and `value`.

    Attributes
    ----------
    name
        What it is, in words.
    rows
        The query.
    reads
        Its manifests' columns, by name; it is asked where all are there.
    score
        Whether the values are numbers from 0 to 1.
    """

    name: str
    rows: str
    reads: Mapping[str, Sequence[str]]
    score: bool = False


SAID: Final = """
select value from "map" left join ({rows}) as said on said.sha256 = "map".sha256
order by "map".sha256
"""
LABELS: Final = """
select sha256, arg_min(label, (-lines, label)) as value from (
    select got.sha256, label::varchar as label, count(*) as lines
    from listing join "fetch" as got on got.url = listing.url
    where label is not null and got.sha256 is not null group by got.sha256, label
) group by sha256
"""
LEFT: Final = """
select sha256, any_value(stage || ': ' || replace(reason, '_', ' ')) as value
from departures where sha256 is not null group by sha256
"""
IN_SPLIT: Final = "select sha256, '{split}' as value from {split}"
SAYINGS: Final = (
    _Saying("label as listed", LABELS, {"listing": ("url", "label"), "fetch": ("url", "sha256")}),
    _Saying(
        "split",
        " union all ".join(IN_SPLIT.format(split=split) for split in Split),
        {split.value: ("sha256",) for split in Split},
    ),
    _Saying(
        "score of the text filter",
        "select sha256, score as value from text",
        {"text": ("sha256", "score")},
        score=True,
    ),
    _Saying(
        "trust in the label",
        "select sha256, score as value from label_issues",
        {"label_issues": ("sha256", "score")},
        score=True,
    ),
)


@dataclass(frozen=True)
class Coloring:
    """What points are colored by.

    Attributes
    ----------
    name
        In words.
    names
        What the bytes from 0 mean; empty for scores, where 0 is 0 and 254 is 1.
    values
        A byte a point in base64; 255 where there is no value.
    """

    name: str
    names: list[str]
    values: str


@dataclass(frozen=True)
class PictureMap:
    """The map as the page's script takes it.

    Attributes
    ----------
    count
        Points.
    by
        The run whose network placed them; None if their looks did.
    places
        x and y of each point, uint16 little endian, 65,535 for 1, in base64.
    hashes
        The first four bytes of each SHA-256, in base64.
    colorings
        By what they can be colored.
    tiles
        Small pictures of some.
    """

    count: int
    by: str | None
    places: str
    hashes: str
    colorings: list[Coloring]
    tiles: Tiles


def picture_map(work: WorkContext) -> PictureMap | None:
    """Return the map; None where `curate map` has not placed any picture.

    Parameters
    ----------
    work : WorkContext
        Its workspace has the manifest `map`; its configuration says how many small pictures.

    Returns
    -------
    PictureMap or None
        Points in the order of their hashes.
    """
    workspace = work.workspace
    info = workspace.info("map")
    if info is None or not info.rows:
        return None
    by = info.origin.configuration.get("by", LOOKS)
    placed = workspace.read("map", ["sha256", "x", "y"])
    names = placed["sha256"].to_pylist()
    places = np.column_stack([placed["x"].to_numpy(), placed["y"].to_numpy()])
    return PictureMap(
        count=len(names),
        by=None if by == LOOKS else str(by),
        places=_coded(np.rint(np.clip(places, 0, 1) * FAR).astype("<u2")),
        hashes=_coded(bytes.fromhex("".join(name[:DIGITS] for name in names))),
        colorings=[*_colorings(work, placed)],
        tiles=map_tiles(names, places, work),
    )


def _colorings(work: WorkContext, placed: pa.Table) -> Iterator[Coloring]:
    """Yield what the manifests that are there say of the pictures, in the order of the points."""
    workspace, own = work.workspace, {"map": placed}
    for saying in SAYINGS:
        if all(map(workspace.has, saying.reads)):
            tables = {name: workspace.scan(name, each) for name, each in saying.reads.items()}
            with TableEngine(workspace.root, own | tables, work.config.memory) as engine:
                values = engine.table(SAID.format(rows=saying.rows))["value"]
            yield (_scored if saying.score else _named)(saying.name, values)
    if workspace.has("listing"):
        with accounts(workspace, work.config.memory) as opened:
            opened.engine.make(BEGIN)
            for gate in opened.way():
                note_left(opened.engine, gate)
            opened.engine.add("map", placed)
            yield _named("where it left", opened.engine.table(SAID.format(rows=LEFT))["value"])


def _named(name: str, values: pa.ChunkedArray) -> Coloring:
    """Give each value a byte, the commonest first; where there are too many the rest share one."""
    texts = values.cast(pa.string())
    counts = pc.value_counts(texts.drop_null()).to_pylist()
    order = sorted(counts, key=lambda each: (-each["counts"], each["values"]))
    names = [each["values"] for each in order]
    shown = names if len(names) <= MAX_NAMES else [*names[: MAX_NAMES - 1], OTHERS]
    places = pc.index_in(texts, pa.array(names, pa.string()))
    numbers = pc.min_element_wise(places, len(shown) - 1, skip_nulls=False) if shown else places
    return Coloring(name, shown, _coded(_bytes(pc.fill_null(numbers, NONE))))


def _scored(name: str, values: pa.ChunkedArray) -> Coloring:
    scores = np.clip(values.cast(pa.float64()).to_numpy(), 0, 1)
    steps = np.where(np.isnan(scores), NONE, np.rint(np.nan_to_num(scores) * STEPS))
    return Coloring(name, [], _coded(steps.astype(np.uint8)))


def _bytes(numbers: pa.ChunkedArray) -> NDArray[np.uint8]:
    found: NDArray[np.uint8] = numbers.to_numpy().astype(np.uint8)
    return found


def _coded(values: NDArray[Any] | bytes) -> str:
    return base64.b64encode(values if isinstance(values, bytes) else values.tobytes()).decode()
