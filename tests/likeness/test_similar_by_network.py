"""`curate similar` by a trained network: the map's features, exact, each picture asked once."""

import json
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from tests.cli.command import curate
from tests.report.made_workspace import MADE, fill
from tests.stages.tables import manifest
from tests.work import work_on
from webemo_curate.duplicates.perceptual import reduce_color, reduce_gray
from webemo_curate.likeness import network_features
from webemo_curate.likeness.kept_vectors import KeptVectors
from webemo_curate.likeness.network_features import KEPT, NetworkFeatures
from webemo_curate.workspace import CHECKPOINTS, Workspace

Trained = tuple[Workspace, Path]
BY_LOOKS = "color and texture"


@pytest.fixture
def filled(trained: Trained) -> Trained:
    place, _ = trained
    fill(place)
    rows = place.read("images").to_pylist()
    for row in rows:
        picture = Image.open(place.root / row["path"]).convert("RGB")
        row["gray"] = reduce_gray(picture)[0].tobytes()
        row["color"] = reduce_color(picture).tobytes()
    place.write("images", manifest("images", rows), MADE)
    return trained


def answered(place: Workspace, asked: object, *options: str) -> dict:
    given = ("--device", "cpu", "--json", "--workspace", place.root)
    result = curate("similar", asked, *options, *given)
    assert result.code == 0, result.rest
    return json.loads(result.results)


def cosines(place: Workspace, run: Path) -> tuple[list[str], np.ndarray]:
    """Return the hashes, and the cosines of all pairs of features."""
    images = place.read("images", ["sha256", "path"])
    vectors = np.concatenate([*NetworkFeatures(run, work_on(place)).of(images)]).astype(float)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    return images["sha256"].to_pylist(), vectors @ vectors.T


def refuse(*_: object) -> None:
    raise AssertionError("asked for a network")


def test_the_nearest_are_those_of_all_inner_products(
    filled: Trained, monkeypatch: pytest.MonkeyPatch
) -> None:
    place, run = filled
    monkeypatch.setattr(network_features, "PART_IMAGES", 7)
    names, products = cosines(place, run)
    monkeypatch.setattr(network_features, "open_network", refuse)
    for row in (0, len(names) - 1):
        answer = answered(place, names[row], "--run", run.name, "--count", "9")
        assert answer["by"] == run.name
        found = {each["sha256"]: each["likeness"] for each in answer["similar"]}
        order = [at for at in np.argsort(-products[row], kind="stable") if at != row][:9]
        assert [*found.values()] == pytest.approx(products[row][order], abs=1e-5)
        assert names[row] not in found
        assert all(found[names[at]] == pytest.approx(products[row][at], abs=1e-5) for at in order)


def test_a_file_is_found_as_its_stored_copy(filled: Trained) -> None:
    place, run = filled
    name = place.read("images", ["sha256"])["sha256"][0].as_py()
    file = place.root / place.image_paths([name])[name]
    first = answered(place, file, "--run", run.name)["similar"][0]
    assert first["likeness"] == pytest.approx(1, abs=1e-5)


def test_what_placed_the_map_decides_and_looks_can_be_asked_for(
    filled: Trained, caplog: pytest.LogCaptureFixture
) -> None:
    place, run = filled
    name = place.read("images", ["sha256"])["sha256"][0].as_py()
    assert answered(place, name)["by"] is None, "without a map the looks"
    assert curate("map", "--device", "cpu", "--workspace", place.root).code == 0
    assert answered(place, name)["by"] == run.name
    assert answered(place, name, "--run", "looks")["by"] is None
    assert [words for words in caplog.messages if words.startswith("20 pictures by ")] == [
        f"20 pictures by {what}, the most alike first: likeness, label, split, path"
        for what in (BY_LOOKS, f"the features of {run.name}", BY_LOOKS)
    ]


def test_features_that_the_map_computed_are_kept_and_only_new_pictures_are_asked_for(
    filled: Trained, monkeypatch: pytest.MonkeyPatch
) -> None:
    place, run = filled
    images = place.read("images", ["sha256", "path"])
    some = images.take(pa.array([row for row in range(images.num_rows) if row % 5]))
    kept = np.concatenate([*NetworkFeatures(run, work_on(place)).of(some)])
    asked: list[int] = []
    compute = NetworkFeatures._computed

    def counting(self: NetworkFeatures, rows: pa.Table, bar: object) -> np.ndarray:
        asked.append(rows.num_rows)
        return compute(self, rows, bar)

    monkeypatch.setattr(NetworkFeatures, "_computed", counting)
    names, _ = cosines(place, run)
    assert sum(asked) == len(names) - some.num_rows
    again = np.concatenate([*NetworkFeatures(run, work_on(place)).of(some)])
    assert again.tobytes() == kept.tobytes()


def test_a_damaged_part_is_computed_again(filled: Trained) -> None:
    place, run = filled
    before = cosines(place, run)
    parts = [*(place.root / CHECKPOINTS / KEPT).rglob("*.arrow")]
    assert len(parts) == 1
    parts[0].write_bytes(parts[0].read_bytes()[:-9])
    after = cosines(place, run)
    assert after[1].tobytes() == before[1].tobytes()


def test_a_run_that_is_not_there_is_named_with_what_helps(filled: Trained) -> None:
    place, run = filled
    result = curate("similar", "0" * 64, "--run", "best", "--workspace", place.root)
    assert result.code == 2
    assert f"best: no finished run; there are: {run.name}" in result.rest


def test_kept_vectors_of_another_width_are_refused_with_what_helps(filled: Trained) -> None:
    place, run = filled
    names, _ = cosines(place, run)
    (part,) = (place.root / CHECKPOINTS / KEPT).rglob("*.arrow")
    part.unlink()
    forged = KeptVectors(place.checkpoints(KEPT, part.parent.name))
    forged.add(names[:1], np.ones((1, 3), np.float32))
    forged.add(names[1:], np.ones((len(names) - 1, 4), np.float32))
    told = curate("similar", names[-1], "--run", run.name, "--workspace", place.root)
    assert told.code == 2
    assert "delete the folder network-features" in told.rest


@settings(max_examples=30)
@given(st.lists(st.sets(st.integers(0, 12), min_size=1), min_size=1), st.randoms())
def test_vectors_come_back_in_any_order_whatever_parts_they_lie_in(
    added: list[set[int]], random: Random
) -> None:
    with TemporaryDirectory() as folder:
        place = Workspace(Path(folder))
        for numbers in added:
            own = np.array([[number, -number] for number in numbers], np.float32)
            kept = KeptVectors(place.checkpoints(KEPT, "a"))
            kept.add([str(number) for number in numbers], own)
        wanted = sorted(set().union(*added))
        random.shuffle(wanted)
        for each in (kept, KeptVectors(place.checkpoints(KEPT, "a"))):
            assert each.missing([*map(str, wanted), "13"]) == [len(wanted)]
            found = each.gather([*map(str, wanted)])
            assert found.tolist() == [[number, -number] for number in wanted]
