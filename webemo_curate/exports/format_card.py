"""The data card: a README of what the set holds, and for the hub how it is read."""

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from webemo_curate import __version__
from webemo_curate.config import ExportConfig
from webemo_curate.exports.chosen_rows import Selection
from webemo_curate.exports.license_words import OWNERS, hub_fields, required_license

MARKS = re.compile(r"([\\`*_{}\[\]<>#|!~&])")


@dataclass(frozen=True)
class Card:
    """The contents of the Hugging Face files' card.

    Attributes
    ----------
    selection
        Splits, classes, counts.
    config
        Name and license.
    data_files
        Pattern of each split's files.
    picture_bytes
        Of each split.
    file_bytes
        Of all files.
    """

    selection: Selection
    config: ExportConfig
    data_files: Mapping[str, str]
    picture_bytes: Mapping[str, int]
    file_bytes: int


def write_card(path: Path, card: Card) -> None:
    """Write README.md with the YAML block that `datasets` and the hub read.

    Parameters
    ----------
    path : Path
        The file.
    card : Card
        What it says.

    Raises
    ------
    InputError
        If no license is given.
    """
    block = yaml.safe_dump(_front_matter(card), sort_keys=False, allow_unicode=True)
    text = f"---\n{block}---\n\n{_body(card)}"
    path.write_text(text, encoding="utf-8")


def escaped(text: str) -> str:
    """Return a text that Markdown shows as it is, in one line."""
    printable = "".join(sign if sign.isprintable() else "\ufffd" for sign in text)
    return MARKS.sub(r"\\\1", printable)


def count_lines(selection: Selection) -> Iterator[str]:
    """Yield a table of images by split and class."""
    yield table_row(["split", "images", *map(escaped, selection.classes)])
    yield table_row(["---"] * (2 + len(selection.classes)))
    for split in selection.splits:
        sizes = selection.class_sizes(split.name)
        shares = [f"{size:,} ({size / split.rows:.1%})" if split.rows else "0" for size in sizes]
        yield table_row([split.name, f"{split.rows:,}", *shares])


def label_lines(selection: Selection) -> Iterator[str]:
    """Yield a table of labels: the class that each makes, and its images."""
    totals = sum(selection.counts.values(), Counter())
    yield table_row(["label", "class", "target", "images"])
    yield table_row(["---"] * 4)
    for (label, target), images in sorted(totals.items()):
        name = escaped(selection.classes[target])
        yield table_row([escaped(label), name, str(target), f"{images:,}"])


def table_row(cells: Sequence[str]) -> str:
    """Return a row of a Markdown table."""
    return f"| {' | '.join(cells)} |"


def _front_matter(card: Card) -> dict[str, Any]:
    files = [{"split": split, "path": path} for split, path in card.data_files.items()]
    sizes = {split.name: split.rows for split in card.selection.splits}
    splits = [
        {"name": split, "num_bytes": size, "num_examples": sizes[split]}
        for split, size in card.picture_bytes.items()
    ]
    return {
        "pretty_name": card.config.name,
        **hub_fields(required_license(card.config, "these files")),
        "task_categories": ["image-classification"],
        "tags": ["emotion", "visual-emotion-recognition"],
        "configs": [{"config_name": "default", "data_files": files}],
        "dataset_info": {
            "features": _features(card.selection),
            "splits": splits,
            "download_size": card.file_bytes,
            "dataset_size": sum(card.picture_bytes.values()),
        },
    }


def _features(selection: Selection) -> list[dict[str, Any]]:
    named = {"target": selection.classes, "label": selection.labels}
    return [
        {"name": "image", "dtype": "image"},
        *(
            {"name": name, "dtype": {"class_label": {"names": _numbered(names)}}}
            for name, names in named.items()
        ),
        {"name": "labels", "sequence": "string"},
        *({"name": name, "dtype": "string"} for name in ("group", "sha256", "url")),
    ]


def _numbered(names: Sequence[str]) -> dict[str, str]:
    return {str(number): name for number, name in enumerate(names)}


def _body(card: Card) -> str:
    selection = card.selection
    return "\n".join(
        [
            f"# {escaped(card.config.name)}",
            "",
            f"Made by webemo-curate {__version__}. `load_dataset` on this folder reads it:",
            "",
            "```python",
            "from datasets import load_dataset",
            "",
            'data = load_dataset("FOLDER")  # or streaming=True',
            "```",
            "",
            *count_lines(selection),
            "",
            "`target` is the class; `label` decided it, `labels` are all that the picture stood "
            "under. No `group` of related pictures crosses splits. `sha256` is that of the "
            "picture's bytes, which are those its `url` served.",
            "",
            "## Labels",
            "",
            *label_lines(selection),
            "",
            "## Rights",
            "",
            f"License: {escaped(required_license(card.config, 'these files'))}. {OWNERS}",
            "",
        ]
    )
