"""The fields of a FiftyOne dataset, as its `metadata.json` declares them.

Written after FiftyOne's documents (`fiftyone.core.odm.dataset.SampleFieldDocument`), without it.
"""

from collections.abc import Sequence
from typing import Any

Node = dict[str, Any]

VERSION = "1.4.0"
"""Revision of FiftyOne's documents that these are; a later FiftyOne migrates them itself."""

FIELDS, LABELS, METADATA = "fiftyone.core.fields", "fiftyone.core.labels", "fiftyone.core.metadata"
TEXT = ("sha256", "url", "label", "stage", "reason", "text_verdict", "duplicate_verdict")
MORE_TEXT = ("cluster", "matched", "group", "sibling_of")
NUMBERS = ("text_score", "duplicate_distance", "sibling_score")


def dataset_document(name: str, classes: Sequence[str], info: Node) -> Node:
    """Return what `metadata.json` holds.

    Parameters
    ----------
    name : str
        Of the dataset.
    classes : sequence of str
        Names of the classes.
    info : dict
        Further facts, shown as the dataset's info.

    Returns
    -------
    dict
        Without dates: equal sets give equal bytes.
    """
    return {
        "name": name,
        "version": VERSION,
        "media_type": "image",
        "tags": [],
        "info": info,
        "app_config": {},
        "classes": {"ground_truth": list(classes)},
        "default_classes": list(classes),
        "mask_targets": {},
        "default_mask_targets": {},
        "skeletons": {},
        "sample_fields": _sample_fields(),
        "saved_views": [],
        "workspaces": [],
        "annotation_runs": {},
        "brain_methods": {},
        "evaluations": {},
        "runs": {},
    }


def _sample_fields() -> list[Node]:
    return [
        _field("id", "ObjectIdField", db_field="_id"),
        _field("filepath", "StringField"),
        _list("tags", "StringField"),
        _embedded("metadata", f"{METADATA}.ImageMetadata", _image_metadata()),
        _field("created_at", "DateTimeField"),
        _field("last_modified_at", "DateTimeField"),
        _embedded("ground_truth", f"{LABELS}.Classification", _classification()),
        _embedded("text", f"{LABELS}.Detections", [_detections()]),
        _list("labels", "StringField"),
        *(_field(name, "StringField") for name in (*TEXT, *MORE_TEXT)),
        *(_field(name, "FloatField") for name in NUMBERS),
        _field("target", "IntField"),
    ]


def _image_metadata() -> list[Node]:
    numbers = ("size_bytes", "width", "height", "num_channels")
    return [_field("mime_type", "StringField"), *(_field(name, "IntField") for name in numbers)]


def _classification() -> list[Node]:
    return [*_label_fields(), _field("logits", "VectorField")]


def _detections() -> Node:
    fields = [
        *_label_fields(),
        _field("attributes", "DictField"),
        _list("bounding_box", "FloatField"),
        _field("mask", "ArrayField"),
        _field("mask_path", "StringField"),
        _field("index", "IntField"),
        _field("score", "FloatField"),
        _field("drawn", "BooleanField"),
        _field("frame", "IntField"),
    ]
    made = _list("detections", "EmbeddedDocumentField")
    return made | {"embedded_doc_type": f"{LABELS}.Detection", "fields": fields}


def _label_fields() -> list[Node]:
    return [
        _field("id", "ObjectIdField", db_field="_id"),
        _list("tags", "StringField"),
        _field("label", "StringField"),
        _field("confidence", "FloatField"),
    ]


def _field(name: str, kind: str, db_field: str | None = None) -> Node:
    return {
        "name": name,
        "ftype": f"{FIELDS}.{kind}",
        "embedded_doc_type": None,
        "subfield": None,
        "fields": [],
        "db_field": db_field or name,
        "description": None,
        "info": None,
        "read_only": name in ("id", "created_at", "last_modified_at"),
        "created_at": None,
    }


def _list(name: str, item: str) -> Node:
    return _field(name, "ListField") | {"subfield": f"{FIELDS}.{item}"}


def _embedded(name: str, kind: str, fields: list[Node]) -> Node:
    return _field(name, "EmbeddedDocumentField") | {"embedded_doc_type": kind, "fields": fields}
