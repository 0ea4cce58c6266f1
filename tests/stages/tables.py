"""Manifests made of the few columns that matter to a test, the rest filled in."""

import hashlib
from collections.abc import Iterable
from typing import Any

import pyarrow as pa

from webemo_curate.conform import conform
from webemo_curate.schemas import MANIFESTS
from webemo_curate.taxonomies import WEBEMO, load_taxonomy

FILLERS: dict[str, dict[str, Any]] = {
    "listing": {"source": "train25.txt", "asset_id": None, "official_split": "train"},
    "fetch": {"status": "ok", "attempts": 1, "suffix": ".jpg", "bytes": 1000},
    "images": {
        "path": "data/images/x.jpg",
        "bytes": 1000,
        "decode_status": "ok",
        "width": 220,
        "height": 150,
        "frames": 1,
        "frame": 0,
    },
    "text": {
        "engine": "rapidocr",
        "engine_version": "1",
        "boxes": [],
        "score": 0.0,
        "area": 0.0,
        "text": "",
        "verdict": "clean",
    },
    "duplicates": {"keeper": True, "method": "keeper", "distance": 0.0, "verdict": "keeper"},
    "pairs": {"method": "phash", "placing": "reduced", "mirrored": False},
    "labels": {"positive_votes": 0, "other_votes": 0, "conflict": False, "verdict": "kept"},
    "sample": {"kept": True, "seed": 0},
}


def sha(name: object) -> str:
    """Return a made-up content hash."""
    return hashlib.sha256(str(name).encode()).hexdigest()


def manifest(name: str, rows: Iterable[dict[str, Any]]) -> pa.Table:
    """Build a manifest from rows of some of its columns."""
    schema = MANIFESTS[name]
    filled = [FILLERS.get(name, {}) | row for row in rows]
    columns = {
        field.name: pa.array([row.get(field.name) for row in filled], type=_plain(field.type))
        for field in schema
    }
    return conform(pa.table(columns), schema)


def listing(lines: Iterable[dict[str, Any]]) -> pa.Table:
    """Build a listing of numbered lines; emotion and polarity follow from the label."""
    return manifest(
        "listing",
        [
            {
                "line": number,
                "emotion": load_taxonomy(WEBEMO).class_of(line["label"], 2),
                "polarity": load_taxonomy(WEBEMO).class_of(line["label"], 3),
            }
            | line
            for number, line in enumerate(lines, start=1)
        ],
    )


def _plain(kind: pa.DataType) -> pa.DataType:
    return kind.value_type if pa.types.is_dictionary(kind) else kind
