"""Find the kind of source at a path, by its suffix and content; no guess goes unreported."""

import re
import shlex
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Final

from webemo_curate.config import ListingConfig
from webemo_curate.credentials import masked_within
from webemo_curate.errors import InputError
from webemo_curate.rooted import read_regular
from webemo_curate.sources.cell_rules import SPLITS
from webemo_curate.sources.delimited import DelimitedSource
from webemo_curate.sources.json_lines import JsonArraySource, JsonLinesSource
from webemo_curate.sources.parquet_tables import ParquetSource
from webemo_curate.sources.picture_folder import FolderSource
from webemo_curate.sources.sniffing import names_columns, refuse_others, refuse_saved
from webemo_curate.sources.source import Source, unreadable
from webemo_curate.sources.webemo import CATEGORY_FILE, LIST_FILES, ListSource, list_files

TableKind = Callable[[Path, Path, ListingConfig, str | None, str], Source]
"""Makes a table's source from the file, the folder of its files, its settings, the split of its
rows, and the prefix of its name."""

TABLES: Final[dict[str, TableKind]] = {
    ".csv": DelimitedSource,
    ".tsv": DelimitedSource,
    ".jsonl": JsonLinesSource,
    ".ndjson": JsonLinesSource,
    ".parquet": ParquetSource,
}
"""Table types by suffix; each type checks that the content matches the suffix."""

JSON: Final[tuple[tuple[re.Pattern[bytes], TableKind], ...]] = (
    (re.compile(rb"(\xef\xbb\xbf)?\s*\{"), JsonLinesSource),
    (re.compile(rb"(\xef\xbb\xbf)?\s*\[\s*[\[{\]]"), JsonArraySource),
)
"""Table types of files without such a suffix, by their beginning."""

START_BYTES: Final = 4096
"""Bytes read from a file's start to detect its kind."""

PARQUET_MARK: Final = b"PAR1"
SPLIT_NAME: Final = re.compile(rf"({'|'.join(SPLITS)})(?![a-z])", re.IGNORECASE)
"""Hugging Face's form of file names: `train-00000-of-00002.parquet`."""


def find_sources(config: ListingConfig) -> list[Source]:
    """Find the sources at the configured places.

    Parameters
    ----------
    config : ListingConfig
        The places, and how tables are read.

    Returns
    -------
    list of Source
        Sources with distinct names.

    Raises
    ------
    InputError
        If a place is missing or of an unknown kind, or two sources have the same name.
    """
    sources = [source for place in config.places for source in _sources_at(place, config)]
    names = [source.name for source in sources]
    for source in sources:
        if names.count(source.name) > 1:
            raise InputError(
                f"{source.place}: two sources have this name; rename one: manifests tell them "
                "apart by it"
            )
    return sources


def has_lists(sources: Sequence[Source]) -> bool:
    """Return whether one of the sources is a list of URLs, whose labels are WEBEmo's by default."""
    return any(isinstance(source, ListSource) and source.is_of_urls for source in sources)


def _sources_at(place: Path, config: ListingConfig) -> Iterator[Source]:
    if place.is_dir():
        yield from _sources_in(place, config)
    else:
        check_there(place)
        yield _of_file(place, config)


def check_there(place: Path) -> None:
    """Raise if a place does not exist."""
    if not place.exists():
        raise InputError(
            f"{masked_within(str(place))}: no such list; give --lists a list, a table (.csv, .tsv, "
            ".jsonl, .parquet) or a folder"
        )


def _of_file(place: Path, config: ListingConfig, within: str = "") -> Source:
    """Determine a file's kind by its content if that is certain, else by its suffix.

    `within` is the name of the split's folder that holds the file.
    """
    try:
        start = read_regular(place, START_BYTES)
    except OSError as error:
        raise unreadable(place, error) from error
    refuse_others(place, start)
    kind = TABLES.get(place.suffix.lower())
    if start.startswith(PARQUET_MARK):
        kind = ParquetSource
    elif kind is ParquetSource:
        raise InputError(f"{place}: no Parquet file, whatever its suffix says")
    elif kind is None:
        kind = next((kind for form, kind in JSON if form.match(start)), None)
    root = config.files or place.parent
    named = SPLIT_NAME.match(place.name)
    split = SPLITS[named[1].lower()] if named else SPLITS.get(within.lower())
    if kind is None and not names_columns(start, config):
        return ListSource(place, root, config.outside, split)
    prefix = f"{within}-" if within else ""
    return (kind or DelimitedSource)(place, root, config, split, prefix)


def _sources_in(folder: Path, config: ListingConfig) -> Iterator[Source]:
    """Yield a folder's sources: WEBEmo's lists, tables (in it or in its `data`), or pictures."""
    if (folder / CATEGORY_FILE).exists() or any((folder / name).is_file() for name in LIST_FILES):
        yield from (_of_file(file, config) for file in list_files([folder]))
        return
    refuse_saved(folder)
    tables = _tables(folder) or _tables(folder / "data")
    if not tables and (within := _tables_of_splits(folder) or _tables_of_parts(folder)):
        yield from (_of_file(file, config, file.parent.name) for file in within)
        return
    if not tables:
        yield FolderSource(folder)
        return
    if stray := next((f for f in sorted(folder.iterdir()) if _is_picture_folder(f, tables)), None):
        raise InputError(
            f"{folder}: holds a table ({tables[0].name}) and a folder beside it ({stray.name}); "
            f"name the one, '--source {shlex.quote(str(tables[0]))}' (with '--files "
            f"{shlex.quote(str(stray))}' where it names files without that folder), or the other, "
            f"'--source {shlex.quote(str(stray))}'"
        )
    yield from (_of_file(file, config) for file in tables)


def _tables(folder: Path) -> list[Path]:
    if not folder.is_dir():
        return []
    return sorted(file for file in folder.iterdir() if file.suffix.lower() in TABLES)


def _tables_of_splits(folder: Path) -> list[Path]:
    """Return tables in folders named by split, as in Hugging Face's Parquet conversions."""
    places = sorted(place for place in folder.iterdir() if place.name.lower() in SPLITS)
    return [file for place in places for file in _tables(place)]


def _tables_of_parts(folder: Path) -> list[Path]:
    """Return tables in folders of splits one level further down (`default/train/0000.parquet`)."""
    parts = sorted(place for place in folder.iterdir() if place.is_dir())
    found = {place: tables for place in parts if (tables := _tables_of_splits(place))}
    if len(found) > 1:
        raise InputError(
            f"{folder}: holds several sets of tables ({', '.join(place.name for place in found)}); "
            f"name one of them, such as '--source {shlex.quote(str(next(iter(found))))}'"
        )
    return next(iter(found.values()), [])


def _is_picture_folder(entry: Path, tables: Sequence[Path]) -> bool:
    """Return whether an entry is a folder that belongs to none of the tables."""
    if not entry.is_dir() or entry.name.startswith("."):
        return False
    return entry not in {
        place for table in tables for place in (table.parent, table.with_suffix(""))
    }
