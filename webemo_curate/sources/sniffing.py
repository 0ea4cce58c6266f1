"""Tell by a file's first bytes what it is, where no suffix says so, and refuse what is not read."""

import re
from pathlib import Path
from typing import Final

from webemo_curate.config import ListingConfig
from webemo_curate.errors import InputError
from webemo_curate.sources.columns import USUAL
from webemo_curate.sources.encodings import marked_encoding, sample_text

ARCHIVE: Final = (
    "is an archive; unpack it and name what comes out (img2dataset's are read where their .parquet "
    "lies beside them: name the folder)"
)
SPREADSHEET: Final = "is a spreadsheet; save it as CSV (UTF-8) and name that"
PICTURE: Final = "is a picture; name the folder that holds it"
ARROW: Final = (
    "is a set in Arrow's own form; write each split as Parquet, in Python: "
    "datasets.load_from_disk('FOLDER')['train'].to_parquet('train.parquet'), without ['train'] "
    "where it is one set, and name that"
)

STARTS: Final = (
    *((mark, ARCHIVE) for mark in (b"PK\x03\x04", b"\x1f\x8b", b"7z\xbc\xaf\x27\x1c", b"BZh")),
    *((mark, ARCHIVE) for mark in (b"\xfd7zXZ\0", b"Rar!")),
    (b"\xd0\xcf\x11\xe0", SPREADSHEET),
    *((mark, PICTURE) for mark in (b"\xff\xd8\xff", b"\x89PNG\r\n", b"GIF8")),
    (b"ARROW1", ARROW),
)
"""First bytes of zip, gzip, 7z, bzip2, xz, rar, Excel's old form, pictures and Arrow."""

TAR_MARK: Final = b"ustar"
TAR_PLACE: Final = 257
SPREADSHEETS: Final = (".xlsx", ".xlsm", ".ods", ".numbers")
"""Suffixes of zip archives that are spreadsheets."""

SAVED: Final = ("dataset_dict.json", "state.json")
"""What Hugging Face's `save_to_disk` writes beside its files."""

BETWEEN: Final = re.compile(r"[,\t;|]")


def refuse_others(place: Path, start: bytes) -> None:
    """Raise if a file's first bytes show that it is neither a list nor a table."""
    if place.suffix.lower() in SPREADSHEETS:
        raise InputError(f"{place}: {SPREADSHEET}")
    is_tar = start[TAR_PLACE : TAR_PLACE + len(TAR_MARK)] == TAR_MARK
    what = next((what for mark, what in STARTS if start.startswith(mark)), None)
    if what or is_tar or place.suffix.lower() == ".arrow":
        raise InputError(f"{place}: {what or (ARCHIVE if is_tar else ARROW)}")


def refuse_saved(folder: Path) -> None:
    """Raise if a folder is one that Hugging Face's `save_to_disk` wrote."""
    if any((folder / name).is_file() for name in SAVED) and next(folder.rglob("*.arrow"), None):
        raise InputError(f"{folder}: {ARROW}")


def names_columns(start: bytes, config: ListingConfig) -> bool:
    """Return whether a text is a table: its first line names a column of URLs or files.

    Parameters
    ----------
    start : bytes
        The text's beginning.
    config : ListingConfig
        Columns that the user named; settings of delimited text make the text a table too.
    """
    if config.no_header or config.delimiter:
        return True
    text = sample_text(start, marked_encoding(start) or "utf-8")
    line = text.lstrip("\ufeff\r\n ").partition("\n")[0]
    names = {name.strip(' "\r').lower() for name in BETWEEN.split(line)}
    given = {name.lower() for name in (config.url_column, config.path_column) if name}
    return not names.isdisjoint(given.union(USUAL["url"], USUAL["path"]))
