"""Train from scratch on labeled photos whose related pictures must stay together.

    python -m benchmarks.photo_training PHOTOS LABELS.csv [--seeds 3] [--epochs 8] [--size 64]

LABELS.csv has the columns file, label (sad or happy; other rows are left out) and family. Families
are dealt whole to train, validation and test (70/10/20). The baseline (k = 0) and the Gram network
(k = 3) are trained with the same seeds; prints each run's test accuracy and AUC, and the
difference of accuracies with its 95 % interval over seeds and images.
"""

import argparse
import csv
import shutil
import tempfile
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray
from sklearn.model_selection import StratifiedGroupKFold

from webemo_curate.config import PipelineConfig, TrainConfig, load_pipeline
from webemo_curate.evaluation.evaluate import evaluate
from webemo_curate.evaluation.significance import compare_runs
from webemo_curate.manifest import Origin
from webemo_curate.runner.work_context import WorkContext
from webemo_curate.sources.added import add_folder
from webemo_curate.training.fit import train
from webemo_curate.verdicts import Split
from webemo_curate.workspace import Workspace

EMOTIONS = {"sad": "sadness", "happy": "joy"}
NAME = "photos"
FOLDS = 10
TEST_FOLDS, VALIDATION_FOLD = (0, 1), 2
GRAMS = (0, 3)
DEMO = Path(__file__).parents[1] / "pipelines" / "demo.yaml"


def take_photos(photos: Path, labels: Path, workspace: Workspace, folder: Path) -> None:
    """Add the photos to a workspace and write its three split manifests."""
    families = {}
    with labels.open(newline="") as stream:
        for row in csv.DictReader(stream):
            if row["label"] in EMOTIONS:
                file = Path(EMOTIONS[row["label"]], row["file"])
                (folder / file).parent.mkdir(exist_ok=True)
                shutil.copy(photos / row["file"], folder / file)
                families[str(file)] = row["family"]
    added = add_folder(folder, NAME, WorkContext(workspace, PipelineConfig()))
    print(added.summary())
    table = pq.read_table(added.path)
    groups = [families[url] for url in table["url"].to_pylist()]
    table = table.set_column(table.schema.get_field_index("group"), "group", pa.array(groups))
    for split, rows in deal(table).items():
        origin = Origin("photo-training", 1, {"split": str(split)}, {})
        workspace.write_as(Split.TEST, split, rows, origin)
        print(f"{split}: {rows.num_rows} photos, {sum(rows['target'].to_pylist())} sad")


def deal(table: pa.Table) -> dict[str, pa.Table]:
    """Deal families to the splits, with equal shares of both classes."""
    target, group = table["target"].to_numpy(), table["group"].to_pylist()
    fold = np.empty(table.num_rows, int)
    folds = StratifiedGroupKFold(FOLDS, shuffle=True, random_state=0)
    for number, (_, members) in enumerate(folds.split(target, target, group)):
        fold[members] = number
    test, validation = np.isin(fold, TEST_FOLDS), fold == VALIDATION_FOLD
    return {
        Split.TRAIN: table.filter(pa.array(~test & ~validation)),
        Split.VALIDATION: table.filter(pa.array(validation)),
        Split.TEST: table.filter(pa.array(test)),
    }


def run_seeds(config: TrainConfig, workspace: Workspace) -> NDArray[np.bool_]:
    """Train one network per seed; returns (seeds, images), whether each answered rightly."""
    right, work = [], WorkContext(workspace, PipelineConfig())
    for run in train(config, work):
        found = evaluate(run.folder, Split.TEST, work, "cpu")
        metrics = found.metrics
        print(
            f"k = {config.grams}, seed {run.seed}: accuracy {metrics.accuracy:.3f}, "
            f"AUC {metrics.auc or float('nan'):.3f}",
            flush=True,
        )
        rows = pq.read_table(found.predictions)
        right.append(
            (rows["probability"].to_numpy() >= 0.5) == rows["target"].to_numpy().astype(bool)
        )
    return np.array(right)


def main() -> None:
    """Train both networks and compare them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("photos", type=Path)
    parser.add_argument("labels", type=Path)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--epochs", type=int, default=8)
    parser.add_argument("--size", type=int, default=64)
    arguments = parser.parse_args()
    # The demo's settings are those that learn from scratch in few updates.
    base = load_pipeline(DEMO).train.model_copy(
        update={
            "seeds": arguments.seeds,
            "epochs": arguments.epochs,
            "image_size": arguments.size,
            "device": "cpu",
        }
    )
    with tempfile.TemporaryDirectory() as home, tempfile.TemporaryDirectory() as folder:
        workspace = Workspace(Path(home))
        take_photos(arguments.photos, arguments.labels, workspace, Path(folder))
        baseline, gram = (run_seeds(base.model_copy(update={"grams": k}), workspace) for k in GRAMS)
    print(f"baseline {baseline.mean():.3f}, Gram {gram.mean():.3f}")
    print(compare_runs(baseline, gram))


if __name__ == "__main__":
    main()
