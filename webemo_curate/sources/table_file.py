"""The base of tables that are one file, whatever its form."""

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
        The folder that its files must be in.
    config
        What the user says of its columns, encoding and delimiter.
    split
        Of every row, if its name or its folder's says so.
    prefix
        Of its name, where tables of several folders have one name.
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
