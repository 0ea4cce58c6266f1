"""Read a release by somebody else: it is checked before any row of it is used."""

import json
from collections import defaultdict
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from webemo_curate.errors import InputError
from webemo_curate.releases import files
from webemo_curate.rooted import regular_digest
from webemo_curate.verdicts import DEFAULT_CLASSES, DecodeStatus, Split

HASH = r"^[0-9a-f]{64}$"
NEEDED = ("sha256", "urls", "url", "label", "labels", "target", "split")
"""Columns of which a set cannot lack a value."""


@dataclass(frozen=True)
class Release:
    """A release, read.

    Attributes
    ----------
    folder
        Where it lies.
    digest
        SHA-256 of its sums, in hex: of all it holds.
    images
        Schema `files.IMAGE_COLUMNS`, sorted by hash.
    classes
        Names of the targets.
    copies
        Near duplicates that the release names: keeper -> URL -> hash.
    """

    folder: Path
    digest: str
    images: pa.Table
    classes: tuple[str, ...]
    copies: dict[str, dict[str, str]]

    @cached_property
    def looks(self) -> dict[str, dict[str, Any]]:
        """How pictures look, by hash, as far as the release says it whole.

        A picture that another's URL serves need not be kept and decoded to be compared.
        """
        said = ["pixel_hash", "phash", "width", "height"]
        rows = self.images.select(["sha256", *said]).drop_null().to_pylist()
        return {row.pop("sha256"): {"decode_status": DecodeStatus.OK} | row for row in rows}


def read_release(folder: Path) -> Release:
    """Read a release and check it.

    Parameters
    ----------
    folder : Path
        Of a `curate release`.

    Returns
    -------
    Release
        Its images without those that its `removed.parquet` names.

    Raises
    ------
    InputError
        If a file is missing or changed, or a row cannot be one of a set; names the file.
    """
    files.check_sums(folder)
    place = folder / files.IMAGES
    images = files.read_columns(place, files.IMAGE_COLUMNS)
    classes = _classes(images.schema)
    _check(images, classes, place)
    plain = _grouped(images.replace_schema_metadata(None)).sort_by("sha256")
    return Release(folder, regular_digest(folder / files.SUMS), plain, classes, _copies(folder))


def _grouped(images: pa.Table) -> pa.Table:
    """Return images with all groups filled in; a release leaves out those of one image."""
    group = pc.coalesce(images["group"], images["sha256"])
    return images.set_column(images.schema.get_field_index("group"), "group", group)


def _classes(schema: pa.Schema) -> tuple[str, ...]:
    try:
        named = json.loads((schema.metadata or {})[files.METADATA_KEY])["classes"]
        return tuple(map(str, named))
    except (KeyError, ValueError, TypeError, RecursionError):
        return DEFAULT_CLASSES


def _check(images: pa.Table, classes: tuple[str, ...], place: Path) -> None:
    for name in NEEDED:
        if images[name].null_count:
            raise InputError(f"{place}: column '{name}' has missing values; get the release again")
    sound = {
        "sha256": pc.match_substring_regex(images["sha256"], HASH),
        "split": pc.is_in(images["split"], pa.array([str(split) for split in Split])),
        "target": pc.is_in(images["target"], pa.array(range(len(classes)), pa.int8())),
    }
    for name, fits in sound.items():
        if not pc.all(fits, min_count=0).as_py():
            bad = images[name].filter(pc.invert(fits))[0].as_py()
            raise InputError(f"{place}: {bad!r} is not a possible {name}; get the release again")
    if pc.count_distinct(images["sha256"]).as_py() != images.num_rows:
        raise InputError(f"{place}: an image stands there twice; get the release again")


def _copies(folder: Path) -> dict[str, dict[str, str]]:
    table = files.read_columns(folder / files.DECISIONS, files.DECISION_COLUMNS)
    named = table.select(["keeper", "url", "sha256"]).drop_null()
    copies: dict[str, dict[str, str]] = defaultdict(dict)
    for row in named.to_pylist():
        copies[row["keeper"]][row["url"]] = row["sha256"]
    return dict(copies)
