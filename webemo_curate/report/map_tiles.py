"""Small pictures for the map: those spread most evenly over it, in sheets of bounded size."""

import io
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps

from webemo_curate.config import BOUNDS
from webemo_curate.imaging import Apart, DecodeError, Facts, Made, load_frame
from webemo_curate.progress import ProgressBar
from webemo_curate.report.pictures import as_data
from webemo_curate.runner.work_context import WorkContext
from webemo_curate.system_faults import raise_system_fault

SIDE: Final = 40
"""Pixels of a small picture, cut to a square."""

ACROSS: Final = 16
"""Small pictures in a row of a sheet, and rows."""

SHEET_BYTES: Final = 120_000
"""Of a sheet's file at most. Four sheets, a thousand pictures, take .6 MB of the page."""

QUALITIES: Final = (55, 40, 25, 10, 1)
"""Of WebP: photos fit with the first, noise needs the last."""

LEVELS: Final = range(3, 12)
"""Grids that pictures are chosen by: 8 x 8 cells, then 16 x 16, up to 2,048 x 2,048."""


@dataclass(frozen=True)
class Tiles:
    """Small pictures, the one that stands for the largest cell first.

    Attributes
    ----------
    rows
        The point that each stands on.
    sheets
        Data URIs of sheets, each of up to 256 pictures, row by row.
    side, across
        Pixels of one, and how many stand in a row.
    """

    rows: list[int]
    sheets: list[str]
    side: int = SIDE
    across: int = ACROSS


def map_tiles(names: list[str], places: NDArray[np.float32], work: WorkContext) -> Tiles:
    """Choose pictures spread over the map and make them small.

    Parameters
    ----------
    names : list of str
        Hashes of all points.
    places : ndarray of float32, shape (points, 2)
        Theirs, from 0 to 1.
    work : WorkContext
        Its workspace has the pictures; its `report.map_pictures` says how many are wanted.

    Returns
    -------
    Tiles
        Pictures that cannot be read are left out.
    """
    chosen = spread(places, work.config.report.map_pictures)
    known = work.workspace.has("images")
    paths = work.workspace.image_paths([names[row] for row in chosen]) if known else {}
    rows: list[int] = []
    pictures: list[Image.Image] = []
    with Apart(TileTask()) as apart, ProgressBar(len(chosen), "map", "picture") as bar:
        for row in chosen.tolist():
            if picture := _small(paths.get(names[row]), apart, work):
                rows.append(row)
                pictures.append(picture)
            bar.update()
    return Tiles(rows, [as_data(sheet) for sheet in _sheets(pictures)])


def spread(places: NDArray[np.float32], count: int) -> NDArray[np.int64]:
    """Choose points such that any beginning of them is spread over the map.

    Parameters
    ----------
    places : ndarray of float32, shape (points, 2)
        From 0 to 1.
    count : int
        Most points.

    Returns
    -------
    ndarray of int64
        Rows: the first point of each cell of a coarse grid, then of ever finer ones.
    """
    chosen = np.empty(0, np.int64)
    for level in LEVELS:
        across, down = np.minimum((places * 2**level).astype(np.int64), 2**level - 1).T
        cells = across * 2**level + down
        every, firsts = np.unique(cells, return_index=True)
        free = firsts[~np.isin(every, cells[chosen])]
        chosen = np.concatenate([chosen, np.sort(free)])
        if len(chosen) >= count:
            break
    return chosen[:count]


def _small(path: str | None, apart: Apart, work: WorkContext) -> Image.Image | None:
    if path is None:
        return None
    try:
        made = apart.ask(work.workspace.read_image(path), max_pixels=work.max_pixels)
    except DecodeError:
        return None
    except OSError as error:
        raise_system_fault(error, path)
        return None
    return Image.frombytes("RGB", (SIDE, SIDE), made.content)


@dataclass(frozen=True)
class TileTask:
    """Cuts pictures to small squares in a process that a file may end; a `PictureTask`."""

    seconds: float = BOUNDS.seconds

    def __call__(self, content: bytes, details: Facts) -> Made:
        """Return RGB bytes of `SIDE` x `SIDE` pixels."""
        picture = load_frame(content, details["max_pixels"], None).picture
        small = ImageOps.fit(picture, (SIDE, SIDE), Image.Resampling.BICUBIC)
        return Made({}, small.convert("RGB").tobytes())


def _sheets(pictures: list[Image.Image]) -> Iterator[bytes]:
    """Yield WebP files of the pictures, row by row; the last has as many rows as it needs."""
    for start in range(0, len(pictures), ACROSS**2):
        part = pictures[start : start + ACROSS**2]
        sheet = Image.new("RGB", (ACROSS * SIDE, -(-len(part) // ACROSS) * SIDE))
        for number, picture in enumerate(part):
            down, across = divmod(number, ACROSS)
            sheet.paste(picture, (across * SIDE, down * SIDE))
        yield _bounded(sheet)


def _bounded(sheet: Image.Image) -> bytes:
    """Return a sheet as WebP, as good as its bound on bytes lets it be."""
    for quality in QUALITIES:
        stream = io.BytesIO()
        sheet.save(stream, "WEBP", quality=quality)
        if stream.tell() <= SHEET_BYTES:
            break
    return stream.getvalue()
