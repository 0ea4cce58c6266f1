"""FiftyOne: every image with its boxes of text, verdicts and duplicates, to look through.

The dropped images are there too, for their verdicts are what is looked at. What OCR read stays
out: it may hold names, and what is shown is often shared.
"""

import json
from collections import Counter
from collections.abc import Iterator
from hashlib import sha256 as hash_of
from pathlib import Path
from typing import Any

import pyarrow as pa

from webemo_curate import __version__
from webemo_curate.exports.chosen_rows import checked_names, without
from webemo_curate.exports.export_job import ExportJob
from webemo_curate.exports.fiftyone_schema import dataset_document
from webemo_curate.exports.lockstep import Cursor, batches
from webemo_curate.gates import BINARIZE, DEDUP, QUALITY, TEXT, UNDERSAMPLE, Gate
from webemo_curate.stages.decoded_images import decoded_rows
from webemo_curate.verdicts import Split
from webemo_curate.workspace import Workspace

Node = dict[str, Any]
DATA = "data"
ID_DIGITS = 24
"""Hex digits of an identifier of MongoDB, under which FiftyOne keeps documents."""

IMAGE_COLUMNS = ("sha256", "path", "bytes", "decode_status", "width", "height")
DUPLICATE_COLUMNS = (
    *("cluster", "matched", "distance", "verdict", "group"),
    *("sibling_of", "sibling_score"),
)
DROPPED = "dropped"


def write_fiftyone(job: ExportJob, folder: Path) -> dict[str, int]:
    """Write `metadata.json`, `samples.json` and `data/`, a FiftyOneDataset.

    Parameters
    ----------
    job : ExportJob
        What is written: all images that decode, or those of the splits that were named.
    folder : Path
        Gets the files; pictures are linked where that can be.

    Returns
    -------
    dict of str to int
        Pictures written, by split; those in none under `DROPPED`.
    """
    (folder / DATA).mkdir()
    classes = job.selection.classes
    info = {"made_by": f"webemo-curate {__version__}", "classes": list(classes)}
    document = dataset_document(job.config.name, classes, info)
    (folder / "metadata.json").write_text(f"{json.dumps(document, indent=2)}\n", encoding="utf-8")
    with (folder / "samples.json").open("w", encoding="utf-8") as stream:
        stream.write('{"samples": [')
        pictures = Counter({split.name: 0 for split in job.selection.splits})
        comma = "\n"
        for sample in _samples(job, folder):
            stream.write(comma + json.dumps(sample, sort_keys=True))
            comma = ",\n"
            pictures.update(sample["tags"])
        stream.write("\n]}\n")
    return dict(pictures)


def _samples(job: ExportJob, folder: Path) -> Iterator[Node]:
    """Yield the documents, each once its batch's pictures are in place."""
    workspace, named = job.selection.workspace, bool(job.config.splits)
    known = FieldSources(workspace, job.selection.classes, [s.name for s in job.selection.splits])
    for table in batches(workspace, "images", IMAGE_COLUMNS):
        rows = without(decoded_rows(table), job.selection.removed)
        names = checked_names(rows, workspace.where("images"))
        facts = [known.of(row) for row in rows.to_pylist()]
        wanted = [not named or fact["target"] is not None for fact in facts]
        chosen, files = rows.filter(pa.array(wanted)), names.filter(pa.array(wanted))
        job.put(chosen, (folder / DATA / name for name in files.to_pylist()))
        for row, name, fact in zip(
            chosen.to_pylist(),
            files.to_pylist(),
            (fact for fact, keep in zip(facts, wanted, strict=True) if keep),
            strict=True,
        ):
            yield _frame(row, name) | fact


class FieldSources:
    """What the manifests say of an image, asked for in the order of the hashes.

    Parameters
    ----------
    workspace : Workspace
        Holds the manifests.
    classes : tuple of str
        Names of the targets.
    splits : list of str
        Splits that are told.
    """

    def __init__(self, workspace: Workspace, classes: tuple[str, ...], splits: list[str]) -> None:
        self._classes = classes
        text = ("boxes", "score", "verdict")
        # In the order of the gates: an image leaves at the first that does not let it pass.
        self._cursors = {
            QUALITY: Cursor(workspace, QUALITY.manifest, ("verdict",)),
            TEXT: Cursor(workspace, TEXT.manifest, text),
            DEDUP: Cursor(workspace, DEDUP.manifest, DUPLICATE_COLUMNS),
            BINARIZE: Cursor(
                workspace, BINARIZE.manifest, ("label", "labels", "verdict"), BINARIZE.key
            ),
            UNDERSAMPLE: Cursor(workspace, UNDERSAMPLE.manifest, ("kept", "reason")),
        }
        self._splits = {
            name: Cursor(workspace, name, ("target", "url")) for name in map(str, Split)
        }
        self._told = splits

    def of(self, image: Node) -> Node:
        """Return the fields of one image."""
        sha256 = image["sha256"]
        rows = {gate: cursor.at(sha256) for gate, cursor in self._cursors.items()}
        homes = {name: cursor.at(sha256) for name, cursor in self._splits.items()}
        split = next((name for name in self._told if homes[name]), None)
        target = homes[split]["target"] if split else None
        stage, reason = (None, None) if split else _left(rows)
        text, duplicate, labels = rows[TEXT], rows[DEDUP], rows[BINARIZE]
        return {
            "tags": [split or DROPPED],
            "ground_truth": _classification(sha256, self._classes, target),
            "target": target,
            "url": homes[split]["url"] if split else None,
            "stage": stage,
            "reason": reason,
            "label": labels.get("label"),
            "labels": labels.get("labels"),
            "text": _detections(image, text.get("boxes") or []),
            "text_score": text.get("score"),
            "text_verdict": text.get("verdict"),
            "duplicate_verdict": duplicate.get("verdict"),
            "duplicate_distance": duplicate.get("distance"),
            **{name: duplicate.get(name) for name in ("cluster", "matched", "group")},
            **{name: duplicate.get(name) for name in ("sibling_of", "sibling_score")},
        }


def _left(rows: dict[Gate, Node]) -> tuple[str | None, str | None]:
    """Return the stage at which an image left, and why."""
    for gate, row in rows.items():
        if row and row[gate.verdict] not in gate.passes:
            own = row[gate.own_reason] if gate.own_reason else None
            return gate.stage, own or gate.reason or str(row[gate.verdict])
    return None, None


def _frame(image: Node, name: str) -> Node:
    """Return the fields that FiftyOne itself has of every sample."""
    sha256 = image["sha256"]
    suffix = name.rpartition(".")[2]
    return {
        "_id": _identifier(sha256),
        "_media_type": "image",
        "_rand": int(sha256[:8], 16) / 16**8,
        "filepath": f"{DATA}/{name}",
        "sha256": sha256,
        "metadata": {
            "_cls": "ImageMetadata",
            "size_bytes": image["bytes"],
            "mime_type": f"image/{'jpeg' if suffix == 'jpg' else suffix}",
            "width": image["width"],
            "height": image["height"],
            "num_channels": 3,
        },
    }


def _classification(sha256: str, classes: tuple[str, ...], target: int | None) -> Node | None:
    if target is None:
        return None
    return _label(f"{sha256}/class", "Classification", classes[target])


def _detections(image: Node, boxes: list[Node]) -> Node:
    found = [_detection(image, number, box) for number, box in enumerate(boxes)]
    return {"_cls": "Detections", "detections": found}


def _detection(image: Node, number: int, box: Node) -> Node:
    """Return a box of text: where it lies and how sure, not what it says."""
    label = _label(f"{image['sha256']}/text/{number}", "Detection", "text")
    return label | {
        "attributes": {},
        "bounding_box": _bounds(box["polygon"], image["width"], image["height"]),
        "confidence": box["confidence"],
        "score": box["score"],
        "drawn": box["drawn"],
        "frame": box["frame"],
    }


def _bounds(polygon: list[float], width: int, height: int) -> list[float]:
    """Return left, top, width and height of a polygon's bounds, as shares of the image."""
    across = [min(max(x / width, 0.0), 1.0) for x in polygon[::2]]
    down = [min(max(y / height, 0.0), 1.0) for y in polygon[1::2]]
    left, top = min(across), min(down)
    return [left, top, max(across) - left, max(down) - top]


def _label(seed: str, kind: str, label: str) -> Node:
    return {"_id": _identifier(hash_of(seed.encode()).hexdigest()), "_cls": kind} | {
        "tags": [],
        "label": label,
    }


def _identifier(digest: str) -> Node:
    return {"$oid": digest[:ID_DIGITS]}
