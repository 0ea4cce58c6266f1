"""A workspace with something in every section of the report, hostile strings among it."""

import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from PIL import Image

from tests.stages.tables import manifest
from webemo_curate.manifest import Origin
from webemo_curate.verdicts import Split
from webemo_curate.workspace import Workspace

HOSTILE = "<img src=x onerror=pwned=1><script>pwned=1</script>'\""
MADE = Origin("made up", 1, {"note": HOSTILE}, {})


def fill(workspace: Workspace, extra: int = 12) -> list[str]:
    """Write every manifest above the splits that are there; returns the extra pictures' hashes.

    The extra pictures, which no split has, leave by turns as text, as duplicates and for their
    labels; two of the training split are a near miss.
    """
    splits = {split: workspace.read(split) for split in Split}
    kept = [row for table in splits.values() for row in table.to_pylist()]
    left = [workspace.store_image(picture(seed), ".png") for seed in range(extra)]
    names = [row["sha256"] for row in kept] + left
    paths = [row["path"] for row in kept] + [workspace.image_path(name, ".png") for name in left]
    texts, copies, conflicts = left[0::3], left[1::3], left[2::3]
    keepers = [row["sha256"] for row in kept] + conflicts
    _write_listing(workspace, kept, left)
    images = [
        {"sha256": n, "path": p, "suffix": ".png", "pixel_hash": n}
        for n, p in zip(names, paths, strict=True)
    ]
    workspace.write("images", manifest("images", images), MADE)
    _write_text(workspace, names, texts)
    _write_duplicates(workspace, keepers, copies)
    _write_labels(workspace, keepers, conflicts)
    return left


def picture(seed: int) -> bytes:
    """Return a PNG of soft colors, another for each seed."""
    colors = np.random.default_rng(seed).integers(0, 256, (3, 4, 3), dtype=np.uint8)
    stream = io.BytesIO()
    Image.fromarray(colors).resize((200, 150), Image.Resampling.BICUBIC).save(stream, "PNG")
    return stream.getvalue()


def box(text: str, confidence: float, **other: Any) -> dict[str, Any]:
    """Return a text box."""
    corners = [20.0, 30.0, 120.0, 30.0, 120.0, 60.0, 20.0, 60.0]
    plain = {"polygon": corners, "score": 0.9, "area": 0.1, "agreed": 0.0, "drawn": False}
    more = {"frame": 0, "support": confidence, "periodic": 0.0}
    return plain | more | {"text": text, "confidence": confidence} | other


def _write_listing(workspace: Workspace, kept: Sequence[dict[str, Any]], left: list[str]) -> None:
    rows = [(row["sha256"], row["label"]) for row in kept]
    rows += [(name, HOSTILE if place % 2 else "fear") for place, name in enumerate(left)]
    urls = {name: f"https://a.example/{HOSTILE}/{name}.png" for name, _ in rows}
    lines = [
        {"line": line, "url": urls[name], "label": label, "emotion": None}
        for line, (name, label) in enumerate(rows, start=1)
    ]
    dead = {"line": len(lines) + 1, "url": f"https://a.example/{HOSTILE}", "label": "fear"}
    workspace.write("listing", manifest("listing", [*lines, dead]), MADE)
    fetched = [{"url": urls[name], "sha256": name} for name, _ in rows]
    gone = {"url": dead["url"], "status": "not_found", "sha256": None, "suffix": None}
    workspace.write("fetch", manifest("fetch", [*fetched, gone]), MADE)


def _write_text(workspace: Workspace, names: list[str], texts: list[str]) -> None:
    rows = []
    for place, name in enumerate(names):
        bears, step = name in texts, 0.02 * (place % 7)
        score, threshold = (0.86 + step if bears else 0.8 - step), 0.85
        read = f"SALE {place}{HOSTILE if bears else ''}"
        judged = {"score": score, "threshold": threshold, "verdict": "text" if bears else "clean"}
        rows.append(
            {"sha256": name, "boxes": [box(read, score)], "text": read if bears else ""} | judged
        )
    workspace.write("text", manifest("text", rows), MADE)


def _write_duplicates(workspace: Workspace, keepers: list[str], copies: list[str]) -> None:
    alone = [{"sha256": name, "cluster": name, "matched": name, "group": name} for name in keepers]
    found = {"keeper": False, "method": "phash", "verdict": "near_duplicate", "threshold": 10.0}
    joined = [
        {"sha256": copy, "cluster": of, "matched": of, "group": of, "distance": 4.0 + place} | found
        for place, (copy, of) in enumerate(zip(copies, keepers, strict=False))
    ]
    workspace.write("duplicates", manifest("duplicates", alone + joined), MADE)
    measures = {
        **{"method": "phash", "placing": "whole", "mirrored": False, "clear": False},
        **{"inliers": 40, "placed": 0.8, "overlap": 1.0, "agreeing": 0.9, "changed": 0.004},
    }
    pairs = [
        measures | {"first": of, "second": copy, "distance": 4 + place, "correlation": 0.97}
        for place, (copy, of) in enumerate(zip(copies, keepers, strict=False))
    ]
    miss = {"first": keepers[8], "second": keepers[9], "distance": 11, "correlation": 0.95}
    workspace.write("pairs", manifest("pairs", [*pairs, measures | miss]), MADE)


def _write_labels(workspace: Workspace, keepers: list[str], conflicts: list[str]) -> None:
    rows = []
    for place, name in enumerate(keepers):
        row = {"cluster": name, "labels": ["sadness"], "label": "sadness", "target": 1}
        if name in conflicts:
            row |= {"labels": [HOSTILE, "sadness"], "conflict": True, "verdict": "label_conflict"}
            row |= {"positive_votes": 1, "other_votes": 1 + place % 2, "target": None}
        else:
            row |= {
                "positive_votes": 1 + place % 3,
                "labels": ["sadness", "shame"][: 1 + place % 2],
            }
        rows.append(row)
    workspace.write("labels", manifest("labels", rows), MADE)
    kept = [
        {"sha256": name, "target": 1, "label": "sadness"}
        for name in keepers
        if name not in conflicts
    ]
    workspace.write("sample", manifest("sample", kept), MADE)


def share_with(workspace: Workspace, name: str, path: Path) -> None:
    """Write what an external set shares with the first picture of train and of test."""
    rows = []
    for split in (Split.TRAIN, Split.TEST):
        first = workspace.read(split).to_pylist()[0]
        rows.append(
            {
                **{"path": str(path / f"{split}.png"), "sha256": first["sha256"]},
                **{"matched": first["sha256"], "group": first["group"], "method": "pixels"},
                **{"distance": 0.0, "threshold": 0.0, "correlation": 1.0, "sibling": False},
            }
        )
    from webemo_curate.conform import conform
    from webemo_curate.match_schemas import SHARED

    table = conform(pa.Table.from_pylist(rows), SHARED)
    workspace.write_as("shared", f"shared-{name}", table, MADE)


def place_all(workspace: Workspace) -> None:
    """Put every picture on the map, anywhere."""
    names = workspace.read("images", ["sha256"])["sha256"]
    places = np.random.default_rng(5).uniform(0, 1, (len(names), 2)).astype(np.float32)
    table = pa.table({"sha256": names, "x": places[:, 0], "y": places[:, 1]})
    workspace.write("map", table, MADE)
