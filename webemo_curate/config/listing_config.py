"""Settings of the collection to read, and of the meaning of its columns."""

from pathlib import Path
from typing import Annotated, Any, Final, Literal

from pydantic import AfterValidator

from webemo_curate.config.settings import AbsolutePath, CommaList, Flag, StageConfig, setting

INPUT, TABLES = "Input", "Tables"

PLACES = frozenset({"lists", "source", "files", "taxonomy", "link"})
"""Fields that enter the listing's fingerprint by the content they name, or not at all."""


PUBLISHED: Final = Path("webemo")
"""Stands for WEBEmo's published lists; to use a folder of this name, give `$PWD/webemo`."""

ListPlace = Annotated[
    Path, AfterValidator(lambda place: place if place == PUBLISHED else place.absolute())
]
"""A place to read rows from, or the name of the published lists."""


def _column(help_text: str) -> Any:
    return setting(None, flag=Flag(panel=TABLES, metavar="NAME"), description=help_text)


class ListingConfig(StageConfig):
    """Which lists, tables and folders to read; their content enters as input digests."""

    lists: tuple[ListPlace, ...] = setting(
        (),
        flag=Flag(panel=INPUT, metavar="FILE|DIR|webemo"),
        description="Lists, tables or folders, told by content and suffix, or webemo for the "
        "published lists; repeatable.",
    )
    source: tuple[AbsolutePath, ...] = setting(
        (), flag=Flag(panel=INPUT), description="The same as --lists."
    )
    taxonomy: str | None = setting(
        None,
        flag=Flag(panel=INPUT, metavar="NAME|FILE"),
        description="Label hierarchy: webemo, mikels8, ... ('curate taxonomy show'), a YAML file, "
        "or as-listed; default webemo for its lists, else the labels as listed.",
    )
    url_column: str | None = _column(
        "Column of image URLs, or a pattern of columns; default by usual names."
    )
    path_column: str | None = _column(
        "Column of local files or image bytes, or a pattern such as '{folder}/{name}.jpg'; default "
        "by usual names."
    )
    label_column: CommaList = setting(
        (),
        flag=Flag(panel=TABLES, metavar="NAME,..."),
        description="Column of labels: names, indexes or lists; several columns, several labels.",
    )
    split_column: str | None = _column(
        "Column of train, validation or test; default by usual names."
    )
    group_column: str | None = _column(
        "Column of groups that no split may divide: author, album, ..."
    )
    id_column: str | None = _column("Column of row ids; default by usual names.")
    encoding: str | None = setting(
        None,
        flag=Flag(panel=TABLES),
        description="Encoding of delimited text; detected by default.",
    )
    delimiter: str | None = setting(
        None,
        min_length=1,
        max_length=1,
        flag=Flag(panel=TABLES),
        description="Delimiter of the columns; detected by default.",
    )
    no_header: bool = setting(
        False,
        flag=Flag("--no-header/--header", panel=TABLES),
        description="No line of delimited text names the columns: they are given by position.",
    )
    on_bad_row: Literal["fail", "skip"] = setting(
        "fail",
        flag=Flag(panel=INPUT),
        description="fail: end at the first malformed row; skip: count it as bad_row.",
    )
    files: AbsolutePath | None = setting(
        None,
        flag=Flag(panel=INPUT, metavar="DIR"),
        description="Folder that a table's files are in; default the table's own.",
    )
    outside: bool = setting(
        False,
        flag=Flag("--outside/--inside", panel=INPUT),
        description="Also take files that paths or links lead to outside that folder.",
    )
    link: bool = setting(
        False,
        flag=Flag("--link/--copy", panel=INPUT),
        description="Hard-link local files into the workspace instead of copying them.",
    )

    @property
    def places(self) -> tuple[Path, ...]:
        """All places to read."""
        return (*self.lists, *self.source)

    def fingerprint(self) -> dict[str, Any]:
        """Return the settings that differ from their defaults and can change the listing.

        Returns
        -------
        dict of str to Any
            Empty for WEBEmo's lists as published.
        """
        return self.model_dump(mode="json", exclude=set(PLACES), exclude_defaults=True)
