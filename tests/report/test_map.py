"""The report's map: every placed picture, what is known of each, small pictures of some."""

import base64
import io
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from tests.report.made_workspace import HOSTILE, MADE, fill, place_all
from tests.stages.tables import manifest
from tests.work import work_on
from webemo_curate.report.build import build_report
from webemo_curate.report.map_tiles import SHEET_BYTES, SIDE, spread
from webemo_curate.report.picture_map import FAR, MAX_NAMES, NONE, OTHERS, Coloring, picture_map
from webemo_curate.verdicts import Split
from webemo_curate.workspace import Workspace


def decoded(coloring: Coloring) -> np.ndarray:
    return np.frombuffer(base64.b64decode(coloring.values), np.uint8)


@pytest.fixture
def placed(trained: tuple[Workspace, Path]) -> Workspace:
    """A workspace with every manifest, and all its pictures on the map."""
    workspace, _ = trained
    fill(workspace)
    place_all(workspace)
    return workspace


def test_every_picture_is_a_point_with_what_manifests_say_of_it(placed: Workspace) -> None:
    shown = picture_map(work_on(placed))
    assert shown is not None
    rows = placed.read("map").to_pylist()
    assert shown.count == len(rows) == placed.read("images").num_rows
    places = np.frombuffer(base64.b64decode(shown.places), "<u2").reshape(-1, 2)
    assert np.abs(places[:, 0] / FAR - [row["x"] for row in rows]).max() < 1 / FAR
    hashes = base64.b64decode(shown.hashes)
    assert hashes[:4].hex() == rows[0]["sha256"][:8]
    by_name = {each.name: each for each in shown.colorings}
    split = by_name["split"]
    where = {name: number for number, name in enumerate(split.names)}
    for name in Split:
        mine = set(placed.read(name, ["sha256"])["sha256"].to_pylist())
        expected = np.array([row["sha256"] in mine for row in rows])
        assert ((decoded(split) == where[str(name)]) == expected).all()
    left = by_name["where it left"]
    text = placed.read("text", ["sha256", "verdict"]).to_pylist()
    bears = {row["sha256"] for row in text if row["verdict"] == "text"}
    number = left.names.index("text: text")
    assert {rows[at]["sha256"] for at in np.flatnonzero(decoded(left) == number)} == bears
    scores = decoded(by_name["score of the text filter"])
    assert NONE not in scores
    assert HOSTILE in by_name["label as listed"].names


def test_hostile_labels_are_text_on_the_page_and_tiles_show_the_pictures(placed: Workspace) -> None:
    page = Path(build_report(work_on(placed))).read_text()
    assert '<section id="map"' in page
    assert HOSTILE not in page
    shown = picture_map(work_on(placed))
    assert shown is not None
    assert len(shown.tiles.rows) == shown.count == len(set(shown.tiles.rows))
    file = base64.b64decode(shown.tiles.sheets[0].partition(",")[2])
    sheet = Image.open(io.BytesIO(file)).convert("RGB")
    assert len(file) <= SHEET_BYTES
    rows = placed.read("map")["sha256"].to_pylist()
    for number in (0, 17):
        path = placed.image_paths([rows[shown.tiles.rows[number]]])
        picture = Image.open(placed.root / next(iter(path.values()))).convert("RGB")
        across, down = number % shown.tiles.across * SIDE, number // shown.tiles.across * SIDE
        tile = sheet.crop((across, down, across + SIDE, down + SIDE))
        colors = [np.asarray(each, float).mean(axis=(0, 1)) for each in (tile, picture)]
        assert np.abs(colors[0] - colors[1]).max() < 30


def test_pictures_that_are_gone_leave_their_point_alone(placed: Workspace) -> None:
    (path,) = placed.image_paths([placed.read("map")["sha256"][0].as_py()]).values()
    (placed.root / path).unlink()
    shown = picture_map(work_on(placed))
    assert shown is not None
    assert 0 not in shown.tiles.rows
    assert len(shown.tiles.rows) == shown.count - 1


def test_of_many_labels_the_rarest_share_a_color(tmp_path: Path) -> None:
    workspace = Workspace(tmp_path)
    lines = [(f"label {number:02d}", copy) for number in range(60) for copy in range(number + 1)]
    names = [f"{place:064x}" for place in range(len(lines))]
    listed = [
        {"line": line, "url": name, "label": label, "emotion": None}
        for line, (name, (label, _)) in enumerate(zip(names, lines, strict=True))
    ]
    workspace.write("listing", manifest("listing", listed), MADE)
    fetched = manifest("fetch", [{"url": name, "sha256": name} for name in names])
    workspace.write("fetch", fetched, MADE)
    zeros = pa.array(np.zeros(len(names), np.float32))
    workspace.write("map", pa.table({"sha256": names, "x": zeros, "y": zeros}), MADE)
    shown = picture_map(work_on(workspace))
    assert shown is not None
    coloring = shown.colorings[0]
    assert coloring.names[0] == "label 59"
    assert len(coloring.names) == MAX_NAMES
    assert coloring.names[-1] == OTHERS
    counts = np.bincount(decoded(coloring), minlength=MAX_NAMES)
    assert counts[0] == 60
    assert counts[-1] == sum(range(1, 60 - MAX_NAMES + 2))
    assert shown.tiles.sheets == []


def test_without_a_map_there_is_no_section(tmp_path: Path) -> None:
    workspace = Workspace(tmp_path)
    assert picture_map(work_on(workspace)) is None
    page = Path(build_report(work_on(workspace))).read_text()
    assert '<section id="map"' not in page


@given(
    places=st.lists(st.tuples(*[st.floats(0, 1, width=32)] * 2), min_size=1, max_size=200),
    count=st.integers(0, 60),
)
def test_chosen_points_are_different_and_no_cell_waits_for_a_second_of_another(
    places: list[tuple[float, float]], count: int
) -> None:
    array = np.array(places, np.float32)
    chosen = spread(array, count)
    assert len(set(chosen.tolist())) == len(chosen) <= count
    cells = [tuple(np.minimum((array[row] * 8).astype(int), 7)) for row in range(len(array))]
    first = min(count, len(set(cells)))
    assert len({cells[row] for row in chosen[:first]}) == first
