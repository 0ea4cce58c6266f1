"""The base of tables in a single file, of any form."""

from dataclasses import dataclass
from pathlib import Path

from webemo_curate.config import ListingConfig
from webemo_curate.rooted import regular_digest


@dataclass(frozen=True)
class TableFile:
    """A table in one file; see `Source`.

    Attributes
    ----------
    place
        The file.
    root
        The folder that must hold the files that its rows name.
    config
        The user's settings for columns, encoding and delimiter.
    split
        Split of all rows, if the file's or its folder's name tells it.
    prefix
        Prefix of its name, if tables of several folders have the same file name.
    """

    place: Path
    root: Path
    config: ListingConfig
    split: str | None = None
    prefix: str = ""

    @property
    def name(self) -> str:
        """The file's name, with its prefix."""
        return self.prefix + self.place.name

    def digest(self) -> str:
        """Return the file's SHA-256."""
        return regular_digest(self.place)
