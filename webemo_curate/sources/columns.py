"""Find the columns to read: those the user named, else those with a usual name."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from webemo_curate.config import ListingConfig
from webemo_curate.errors import InputError
from webemo_curate.sources.patterns import fields_of

USUAL: Final = {
    "url": ("url", "image_url", "img_url", "imageurl", "link", "uri"),
    "path": (
        *("path", "image_path", "img_path", "file_path", "filepath", "file", "filename"),
        *("file_name", "image_name", "img_name", "image_file", "image_filename", "image", "img"),
        *("jpg", "png", "webp"),
    ),
    "label": ("label", "labels", "emotion", "emotions", "emotion_label", "class", "category"),
    "split": ("split", "official_split", "subset", "partition"),
    "group": ("group", "group_id", "author", "artist", "album", "asset", "asset_id"),
    "id": ("id", "image_id", "img_id", "key"),
}
"""Usual column names, in any letter case; the first one that the table has is taken."""

PATTERNS: Final = ("url", "path")
"""What may be given as a pattern of columns; see `patterns`."""


@dataclass(frozen=True)
class DeclaredColumns:
    """What a table says about its columns by itself.

    Attributes
    ----------
    pictures
        Name of the column of pictures, whether the table has it or it is made.
    labels
        The only column of labels that it declares; used if none has a usual name.
    unnamed
        What to do if no column is known, for a table without names of columns.
    """

    pictures: str | None = None
    labels: str | None = None
    unnamed: str = ""


@dataclass(frozen=True)
class Columns:
    """The columns to read, by their meaning; None if the table has no such column.

    The URL and the path may be patterns of columns, such as `{folder}/{name}.jpg`.
    """

    url: str | None = None
    path: str | None = None
    label: tuple[str, ...] = ()
    split: str | None = None
    group: str | None = None
    id: str | None = None

    def needed(self) -> list[str]:
        """Return the names of all columns to read, each once; a pattern's in its place."""
        patterns = {name: fields_of(name) for name in (self.url, self.path) if name}
        return list(
            dict.fromkeys(
                column for _, name in self._pairs() for column in (patterns.get(name) or (name,))
            )
        )

    def told(self) -> str:
        """Describe in words which column means what."""
        return ", ".join(f"{role} from '{name}'" for role, name in self._pairs())

    def _pairs(self) -> Iterator[tuple[str, str]]:
        for role in USUAL:
            given = getattr(self, role)
            for name in given if isinstance(given, tuple) else (given,):
                if name is not None:
                    yield role, name


def choose_columns(
    place: Path,
    header: Sequence[str],
    config: ListingConfig,
    declared: DeclaredColumns | None = None,
) -> Columns:
    """Find the columns to read of a table.

    Parameters
    ----------
    place : Path
        The table, for messages.
    header : sequence of str
        The names of its columns.
    config : ListingConfig
        Names, positions from 0, or patterns that the user gave.
    declared : DeclaredColumns, optional
        What the table says by itself.

    Returns
    -------
    Columns
        With a URL column or a path column, or both.

    Raises
    ------
    InputError
        If a named column is missing, the name of a column to read occurs twice, or there are
        neither URLs nor paths.
    """
    declared = declared or DeclaredColumns()

    def find(role: str, given: str | None, other: str | None = None) -> str | None:
        return _named(place, header, given, role) if given else other or _usual(header, role)

    labels = tuple(filter(None, (_named(place, header, n, "label") for n in config.label_column)))
    usual = _usual(header, "label") or declared.labels
    columns = Columns(
        url=find("url", config.url_column),
        path=find("path", config.path_column, declared.pictures),
        label=labels or ((usual,) if usual else ()),
        split=find("split", config.split_column),
        group=find("group", config.group_column),
        id=find("id", config.id_column),
    )
    if columns.url is None and columns.path is None:
        raise InputError(
            f"{place}:1: no column of URLs or files is known by its name; name one with "
            f"--url-column or --path-column{declared.unnamed} (there are: {_shown(header)})"
        )
    if twice := next((name for name in columns.needed() if header.count(name) > 1), None):
        raise InputError(f"{place}:1: two columns are named '{twice}'; rename one")
    return columns


def _named(place: Path, header: Sequence[str], given: str, role: str) -> str:
    if given in header:
        return given
    if given.isascii() and given.isdigit() and int(given) < len(header):
        return header[int(given)]
    if role in PATTERNS and (fields := fields_of(given)):
        for field in fields:
            if field not in header:
                raise _no_column(place, header, field, role)
        return given
    raise _no_column(place, header, given, role)


def _no_column(place: Path, header: Sequence[str], given: str, role: str) -> InputError:
    return InputError(
        f"{place}:1: no column '{given}' for --{role}-column (there are: {_shown(header)})"
    )


def _usual(header: Sequence[str], role: str) -> str | None:
    by_small_letters = {name.strip().lower(): name for name in reversed(header)}
    return next((by_small_letters[name] for name in USUAL[role] if name in by_small_letters), None)


def _shown(header: Sequence[str], most: int = 40) -> str:
    return ", ".join(name[:60] for name in header[:most]) + (", ..." if len(header) > most else "")
