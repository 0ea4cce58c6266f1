"""The quality stage: cleanvision's scores, flags by threshold, and what leaves where asked to."""

import io
import logging
from pathlib import Path

import numpy as np
import pytest
from cleanvision import Imagelab
from PIL import Image
from pydantic import ValidationError

from tests.stages.tables import manifest, sha
from webemo_curate.config import DecodingConfig, ImagesConfig, PipelineConfig, QualityRuleConfig
from webemo_curate.frames import to_frame
from webemo_curate.imaging.profiles import profile_of
from webemo_curate.pipeline import build_stages
from webemo_curate.stages.dedup import DedupStage
from webemo_curate.stages.images import ImagesStage
from webemo_curate.stages.quality import QualityStage
from webemo_curate.stages.quality_scores import size_scores
from webemo_curate.verdicts import GOOD_ENOUGH, QualityFlag

CLEANVISIONS = (
    *(QualityFlag.DARK, QualityFlag.LIGHT, QualityFlag.BLURRY, QualityFlag.LOW_INFORMATION),
    *(QualityFlag.GRAYSCALE, QualityFlag.ODD_ASPECT_RATIO, QualityFlag.ODD_SIZE),
)
ROUNDING = 1e-9
"""Cleanvision sums floats, this project whole numbers."""

EVERY = 8
"""Of the photos: all take cleanvision half a minute."""


def judge(context, bodies, **rule):
    """Run both stages over files; returns the quality manifest by name."""
    shas = {name: context.workspace.store_image(body, ".jpg") for name, body in bodies.items()}
    rows = [{"url": str(name), "sha256": sha256} for name, sha256 in shas.items()]
    made = ImagesStage(ImagesConfig(), DecodingConfig()).run(
        {"fetch": manifest("fetch", rows)}, context
    )
    found = to_frame(QualityStage(QualityRuleConfig(**rule)).run(made, context)["quality"])
    return found.set_index("sha256").loc[list(shas.values())].set_axis(list(shas))


def by_cleanvision(folder, bodies):
    """Return cleanvision's own answers on the same files, by name."""
    folder.mkdir()
    paths = {str(folder / f"{number}.jpg"): name for number, name in enumerate(bodies)}
    for path, name in paths.items():
        Path(path).write_bytes(bodies[name])
    lab = Imagelab(filepaths=list(paths))
    lab.find_issues({str(flag): {} for flag in CLEANVISIONS}, n_jobs=1, verbose=False)
    return lab.issues.rename(index=paths).loc[list(bodies)]


def same(ours, theirs):
    for flag in CLEANVISIONS:
        score = theirs[f"{flag}_score"].to_numpy(float)
        assert ours[str(flag)].to_numpy(float) == pytest.approx(score, abs=ROUNDING), flag
        flagged = ours["flags"].map(lambda flags, flag=flag: flag in flags)
        assert flagged.tolist() == theirs[f"is_{flag}_issue"].tolist(), flag


def encode(picture, kind="PNG", **options):
    file = io.BytesIO()
    picture.save(file, kind, **options)
    return file.getvalue()


def drawn():
    """Return files with every flaw, and shapes at the bounds of what is reduced."""
    rng = np.random.default_rng(0)
    rough = rng.integers(0, 256, (60, 90, 3), np.uint8)
    pictures = {f"usual {seed}": np.roll(rough, seed, 0) for seed in range(9)}
    pictures |= {
        "dark": rough // 5,
        "light": 255 - rough // 40,
        "gray": rough[:, :, 0],
        "dark gray": rough[:, :, 0] // 5,
        "low": np.full((60, 90, 3), 9, np.uint8),
        "long": rough[:9],
        "tiny": rough[:3, :4],
        "large": np.tile(rough, (9, 9, 1)),
        "two grays": rough // 128 * 200,
    }
    soft = Image.fromarray(rough[::12, ::12] // 2).resize((90, 60), Image.Resampling.BICUBIC)
    bodies = {name: encode(Image.fromarray(pixels)) for name, pixels in pictures.items()}
    return bodies | {"soft": encode(soft), "small": encode(soft.resize((64, 43)))}


def test_scores_and_flags_of_drawn_pictures_are_cleanvisions(context, tmp_path):
    bodies = drawn()
    ours = judge(context, bodies)
    same(ours, by_cleanvision(tmp_path / "theirs", bodies))
    raised = {flag for flags in ours["flags"] for flag in flags}
    assert raised >= set(map(str, CLEANVISIONS)), "every flag of cleanvision's comes up"


def test_scores_and_flags_of_photos_are_cleanvisions(context, tmp_path, shared_data):
    logging.getLogger("PIL").setLevel(logging.WARNING)
    bodies = {path: path.read_bytes() for path in sorted((shared_data / "dev/web").iterdir())}
    chosen = {path: bodies[path] for path in list(bodies)[::EVERY]}
    # Colors are shown as their profile says, which cleanvision passes over.
    plain = {path: body for path, body in chosen.items() if profile_of(Image.open(path)) is None}
    assert len(plain) > 0.9 * len(chosen)
    same(judge(context, plain), by_cleanvision(tmp_path / "theirs", plain))


def test_flags_follow_the_thresholds_and_drop_the_first_that_is_named(context):
    bodies = drawn()
    assert set(judge(context, bodies)["verdict"]) == {GOOD_ENOUGH}

    found = judge(context, bodies, drop="low_information,dark", dark=0.25)
    assert found.loc["dark", "verdict"] == "dark"
    assert found.loc["dark", ["score", "threshold"]].tolist() == [found.loc["dark", "dark"], 0.25]
    assert "dark" in found.loc["low", "flags"]
    assert found.loc["low", "verdict"] == "dark", "the first of the order of flags"
    rest = found[found["verdict"] == GOOD_ENOUGH]
    assert rest[["score", "threshold"]].isna().all(axis=None)
    assert (rest["dark"] >= 0.25).all()


def test_pictures_without_color_are_told_however_they_are_stored(context):
    gray = Image.fromarray(np.random.default_rng(1).integers(0, 256, (60, 90), np.uint8))
    bodies = {"stored": encode(gray, "JPEG"), "as color": encode(gray.convert("RGB"), "JPEG")}
    found = judge(context, bodies)
    assert found["grayscale"].tolist() == [0, 1]
    assert all("colorless" in flags for flags in found["flags"])


def test_pictures_that_do_not_decode_have_no_scores(context):
    sound, broken = encode(Image.new("RGB", (20, 20), "red")), b"<html>"
    shas = [context.workspace.store_image(body, ".jpg") for body in (sound, broken)]
    fetch = manifest("fetch", [{"url": sha256, "sha256": sha256} for sha256 in shas])
    made = ImagesStage(ImagesConfig(), DecodingConfig()).run({"fetch": fetch}, context)
    assert made["measures"]["sha256"].to_pylist() == shas[:1]
    assert QualityStage(QualityRuleConfig()).run(made, context)["quality"].num_rows == 1


def test_what_leaves_for_its_quality_is_no_keeper(context):
    names = [sha("large and dark"), sha("small")]
    images = [
        {"sha256": name, "pixel_hash": "one", "bytes": size}
        for name, size in zip(names, (9000, 10), strict=True)
    ]
    tables = {
        "listing": manifest("listing", []),
        "fetch": manifest("fetch", []),
        "images": manifest("images", images),
        "text": manifest("text", [{"sha256": name} for name in names]),
        "pairs": manifest("pairs", []),
    }
    dedup = PipelineConfig().dedup
    kept = DedupStage(dedup).run(tables, context)["duplicates"]
    assert kept.filter(kept["keeper"])["sha256"].to_pylist() == names[:1]

    flagless = {str(flag): 1.0 for flag in QualityFlag} | {"flags": []}
    verdicts = ("dark", GOOD_ENOUGH)
    tables["quality"] = manifest(
        "quality",
        [
            flagless | {"sha256": name, "verdict": verdict}
            for name, verdict in zip(names, verdicts, strict=True)
        ],
    )
    kept = DedupStage(dedup, by_quality=True).run(tables, context)["duplicates"]
    assert kept["sha256"].to_pylist() == names[1:]


def test_only_what_drops_for_quality_reads_it():
    def readers(config):
        return {stage.name for stage in build_stages(config) if "quality" in stage.reads()}

    assert readers(PipelineConfig()) == set()
    dropping = PipelineConfig.model_validate({"quality": {"drop": "dark"}})
    assert readers(dropping) == {"pairs", "dedup", "decisions"}


@pytest.mark.parametrize("given", ["none", "", ()])
def test_no_flag_drops(given):
    assert QualityRuleConfig(drop=given).drop == ()


def test_a_flag_that_there_is_not_is_refused():
    with pytest.raises(ValidationError, match="blurry"):
        QualityRuleConfig(drop="blurred")


def test_where_most_sizes_are_equal_every_other_is_odd():
    sizes = np.array([100.0] * 9 + [101.0])
    scores, threshold = size_scores(sizes, 3.0)
    assert (scores < threshold).tolist() == [False] * 9 + [True]


def test_partial_results_without_measures_are_not_taken_for_whole(context):
    body = encode(Image.fromarray(np.random.default_rng(2).integers(0, 256, (9, 9, 3), np.uint8)))
    sha256 = context.workspace.store_image(body, ".jpg")
    tables = {"fetch": manifest("fetch", [{"url": "u", "sha256": sha256}])}
    stage = ImagesStage(ImagesConfig(), DecodingConfig())
    fresh = stage.run(tables, context)
    kept = context.workspace.checkpoints("images", context.fingerprint + stage.form)
    (name,) = kept.finished()
    whole = kept.load(name)
    earlier = context.workspace.checkpoints("images", context.fingerprint)
    earlier.save(name, whole.select(fresh["images"].column_names))
    assert stage.run(tables, context)["measures"].equals(fresh["measures"])
