"""Settings of the collection that is read, and of the meaning of its columns."""

from pathlib import Path
from typing import Annotated, Any, Final, Literal

from pydantic import AfterValidator

from webemo_curate.config.settings import AbsolutePath, CommaList, Flag, StageConfig, setting

INPUT, TABLES = "Input", "Tables"

PLACES = frozenset({"lists", "source", "files", "taxonomy", "link"})
"""What enters the listing's fingerprint by its content, or not at all."""


PUBLISHED: Final = Path("webemo")
"""Stands for WEBEmo's published lists; a folder of this name is given as `$PWD/webemo`."""

ListPlace = Annotated[
    Path, AfterValidator(lambda place: place if place == PUBLISHED else place.absolute())
]
"""Where rows are read, or the name of the published lists."""


def _column(help_text: str) -> Any:
    return setting(None, flag=Flag(panel=TABLES, metavar="NAME"), description=help_text)


class ListingConfig(StageConfig):
    """Which lists, tables and folders are read; their content enters as input digests."""

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
    url_column: str | None = _column("Column of image URLs; default by its usual names.")
    path_column: str | None = _column("Column of local files or image bytes; default likewise.")
    label_column: CommaList = setting(
        (),
        flag=Flag(panel=TABLES, metavar="NAME,..."),
        description="Column of labels: names, indexes or lists; several columns, several labels.",
    )
    split_column: str | None = _column("Column of train, validation or test; default likewise.")
    group_column: str | None = _column("Column of what no split may part: author, album, ...")
    id_column: str | None = _column("Column of the rows' own names; default likewise.")
    encoding: str | None = setting(
        None, flag=Flag(panel=TABLES), description="Of delimited text; default told from it."
    )
    delimiter: str | None = setting(
        None,
        min_length=1,
        max_length=1,
        flag=Flag(panel=TABLES),
        description="Between the columns of delimited text; default told from it.",
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
        """Everything that is to be read."""
        return (*self.lists, *self.source)

    def fingerprint(self) -> dict[str, Any]:
        """Return the settings that differ from their defaults and can change the listing.

        Returns
        -------
        dict of str to Any
            Nothing for WEBEmo's lists as they are published.
        """
        return self.model_dump(mode="json", exclude=set(PLACES), exclude_defaults=True)
