"""Measure the report's size and time: `python -m benchmarks.report_size [--images N]`.

The workspace is made, not fetched: the manifests of so many images, each of which is noise, which
compresses worst of all. An image is drawn when the report asks for it; no file of it is stored.
"""

import argparse
import io
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from PIL import Image

from tests.stages.tables import FILLERS
from webemo_curate.config import PipelineConfig
from webemo_curate.conform import conform
from webemo_curate.manifest import Origin
from webemo_curate.report.build import build_report
from webemo_curate.runner.work_context import WorkContext
from webemo_curate.schemas import MANIFESTS
from webemo_curate.taxonomies.webemo_labels import LABELS
from webemo_curate.verdicts import Split
from webemo_curate.workspace import Workspace

IMAGES = 60_000
BOUND = 3_000_000
BOX_SCORES = {"polygon": [20.0, 30.0, 320.0, 30.0, 320.0, 60.0, 20.0, 60.0], "score": 0.9}
BOX_FACTS = {"area": 0.05, "agreed": 0.0, "drawn": False, "frame": 0, "periodic": 0.0}


class NoiseWorkspace(Workspace):
    """A workspace whose images are noise, each its own, drawn when it is read."""

    def read_image(self, path: str) -> bytes:
        """Return a PNG of 640 x 480 made of the path's hash."""
        random = np.random.default_rng(int(Path(path).stem[:8], 16))
        stream = io.BytesIO()
        pixels = random.integers(0, 256, (480, 640, 3), np.uint8)
        Image.fromarray(pixels).save(stream, "PNG", compress_level=1)
        return stream.getvalue()


def make_workspace(folder: Path, images: int) -> Workspace:
    """Write all manifests of so many images: a tenth each leaves as text, duplicates, by labels."""
    workspace = NoiseWorkspace(folder)
    names = np.array([f"{number:064x}" for number in range(images)])
    tables = _before_labels(names) | _after_labels(names)
    for name, table in tables.items():
        workspace.write(name, table, Origin(name, 1, {}, {}))
    return workspace


def _before_labels(names: NDArray[np.str_]) -> dict[str, pa.Table]:
    random, images = np.random.default_rng(0), len(names)
    share = np.arange(images) % 10
    urls = np.char.add("https://photos.example/", names)
    chosen = random.integers(0, len(LABELS), images)
    label = {
        name: np.array([getattr(label, field) for label in LABELS])[chosen]
        for name, field in (("label", "name"), ("emotion", "emotion"), ("polarity", "polarity"))
    }
    paths = np.char.add(np.char.add("data/images/00/", names), ".png")
    score = np.where(share == 0, random.uniform(0.85, 1, images), random.uniform(0, 0.85, images))
    boxes = [
        [BOX_SCORES | BOX_FACTS | {"text": f"WORDS {row}", "confidence": value, "support": value}]
        for row, value in enumerate(score.tolist())
    ]
    clean, copies = names[share > 0], share[share > 0] == 1
    of = np.where(copies, np.roll(clean, -1), clean)
    first, second = clean[: len(clean) // 2], clean[len(clean) // 2 :][: len(clean) // 2]
    pairs = {
        **{"method": "phash", "placing": "whole", "mirrored": False, "clear": False},
        **{"placed": 0.8, "overlap": 1.0, "agreeing": 0.9, "changed": 0.004, "inliers": 40},
        **{"distance": random.integers(0, 13, len(first))},
        **{"correlation": random.uniform(0.6, 1, len(first))},
    }
    return {
        "listing": _table("listing", images, url=urls, line=np.arange(images), **label),
        "fetch": _table("fetch", images, url=urls, sha256=names),
        "images": _table("images", images, sha256=names, path=paths, pixel_hash=names),
        "text": _table(
            *("text", images),
            **{"sha256": names, "boxes": boxes, "score": score, "threshold": 0.85},
            verdict=np.where(share == 0, "text", "clean"),
        ),
        "pairs": _table("pairs", len(first), first=first, second=second, **pairs),
        "duplicates": _table(
            *("duplicates", len(clean)),
            **{"sha256": clean, "cluster": of, "matched": of, "group": of, "keeper": ~copies},
            **{"method": np.where(copies, "phash", "keeper"), "distance": 4.0 * copies},
            verdict=np.where(copies, "near_duplicate", "keeper"),
            sibling_of=np.roll(clean, 2),
            sibling_score=random.uniform(0, 1, len(clean)),
        ),
    }


def _after_labels(names: NDArray[np.str_]) -> dict[str, pa.Table]:
    share = np.arange(len(names)) % 10
    settled, kept = names[share > 1], names[share > 2]
    conflict = share[share > 1] == 2
    stays = share[share > 2] > 3
    final = kept[stays]
    labels = {
        **{"cluster": settled, "labels": [["joy", "sadness"]] * len(settled), "label": "sadness"},
        **{"conflict": conflict, "positive_votes": 1, "other_votes": conflict.astype(int)},
        **{"verdict": np.where(conflict, "label_conflict", "kept"), "target": 1},
    }
    parts = np.split(final, [len(final) * 8 // 10, len(final) * 9 // 10])
    return {
        "labels": _table("labels", len(settled), **labels),
        "sample": _table("sample", len(kept), sha256=kept, target=1, label="sadness", kept=stays),
        **{
            str(split): _table(
                *(str(split), len(part)),
                **{"sha256": part, "group": part, "path": part, "target": 1, "label": "sadness"},
                **{"labels": [["sadness"]] * len(part), "width": 640, "height": 480, "url": part},
            )
            for split, part in zip(Split, parts, strict=True)
        },
    }


def _table(name: str, rows: int, **columns: Any) -> pa.Table:
    """Return a manifest of columns, single values repeated, other columns filled in."""
    schema = MANIFESTS[name]
    arrays = {}
    for field in schema:
        kind = field.type.value_type if pa.types.is_dictionary(field.type) else field.type
        given = columns.get(field.name, FILLERS.get(name, {}).get(field.name))
        if isinstance(given, np.ndarray) or (isinstance(given, list) and given):
            arrays[field.name] = pa.array(given).cast(kind)
        else:
            arrays[field.name] = pa.array([given] * rows, kind)
    return conform(pa.table(arrays), schema)


def report_bytes(folder: Path, images: int) -> tuple[int, float]:
    """Return the size of the report on a made workspace, and the seconds it took."""
    workspace = make_workspace(folder, images)
    started = time.monotonic()
    path = Path(build_report(WorkContext(workspace, PipelineConfig())))
    return path.stat().st_size, time.monotonic() - started


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--images", type=int, default=IMAGES)
    images = parser.parse_args().images
    for count in (images // 10, images):
        with tempfile.TemporaryDirectory() as folder:
            size, seconds = report_bytes(Path(folder), count)
        print(f"{count:,} images: report of {size / 1e6:.2f} MB in {seconds:.1f} s")


if __name__ == "__main__":
    main()
