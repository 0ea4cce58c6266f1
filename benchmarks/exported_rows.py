"""A workspace of drawn rows to export: one split of pictures, and what the manifests say of them.

All columns are made whole, so a million rows fit in memory.
"""

import hashlib
import random
from pathlib import Path
from typing import Any

import pyarrow as pa

from tests.stages.tables import FILLERS
from webemo_curate.conform import conform
from webemo_curate.fields import LATER, plain_type
from webemo_curate.manifest import Origin
from webemo_curate.schemas import SCHEMAS
from webemo_curate.workspace import Workspace, image_path

SPLIT = "train"
LABELS = 25
WIDTH, HEIGHT = 300, 200
BOX = {
    "polygon": [20.0, 30.0, 120.0, 30.0, 120.0, 60.0, 20.0, 60.0],
    **{"score": 0.7, "text": "a sign", "confidence": 0.6, "area": 0.05, "agreed": 0.0},
    **{"drawn": False, "frame": 0, "support": 0.6, "periodic": 0.0},
}
BOXED = 5
"""One picture of so many has a box of text."""


def draw(place: Path, images: int, size: int) -> Workspace:
    """Make a workspace of random bytes with one split; a million small ones take minutes."""
    workspace = Workspace(place)
    if workspace.has(SPLIT):
        return workspace
    for number in range(256):
        (place / "data/images" / f"{number:02x}").mkdir(parents=True, exist_ok=True)
    generator = random.Random(0)
    hashes = []
    for _ in range(images):
        content = generator.randbytes(size)
        hashes.append(hashlib.sha256(content).hexdigest())
        (place / image_path(hashes[-1], ".jpg")).write_bytes(content)
    list_images(workspace, sorted(hashes), size)
    list_rows(workspace, sorted(hashes))
    return workspace


def list_rows(workspace: Workspace, hashes: list[str]) -> None:
    """Write a split of pictures."""
    labels = [_label(number) for number in range(len(hashes))]
    columns = {
        "path": [image_path(sha256, ".jpg") for sha256 in hashes],
        "sha256": hashes,
        "target": [number % 2 for number in range(len(hashes))],
        "label": labels,
        "labels": [[label] for label in labels],
        "group": hashes,
        "width": [WIDTH] * len(hashes),
        "height": [HEIGHT] * len(hashes),
        "url": [f"https://photos.example/{sha256[:20]}.jpg" for sha256 in hashes],
    }
    _write(workspace, SPLIT, columns, ("a", "b"))


def list_images(workspace: Workspace, hashes: list[str], size: int) -> None:
    """Write what the stages above would say of the pictures: all stay, some have a box of text."""
    labels = [_label(number) for number in range(len(hashes))]
    _write(
        workspace,
        "images",
        {
            "sha256": hashes,
            "path": [image_path(sha256, ".jpg") for sha256 in hashes],
            "bytes": [size] * len(hashes),
            "width": [WIDTH] * len(hashes),
            "height": [HEIGHT] * len(hashes),
        },
    )
    boxes = [[] if number % BOXED else [BOX] for number in range(len(hashes))]
    _write(workspace, "text", {"sha256": hashes, "boxes": boxes})
    own = dict.fromkeys(("sha256", "cluster", "matched", "group"), hashes)
    _write(workspace, "duplicates", own)
    _write(
        workspace,
        "labels",
        {"cluster": hashes, "label": labels, "labels": [[label] for label in labels]},
    )
    _write(workspace, "sample", {"sha256": hashes, "label": labels, "target": [0] * len(hashes)})


def _label(number: int) -> str:
    return f"label {number % LABELS}"


def _write(
    workspace: Workspace,
    name: str,
    columns: dict[str, list[Any]],
    classes: tuple[str, ...] | None = None,
) -> None:
    """Write a manifest of which some columns are given; each of the others has one value."""
    (rows,) = {len(values) for values in columns.values()}
    fillers = FILLERS.get(name, {})
    made = {}
    for field in SCHEMAS[name]:
        kind = plain_type(field.type)
        if field.name in columns:
            made[field.name] = pa.array(columns[field.name], kind)
        elif LATER not in (field.metadata or {}):
            made[field.name] = pa.repeat(pa.scalar(fillers.get(field.name), kind), rows)
    table = conform(pa.table(made), SCHEMAS[name])
    workspace.write(name, table, Origin(name, 1, {}, {}), classes)
