"""How many of flipped labels are found: on drawn scenes, or on labeled photos.

    python -m benchmarks.label_issues [--pictures 400] [--shares 10 20 30]
    python -m benchmarks.label_issues --photos PHOTOS LABELS.csv [--shares 0 10 20 30]
    python -m benchmarks.label_issues --backbone test_efficientnet --pictures 1000

Labels of a set are flipped at random, and doubted by networks trained from scratch. Prints, for
each share, the precision among as many of the worst as were flipped: by `label-issues`, by the loss
of the same answers, by the loss of one network trained on all pictures, and by chance; with 95 %
Wilson intervals. LABELS.csv has the columns file, label (sad or happy; other rows are left out) and
family, which no fold parts; its own labels are search terms: flips are found among its own noise.
The small backbone of the third line takes a sixth of the time a picture.
"""

import argparse
import csv
import tempfile
from pathlib import Path

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from tests.stages.tables import manifest
from webemo_curate.config import LabelIssuesConfig, PipelineConfig, TrainConfig, load_pipeline
from webemo_curate.dataset.labeled_images import ChosenImages, open_images
from webemo_curate.dataset.prefetch import Feed
from webemo_curate.demo.scenes import SADNESS, draw_scene
from webemo_curate.demo.variants import jpeg
from webemo_curate.evaluation.inference import predict_logits, probabilities
from webemo_curate.intervals import wilson_interval
from webemo_curate.label_issues.doubt_stages import with_doubts
from webemo_curate.manifest import Origin
from webemo_curate.models.devices import choose_device
from webemo_curate.pipeline import Pipeline, build_stages
from webemo_curate.runner.work_context import WorkContext
from webemo_curate.taxonomies.webemo_labels import LABELS
from webemo_curate.training.trainer import Trainer
from webemo_curate.workspace import Workspace

NAMES = ("others", "sadness")
DEMO = Path(__file__).parents[1] / "pipelines" / "demo.yaml"
OWN = {"test_efficientnet": {"weights_tag": "r160_in1k", "tap": "block3a"}}
"""What a backbone needs beside its name."""

Numbers = NDArray[np.int64]


def draw_pictures(place: Workspace, count: int, rng: np.random.Generator) -> list[dict[str, str]]:
    """Store drawn scenes, half of them sad; each is a group of its own."""
    sad = [label for label in LABELS if label.emotion == SADNESS]
    others = [label for label in LABELS if label.emotion != SADNESS]
    rows = []
    for number in range(count):
        choice = (others, sad)[number % 2]
        picture = draw_scene(choice[int(rng.integers(len(choice)))], rng)
        sha256 = place.store_image(jpeg(picture), ".jpg")
        rows.append(
            {"sha256": sha256, "suffix": ".jpg", "group": str(number), "truth": str(number % 2)}
        )
    return rows


def take_photos(place: Workspace, photos: Path, labels: Path) -> list[dict[str, str]]:
    """Store photos of two labels with their families; of equal files the first."""
    rows = {}
    with labels.open(newline="") as stream:
        for row in csv.DictReader(stream):
            if row["label"] in ("sad", "happy"):
                file = photos / row["file"]
                sha256 = place.store_image(file.read_bytes(), file.suffix.lower())
                truth = str(int(row["label"] == "sad"))
                own = {"sha256": sha256, "suffix": file.suffix.lower(), "truth": truth}
                rows.setdefault(sha256, own | {"group": row["family"]})
    return [*rows.values()]


def write_labels(place: Workspace, rows: list[dict[str, str]], given: Numbers) -> None:
    """Write the manifests that labels are doubted by."""
    paths = [place.image_path(row["sha256"], row["suffix"]) for row in rows]
    hashes = [row["sha256"] for row in rows]
    tables = {
        "images": [{"sha256": one, "path": path} for one, path in zip(hashes, paths, strict=True)],
        "duplicates": [
            dict.fromkeys(("sha256", "cluster", "matched"), row["sha256"]) | {"group": row["group"]}
            for row in rows
        ],
        "labels": [
            {"cluster": one, "label": NAMES[target], "labels": [NAMES[target]], "target": target}
            | {"positive_votes": target, "other_votes": 1 - target}
            for one, target in zip(hashes, given.tolist(), strict=True)
        ],
    }
    for name, content in tables.items():
        place.write(name, manifest(name, content), Origin("benchmark", 1, {}, {}))


def out_of_fold(place: Workspace, config: PipelineConfig) -> pa.Table:
    """Doubt the labels as the command does; return its table by hash."""
    for name in ("out_of_fold", "label_issues"):
        pipeline = Pipeline(place, config, stages=with_doubts(build_stages))
        for _ in pipeline.run(name, only=True):
            pass
    return place.read("label_issues").sort_by("sha256")


def seen_loss(place: Workspace, config: PipelineConfig) -> NDArray[np.float64]:
    """Return the loss of each picture by a network trained on all, by hash."""
    labels = place.read("labels", ["cluster", "target"]).rename_columns(["sha256", "target"])
    images = place.read("images", ["sha256", "path"])
    table = labels.join(images, "sha256").sort_by("sha256")
    opened = open_images(table, config.train, WorkContext(place, config))
    device = choose_device(config.train.device)
    with tempfile.TemporaryDirectory() as folder:
        trainer = Trainer(config.train, config.train.seed, device, Path(folder))
        trainer.fit(opened, ChosenImages(opened, np.empty(0, np.int64)))
        feed = Feed(opened, device, config.train.feed)
        sad = probabilities(predict_logits(trainer.network, feed, config.train))
    given = table["target"].to_numpy()
    return -np.log(np.maximum(np.where(given == 1, sad, 1 - sad), 1e-12))


def precision(order: Numbers, flipped: NDArray[np.bool_]) -> str:
    """Say how many of as many of the first as were flipped were, with the interval."""
    count = int(flipped.sum())
    hits = int(flipped[order[:count]].sum())
    low, high = wilson_interval(hits, count)
    return f"{hits / count:.3f} [{low:.3f}, {high:.3f}]"


def report(
    place: Workspace, rows: list[dict[str, str]], share: int, config: PipelineConfig
) -> None:
    """Flip a share of labels, doubt them, and print a line of the table."""
    rows = sorted(rows, key=lambda row: row["sha256"])
    truth = np.array([int(row["truth"]) for row in rows])
    flipped = np.random.default_rng([1, share]).random(len(rows)) < share / 100
    write_labels(place, rows, np.where(flipped, 1 - truth, truth))
    found = out_of_fold(place, config)
    noise = {
        (row["given"], row["likely"]): row["share"] for row in place.read("label_noise").to_pylist()
    }
    wrong = 1 - sum(share for (given, likely), share in noise.items() if given == likely)
    issues = found["issue"].to_numpy(zero_copy_only=False).astype(bool)
    right = np.mean((found["given_probability"].to_numpy() > 0.5) == ~flipped)
    said = f"{issues.mean():.1%} in doubt, {wrong:.1%} wrong"
    print(f"| {share} % | {len(rows)} | {right:.3f} | {said}", end="")
    if flipped.any():
        orders = (
            np.argsort(found["score"].to_numpy(), kind="stable"),
            np.argsort(found["given_probability"].to_numpy(), kind="stable"),
            np.argsort(-seen_loss(place, config), kind="stable"),
        )
        print("", *(precision(order, flipped) for order in orders), sep=" | ", end="")
        print(f" | {flipped.mean():.3f}", end="")
    print(" |", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--photos", type=Path, nargs=2, metavar=("PHOTOS", "LABELS.csv"))
    parser.add_argument("--pictures", type=int, default=400)
    parser.add_argument("--shares", type=int, nargs="+", default=[10, 20, 30])
    parser.add_argument("--epochs", type=int, default=8)
    parser.add_argument("--folds", type=int, default=5)
    parser.add_argument("--backbone", default="tf_efficientnetv2_b0")
    given = parser.parse_args()
    document = load_pipeline(DEMO).train.model_dump(exclude_unset=True)
    document |= {"epochs": given.epochs, "grams": 0, "backbone": given.backbone}
    train = TrainConfig(**document | OWN.get(given.backbone, {}))
    doubts = LabelIssuesConfig(folds=given.folds)
    config = PipelineConfig(train=train, label_issues=doubts)
    print("| flipped | pictures | answers right | found | label-issues | loss out of fold ", end="")
    print("| loss of one network | chance |")
    with tempfile.TemporaryDirectory() as folder:
        place = Workspace(Path(folder))
        if given.photos:
            rows = take_photos(place, *given.photos)
        else:
            rows = draw_pictures(place, given.pictures, np.random.default_rng(0))
        place.settle()
        for share in given.shares:
            report(place, rows, share, config)


if __name__ == "__main__":
    main()
