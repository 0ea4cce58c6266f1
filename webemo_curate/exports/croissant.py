"""Croissant: JSON-LD that says what a set is, where its files are and what their columns mean.

The format is MLCommons Croissant 1.1 (Akhtar et al., "Croissant: A Metadata Format for ML-Ready
Datasets", DEEM 2024; https://docs.mlcommons.org/croissant/docs/croissant-spec-1.1.html).
"""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from webemo_curate import __version__
from webemo_curate.config import ExportConfig
from webemo_curate.exports.export_job import ExportJob
from webemo_curate.exports.huggingface import DATA, write_huggingface
from webemo_curate.exports.license_words import OWNERS, required_license
from webemo_curate.rooted import regular_digest

FILE = "croissant.json"
PARQUET = "application/x-parquet"
CONTEXT = {
    "@language": "en",
    "@vocab": "https://schema.org/",
    "arrayShape": "cr:arrayShape",
    "citeAs": "cr:citeAs",
    "column": "cr:column",
    "conformsTo": "dct:conformsTo",
    "containedIn": "cr:containedIn",
    "cr": "http://mlcommons.org/croissant/",
    "data": {"@id": "cr:data", "@type": "@json"},
    "dataType": {"@id": "cr:dataType", "@type": "@vocab"},
    "dct": "http://purl.org/dc/terms/",
    "description": {"@container": "@language"},
    "equivalentProperty": "cr:equivalentProperty",
    "examples": {"@id": "cr:examples", "@type": "@json"},
    "extract": "cr:extract",
    "field": "cr:field",
    "fileObject": "cr:fileObject",
    "fileProperty": "cr:fileProperty",
    "fileSet": "cr:fileSet",
    "format": "cr:format",
    "includes": "cr:includes",
    "isArray": "cr:isArray",
    "isLiveDataset": "cr:isLiveDataset",
    "jsonPath": "cr:jsonPath",
    "key": "cr:key",
    "md5": "cr:md5",
    "name": {"@container": "@language"},
    "parentField": "cr:parentField",
    "path": "cr:path",
    "rai": "http://mlcommons.org/croissant/RAI/",
    "recordSet": "cr:recordSet",
    "references": "cr:references",
    "regex": "cr:regex",
    "repeated": "cr:repeated",
    "replace": "cr:replace",
    "samplingRate": "cr:samplingRate",
    "sc": "https://schema.org/",
    "separator": "cr:separator",
    "source": "cr:source",
    "subField": "cr:subField",
    "transform": "cr:transform",
}
"""The vocabulary of Croissant 1.1, as its specification gives it."""

Node = dict[str, Any]

FILE_SET, RECORDS = "parquet-files", "images"
COLUMNS = {
    "target": ("cr:Int64", "number of the class"),
    "label": ("cr:Int64", "number of the label that decided the class"),
    "group": ("sc:Text", "related pictures; a group never crosses splits"),
    "sha256": ("sc:Text", "SHA-256 of the picture's bytes, in hex"),
    "url": ("sc:Text", "a URL that served the picture"),
}


def write_croissant(job: ExportJob, folder: Path) -> dict[str, int]:
    """Write the files of `write_huggingface`, and `croissant.json` over them.

    Parameters
    ----------
    job : ExportJob
        What is written.
    folder : Path
        Gets the files.

    Returns
    -------
    dict of str to int
        Pictures written, by split.

    Raises
    ------
    InputError
        If no license is given.
    """
    pictures = write_huggingface(job, folder)
    files = sorted((folder / DATA).iterdir())
    described = dataset_node(
        job.config,
        "Pictures with emotion labels, curated: every picture whose text, duplicates or labels "
        "spoke against it has left.",
        [_file_set(), *(file_node(file, f"{DATA}/{file.name}") for file in files)],
        [
            names_node("classes", job.selection.classes),
            names_node("labels", job.selection.labels),
            _records([split.name for split in job.selection.splits]),
        ],
    )
    write_node(folder / FILE, described)
    return pictures


def dataset_node(
    config: ExportConfig, description: str, distribution: list[Node], records: list[Node]
) -> Node:
    """Describe a set.

    Parameters
    ----------
    config : ExportConfig
        Name and license.
    description : str
        What it is; whose the pictures are is added.
    distribution : list of dict
        Files; see `file_node`.
    records : list of dict
        What the files hold.

    Returns
    -------
    dict
        The JSON-LD document. It has no date: equal sets give equal bytes.
    """
    return {
        "@context": CONTEXT,
        "@type": "sc:Dataset",
        "conformsTo": "http://mlcommons.org/croissant/1.1",
        "name": config.name,
        "description": f"{description} Made by webemo-curate {__version__}. {OWNERS}",
        "license": required_license(config, "croissant.json"),
        "distribution": distribution,
        "recordSet": records,
    }


def file_node(file: Path, name: str) -> Node:
    """Describe a Parquet file: where it lies and the SHA-256 of its bytes."""
    return {
        "@type": "cr:FileObject",
        "@id": name,
        "name": name,
        "contentUrl": name,
        "contentSize": f"{file.stat().st_size} B",
        "encodingFormat": PARQUET,
        "sha256": regular_digest(file),
    }


def field_node(record: str, name: str, kind: str, description: str, source: Node) -> Node:
    """Describe a field of a record."""
    return {
        "@type": "cr:Field",
        "@id": f"{record}/{name}",
        "name": name,
        "description": description,
        "dataType": kind,
        "source": source,
    }


def write_node(path: Path, node: Node) -> None:
    """Write a document as JSON."""
    path.write_text(f"{json.dumps(node, indent=2, ensure_ascii=False)}\n", encoding="utf-8")


def _file_set() -> Node:
    return {
        "@type": "cr:FileSet",
        "@id": FILE_SET,
        "name": FILE_SET,
        "description": "All Parquet files.",
        "encodingFormat": PARQUET,
        "includes": f"{DATA}/*.parquet",
    }


def _records(splits: Iterable[str]) -> Node:
    def column(name: str) -> Node:
        return {"fileSet": {"@id": FILE_SET}, "extract": {"column": name}}

    pattern = {"regex": f"^(?:.*/)?({'|'.join(splits)})-[0-9]+-of-[0-9]+\\.parquet$"}
    path: Node = {"fileSet": {"@id": FILE_SET}, "extract": {"fileProperty": "fullpath"}}
    picture: Node = column("image") | {"transform": {"jsonPath": "bytes"}}
    split = field_node(RECORDS, "split", "sc:Text", "train, validation or test", path)
    split["source"]["transform"] = pattern
    return {
        "@type": "cr:RecordSet",
        "@id": RECORDS,
        "name": RECORDS,
        "description": "A record is a picture.",
        "field": [
            split,
            field_node(RECORDS, "image", "sc:ImageObject", "the picture", picture),
            *(
                field_node(RECORDS, name, kind, text, column(name))
                for name, (kind, text) in COLUMNS.items()
            ),
        ],
    }


def names_node(record: str, names: Iterable[str]) -> Node:
    """List the names of numbers, such as classes, as a record set with its data in place."""
    fields = [
        {"@type": "cr:Field", "@id": f"{record}/{name}", "name": name, "dataType": kind}
        for name, kind in (("number", "sc:Integer"), ("name", "sc:Text"))
    ]
    data = [
        {f"{record}/number": number, f"{record}/name": name} for number, name in enumerate(names)
    ]
    return {
        "@type": "cr:RecordSet",
        "@id": record,
        "name": record,
        "key": {"@id": f"{record}/number"},
        "field": fields,
        "data": data,
    }
