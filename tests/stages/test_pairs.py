"""Measured pairs are kept: limits that move decide anew without a look at any picture."""

import io
import shutil
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pyarrow as pa
import pytest
from PIL import Image

from tests.duplicates.test_geometry import scene
from tests.stages.tables import listing, manifest
from webemo_curate.config import (
    DecodingConfig,
    DedupConfig,
    FeaturesConfig,
    ImagesConfig,
    MatchingConfig,
)
from webemo_curate.duplicates.methods import FAR_LOOKS, _foremost
from webemo_curate.manifest import Origin
from webemo_curate.runner.local_runner import LocalRunner
from webemo_curate.stages.dedup import DedupStage
from webemo_curate.stages.features import FeaturesStage
from webemo_curate.stages.images import ImagesStage
from webemo_curate.stages.pairs import PairsStage
from webemo_curate.stages.stage import StageContext, Tables
from webemo_curate.workspace import Workspace

SIZE = (330, 220)
MEASURE = PairsStage(MatchingConfig(), DecodingConfig())


def drawn() -> dict[str, bytes]:
    """Draw a scene, its copy, its darkened crop, a sibling, and strangers."""
    one = scene(5, SIZE)
    sibling = one.copy()
    sibling.paste(scene(40, SIZE).crop((100, 60, 190, 150)), (120, 70))
    crop = one.crop((30, 20, 310, 205)).point(lambda level: level * 0.8)
    pictures = [one, one.resize((260, 173)), crop, sibling, *(scene(n, SIZE) for n in (60, 61))]
    names = ["one", "copy", "crop", "sibling", "stranger", "other"]
    return {name: _png(picture) for name, picture in zip(names, pictures, strict=True)}


def _png(picture: Image.Image) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, "PNG")
    return buffer.getvalue()


@pytest.fixture(scope="module")
def measured(tmp_path_factory: pytest.TempPathFactory) -> tuple[Workspace, Tables, dict[str, str]]:
    """Tables up to the pairs, the workspace that holds them, and hashes by name."""
    workspace = Workspace(tmp_path_factory.mktemp("pairs") / "workspace")
    context = StageContext(workspace, LocalRunner(1), "0" * 64)
    bodies = drawn()
    sha256 = {name: workspace.store_image(body, ".png") for name, body in bodies.items()}
    fetched = [
        {"url": n, "sha256": sha256[n], "suffix": ".png", "bytes": len(bodies[n])} for n in bodies
    ]
    tables: dict[str, pa.Table] = {
        "listing": listing({"url": name, "label": "zest"} for name in bodies),
        "fetch": manifest("fetch", fetched),
        "text": manifest("text", [{"sha256": name} for name in sha256.values()]),
    }
    stages = (
        ImagesStage(ImagesConfig(), DecodingConfig()),
        FeaturesStage(FeaturesConfig(), DecodingConfig()),
        MEASURE,
    )
    for stage in stages:
        tables |= stage.run(tables, context)
    return workspace, tables, sha256


def decided(tables: Tables, sha256: dict[str, str], config: DedupConfig) -> dict[str, str]:
    """Return the name of each picture's keeper."""
    name = {hashed: name for name, hashed in sha256.items()}
    with TemporaryDirectory() as folder:
        context = StageContext(Workspace(Path(folder)), LocalRunner(1), "0" * 64)
        rows = DedupStage(config).run(tables, context)["duplicates"].to_pylist()
    return {name[row["sha256"]]: name[row["cluster"]] for row in rows}


def test_moved_limits_decide_by_what_was_measured(measured):
    """No workspace is there to open a picture from."""
    _, tables, sha256 = measured
    usual = decided(tables, sha256, DedupConfig())
    assert usual == dict.fromkeys(("one", "copy", "crop"), "one") | {
        name: name for name in ("sibling", "stranger", "other")
    }
    # No hash may propose: keypoints find the copy as well.
    assert decided(tables, sha256, DedupConfig(distance=0)) == usual
    assert decided(tables, sha256, DedupConfig(distance=12)) == usual
    strict = decided(tables, sha256, DedupConfig(min_inliers=400))
    assert strict["crop"] == "crop"
    loose = decided(tables, sha256, DedupConfig(max_changed=1.0))
    assert loose["sibling"] == loose["one"]


def test_every_measured_pair_is_kept_match_or_not(measured):
    _, tables, sha256 = measured
    rows = tables["pairs"].to_pylist()
    siblings = [r for r in rows if {r["first"], r["second"]} == {sha256["one"], sha256["sibling"]}]
    assert {row["placing"] for row in siblings} >= {"reduced", "keypoints"}
    placed = next(row for row in siblings if row["placing"] == "keypoints")
    assert placed["inliers"] > 16
    assert 0.9 < placed["overlap"] <= 1.01
    assert placed["changed"] > DedupConfig().max_changed
    assert next(r for r in siblings if r["placing"] == "reduced")["inliers"] is None
    keys = [(r["first"], r["second"], r["method"], r["placing"]) for r in rows]
    assert len(keys) == len(set(keys))


@pytest.mark.parametrize(("given", "reach"), [(4, 12), (12, 12), (14, 14)])
def test_what_is_measured_does_not_hang_on_what_decides(given, reach):
    config = DedupConfig(distance=given, min_correlation=0.7)
    assert config.matching == MatchingConfig(reach=reach)


def test_no_look_is_taken_twice(measured, tmp_path):
    """With the pictures gone, a run beside the earlier pairs finds the same as one that looks."""
    workspace, tables, _ = measured
    mine = Workspace(shutil.copytree(workspace.root, tmp_path / "mine"))
    mine.write("pairs", tables["pairs"], Origin("pairs", MEASURE.version, {}, {}))
    shutil.rmtree(mine.root / "data")
    found = MEASURE.run(tables, StageContext(mine, LocalRunner(1), "1" * 64))["pairs"]
    assert found.to_pylist() == tables["pairs"].to_pylist()

    # An edited manifest is not believed, and pictures that are gone show nothing.
    spoiled = mine.manifest_path("pairs")
    edited = tables["pairs"].slice(1)
    mine.write("pairs", edited, Origin("pairs", MEASURE.version + 1, {}, {}))
    assert spoiled.exists()
    found = MEASURE.run(tables, StageContext(mine, LocalRunner(1), "2" * 64))["pairs"]
    assert set(found["placing"].to_pylist()) <= {"reduced"}


def test_looks_at_far_pairs_are_bounded_for_each_picture():
    later = np.repeat([7, 8], [20, 2])
    correlation = np.linspace(0.7, 1, 22).astype(np.float32)
    chosen = _foremost(later, correlation, np.ones(22, bool))
    assert chosen[:20].sum() == FAR_LOOKS
    assert chosen[20 - FAR_LOOKS :].all()
    assert not _foremost(later, np.full(22, 0.79, np.float32), np.ones(22, bool)).any()
