"""A release's `croissant.json`."""

from pathlib import Path

from webemo_curate.config import ExportConfig
from webemo_curate.exports.chosen_rows import Selection
from webemo_curate.exports.croissant import (
    Node,
    dataset_node,
    field_node,
    file_node,
    names_node,
    write_node,
)
from webemo_curate.releases import files

RECORDS = "images"
FIELDS = {
    "sha256": ("sc:Text", "SHA-256 of the picture's bytes, in hex"),
    "bytes": ("cr:Int64", "their number"),
    "pixel_hash": ("sc:Text", "SHA-256 of size and pixels of all frames, in hex"),
    "phash": ("sc:Integer", "perceptual hash, 64 bits"),
    "url": ("sc:Text", "a URL that served the picture; `urls` has the others"),
    "label": ("sc:Text", "the label that decided the class"),
    "target": ("cr:Int64", "number of the class"),
    "group": ("sc:Text", "related pictures, within one split; none: related to no other"),
    "split": ("sc:Text", "train, validation or test"),
    "width": ("cr:Int64", "pixels"),
    "height": ("cr:Int64", "pixels"),
}


def write_description(folder: Path, config: ExportConfig, selection: Selection) -> None:
    """Write `croissant.json` over the Parquet files of a release.

    Parameters
    ----------
    folder : Path
        The release; its Parquet files are there.
    config : ExportConfig
        Name and license.
    selection : Selection
        Names of the classes.
    """

    def field(name: str) -> Node:
        kind, text = FIELDS[name]
        source = {"fileObject": {"@id": files.IMAGES}, "extract": {"column": name}}
        return field_node(RECORDS, name, kind, text, source)

    records = {
        "@type": "cr:RecordSet",
        "@id": RECORDS,
        "name": RECORDS,
        "description": "A record is a picture, told by its hash and the URLs that served it.",
        "field": [field(name) for name in FIELDS],
    }
    parquet = (files.IMAGES, files.DECISIONS, files.REMOVED)
    described = dataset_node(
        config,
        "Hashes, URLs, labels and splits of a curated set of pictures, and why every other "
        "listed URL or file is not in it. No picture is part of it; 'curate rebuild' fetches them.",
        [file_node(folder / name, name) for name in parquet],
        [names_node("classes", selection.classes), records],
    )
    write_node(folder / files.CROISSANT, described)
