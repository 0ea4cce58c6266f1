"""A drawn workspace with cases of every kind, near their thresholds on both sides and far away."""

from typing import Any

import numpy as np
import pyarrow as pa
from PIL import Image, ImageChops

from webemo_curate.conform import conform
from webemo_curate.demo.scenes import draw_scene
from webemo_curate.demo.variants import captioned, jpeg, rescaled
from webemo_curate.manifest import Origin
from webemo_curate.schemas import SCHEMAS
from webemo_curate.taxonomies.webemo_labels import LABELS
from webemo_curate.workspace import Workspace

THRESHOLD = 0.85
TEXT_MARGINS = (0.01, -0.02, 0.03, -0.04, 0.05, -0.06, 0.3, -0.4)
"""Of the text pictures: the last two are far from the threshold."""

CORRELATIONS = (0.81, 0.785, 0.84, 0.4)
"""Of the pairs, held against .8: the last is far from it."""

VOTES = ((1, 1), (2, 1), (3, 1))
"""Listed lines of either class, of the conflicts."""

HOSTILE = "<img src=x onerror=\"document.title='hit'\">"
"""Stands in a URL, a label and what was read: it must stay text."""

WRITTEN = ("listing", "fetch", "images", "text", "pairs", "duplicates", "labels")


class MadeWorkspace:
    """Draws pictures and gathers rows of manifests, then writes them."""

    def __init__(self, workspace: Workspace) -> None:
        self.workspace = workspace
        self._rng = np.random.default_rng(4)
        self._rows: dict[str, list[dict[str, Any]]] = {
            name: []
            for name in ("listing", "fetch", "images", "text", "pairs", "duplicates", "labels")
        }

    def scene(self) -> Image.Image:
        """Draw a picture."""
        return draw_scene(LABELS[int(self._rng.integers(len(LABELS)))], self._rng)

    def add(self, picture: Image.Image, labels: list[str], address: str | None = None) -> str:
        """Store a picture that stands in the listing once a label; return its hash."""
        content = jpeg(picture)
        sha256 = self.workspace.store_image(content, ".jpg")
        for index, label in enumerate(labels):
            url = address or f"https://pictures.example/{sha256[:12]}-{index}.jpg"
            listed = {"source": "train25.txt", "line": len(self._rows["listing"]) + 1}
            self._rows["listing"].append(listed | {"url": url, "label": label})
            self._rows["fetch"].append(
                {"url": url, "status": "ok", "attempts": 1, "sha256": sha256, "suffix": ".jpg"}
            )
        self._rows["images"].append(
            {
                "sha256": sha256,
                "path": self.workspace.image_path(sha256, ".jpg"),
                "bytes": len(content),
                "decode_status": "ok",
                "width": picture.width,
                "height": picture.height,
            }
        )
        return sha256

    def text(self, margin: float, read: str, address: str | None = None) -> str:
        """Add a picture that OCR read something in."""
        scene = self.scene()
        picture = captioned(scene, self._rng)
        sha256 = self.add(picture, ["joy"], address)
        left, top, right, bottom = ImageChops.difference(scene, picture).getbbox() or (0, 0, 1, 1)
        box = {
            "polygon": [left, top, right, top, right, bottom, left, bottom],
            "score": 0.7,
            "text": read,
            "confidence": THRESHOLD + margin,
            "area": 0.12,
            "agreed": 0.0,
            "drawn": False,
            "frame": 0,
            "support": None,
            "periodic": 0.0,
        }
        self._rows["text"].append(
            {
                "sha256": sha256,
                "engine": "rapidocr",
                "engine_version": "1",
                "boxes": [box],
                "score": THRESHOLD + margin,
                "area": 0.12,
                "text": read if margin >= 0 else "",
                "threshold": THRESHOLD,
                "verdict": "text" if margin >= 0 else "clean",
            }
        )
        return sha256

    def pair(self, correlation: float) -> None:
        """Add two pictures that keypoints laid on one another."""
        picture = self.scene()
        self._rows["pairs"].append(
            {
                "first": self.add(picture, ["joy"]),
                "second": self.add(rescaled(picture), ["joy"]),
                "method": "features",
                "placing": "keypoints",
                "mirrored": False,
                "clear": False,
                "correlation": correlation,
                "inliers": 200,
                "placed": 0.9,
                "overlap": 1.0,
                "agreeing": 0.95,
                "changed": 0.0001,
            }
        )

    def conflict(self, ours: int, theirs: int, other: str) -> None:
        """Add a picture listed under labels of two classes."""
        cluster = self.add(self.scene(), ["sadness"] * ours + [other] * theirs)
        self._rows["duplicates"].append(
            {
                "sha256": cluster,
                "cluster": cluster,
                "keeper": True,
                "matched": cluster,
                "method": "keeper",
                "distance": 0.0,
                "verdict": "keeper",
                "group": cluster,
            }
        )
        self._rows["labels"].append(
            {
                "cluster": cluster,
                "labels": sorted(["sadness", other]),
                "label": "sadness",
                "positive_votes": ours,
                "other_votes": theirs,
                "conflict": True,
                "verdict": "label_conflict",
            }
        )

    def write(self) -> Workspace:
        """Write the manifests."""
        self.workspace.settle()
        for name, rows in self._rows.items():
            schema = SCHEMAS[name]
            columns = {each: [row.get(each) for row in rows] for each in schema.names}
            table = conform(pa.table(columns, pa.schema([_plain(each) for each in schema])), schema)
            self.workspace.write(name, table, Origin("made", 1, {}, {}))
        return self.workspace


def make_cases(workspace: Workspace, hostile: str = HOSTILE) -> Workspace:
    """Draw a workspace of cases; see this module's constants."""
    made = MadeWorkspace(workspace)
    for index, margin in enumerate(TEXT_MARGINS):
        address = f"https://pictures.example/{hostile}?{index}" if not index else None
        made.text(margin, hostile if not index else f"WORDS {index}", address)
    for correlation in CORRELATIONS:
        made.pair(correlation)
    for (ours, theirs), other in zip(VOTES, ("joy", hostile, "envy"), strict=True):
        made.conflict(ours, theirs, other)
    return made.write()


def _plain(field: pa.Field) -> pa.Field:
    """Return a field as rows give it: enums as texts, and nothing missing refused before it is."""
    kind = field.type.value_type if pa.types.is_dictionary(field.type) else field.type
    return pa.field(field.name, kind)
