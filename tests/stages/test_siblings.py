"""Two pictures of one sitting: both stay, each with its label, and no split parts them."""

import io
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.duplicates.test_geometry import scene
from tests.stages.tables import listing, manifest
from tests.work import work_on
from webemo_curate.config import (
    BinarizeConfig,
    DecodingConfig,
    DedupConfig,
    FeaturesConfig,
    ImagesConfig,
    MatchingConfig,
    SplitConfig,
    UndersampleConfig,
)
from webemo_curate.duplicates.leakage import mark_shared
from webemo_curate.duplicates.shared_pictures import SharedPictures
from webemo_curate.manifest import Origin
from webemo_curate.report.examples import Album
from webemo_curate.report.siblings import siblings
from webemo_curate.runner.local_runner import LocalRunner
from webemo_curate.stages.binarize import BinarizeStage
from webemo_curate.stages.dedup import DedupStage
from webemo_curate.stages.features import FeaturesStage
from webemo_curate.stages.images import ImagesStage
from webemo_curate.stages.pairs import PairsStage
from webemo_curate.stages.split import SplitStage
from webemo_curate.stages.stage import StageContext
from webemo_curate.stages.undersample import UndersampleStage
from webemo_curate.verdicts import Split
from webemo_curate.workspace import Workspace

SIZE = (330, 220)
SAD, OTHER = "disappointment", "zest"
ORIGIN = Origin("made up", 1, {}, {})


def another_pose(seed: int, part: int) -> Image.Image:
    """Return a scene with another figure in its middle."""
    picture = scene(seed, SIZE)
    figure = scene(part, SIZE).crop((100, 60, 190, 150))
    picture.paste(Image.fromarray(np.asarray(figure)), (120, 70))
    return picture


def encode(picture: Image.Image) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, "PNG")
    return buffer.getvalue()


@dataclass(frozen=True)
class Curated:
    """A workspace, and the hash of each picture by its name."""

    workspace: Workspace
    sha256: dict[str, str]

    def row(self, manifest_name: str, picture: str, key: str = "sha256") -> dict[str, object]:
        rows = self.workspace.read(manifest_name).to_pylist()
        (found,) = [row for row in rows if row[key] == self.sha256[picture]]
        return found

    def split_of(self, picture: str) -> list[Split]:
        name = self.sha256[picture]
        return [s for s in Split if name in self.workspace.read(s)["sha256"].to_pylist()]


@pytest.fixture(scope="module")
def curated(tmp_path_factory: pytest.TempPathFactory) -> Curated:
    """Siblings under two classes and strangers, through every stage after the fetch."""
    workspace = Workspace(tmp_path_factory.mktemp("siblings") / "workspace")
    context = StageContext(workspace, LocalRunner(1), "0" * 64)
    pictures = {"sad": another_pose(5, 40), "shouting": another_pose(5, 41)}
    labels = {"sad": SAD, "shouting": OTHER}
    for number in range(20):
        pictures[f"stranger{number}"] = scene(100 + number, SIZE)
        labels[f"stranger{number}"] = SAD if number % 2 else OTHER
    bodies = {name: encode(picture) for name, picture in pictures.items()}
    sha256 = {name: workspace.store_image(body, ".png") for name, body in bodies.items()}
    fetched = [
        {"url": n, "sha256": sha256[n], "suffix": ".png", "bytes": len(bodies[n])} for n in bodies
    ]
    tables = {
        "listing": listing({"url": name, "label": label} for name, label in labels.items()),
        "fetch": manifest("fetch", fetched),
        "text": manifest("text", [{"sha256": name} for name in sha256.values()]),
    }
    for stage in (
        ImagesStage(ImagesConfig(), DecodingConfig()),
        FeaturesStage(FeaturesConfig(), DecodingConfig()),
        PairsStage(MatchingConfig(), DecodingConfig()),
        DedupStage(DedupConfig()),
        BinarizeStage(BinarizeConfig()),
        UndersampleStage(UndersampleConfig()),
        SplitStage(SplitConfig()),
    ):
        tables |= stage.run(tables, context)
    for name, table in tables.items():
        workspace.write(name, table, ORIGIN)
    return Curated(workspace, sha256)


def test_siblings_are_two_pictures_of_one_group_and_say_why(curated: Curated) -> None:
    one, other = (curated.row("duplicates", name) for name in ("sad", "shouting"))
    assert (one["keeper"], other["keeper"]) == (True, True)
    assert one["group"] == other["group"]
    assert one["sibling_of"] == curated.sha256["shouting"]
    assert other["sibling_of"] == curated.sha256["sad"]
    assert 0 < one["sibling_score"] < 1
    rest = [curated.row("duplicates", f"stranger{number}") for number in range(20)]
    assert len({row["group"] for row in rest}) == 20
    assert all(row["sibling_of"] is None for row in rest)


def test_siblings_keep_both_labels_and_stand_in_one_split(curated: Curated) -> None:
    labels = [curated.row("labels", name, "cluster") for name in ("sad", "shouting")]
    assert [row["conflict"] for row in labels] == [False, False]
    assert [row["labels"] for row in labels] == [[SAD], [OTHER]]
    assert [row["target"] for row in labels] == [1, 0]
    assert len(curated.split_of("sad")) == 1
    assert curated.split_of("sad") == curated.split_of("shouting")


@pytest.fixture(scope="module")
def outside(curated: Curated, tmp_path_factory: pytest.TempPathFactory) -> SharedPictures:
    """A test set of a third pose of the sitting, a copy of a stranger and a new picture."""
    folder = tmp_path_factory.mktemp("outside") / "Outside"
    folder.mkdir()
    trained = next(
        n for n in curated.sha256 if curated.split_of(n) == [Split.TRAIN] and n[-1].isdigit()
    )
    number = int(trained.removeprefix("stranger"))
    another_pose(5, 42).save(folder / "pose.png")
    scene(100 + number, SIZE).resize((165, 110)).save(folder / "copy.png")
    scene(900, SIZE).save(folder / "new.png")
    return mark_shared(folder, work_on(curated.workspace), LocalRunner(1))


def test_a_test_sets_siblings_are_counted_apart_from_shared_pictures(
    outside: SharedPictures,
) -> None:
    assert outside.shared() == 1
    assert "1 of 3 images are in the workspace too (phash 1)" in outside.summary()
    assert "1 more have siblings there" in outside.summary()


def test_siblings_that_training_has_seen_are_warned_of_and_no_leak(
    curated: Curated, outside: SharedPictures
) -> None:
    names = {Path(row["path"]).stem: row["sha256"] for row in outside.matches.to_pylist()}
    seen = outside.trained_on(curated.workspace)
    assert seen.pictures == {names["copy"]}
    trained = curated.split_of("sad") != [Split.TEST]
    assert seen.siblings == ({names["pose"]} if trained else set())
    assert (seen.warning() is None) == (not trained)


def test_the_report_shows_the_siblings(curated: Curated) -> None:
    found = siblings(Album(work_on(curated.workspace)), 5)
    assert found
    assert (found.count, len(found.examples)) == (1, 1)
    assert found.examples[0].beside
