"""The form of a list: URLs or files, with labels or without, told by its first lines."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from webemo_curate.errors import InputError

FIRST_LINES: Final = 20
"""Lines from which the form is told."""

SCHEME: Final = "://"


@dataclass(frozen=True)
class ListForm:
    """What a list's lines hold.

    Attributes
    ----------
    files
        Whether they name files instead of URLs.
    labels
        Whether a label follows.
    """

    files: bool
    labels: bool

    @property
    def line(self) -> str:
        """The form of a line, in words."""
        return ("file" if self.files else "URL") + (" label" if self.labels else "")

    @property
    def remedy(self) -> str:
        """What to do about a line of another form."""
        if not self.labels:
            return f"the first lines hold a {self.line} alone: correct or remove it"
        return f"it must be '{self.line}-index' or '{self.line}-name': correct or remove it"

    def parts(self, line: str) -> tuple[str, str]:
        """Part a line into URL or file, and label; the label is empty if there is none."""
        if not self.labels:
            return (line, "") if self.files or len(line.split()) == 1 else ("", line)
        if self.files:
            name, _, label = line.rpartition("\t") if "\t" in line else line.rpartition(" ")
            return name.strip(), label.strip()
        url, _, label = line.replace("\t", " ").partition(" ")
        return url, label.strip()


def tell_form(place: Path, root: Path, lines: Iterable[str]) -> ListForm:
    """Tell a list's form.

    Parameters
    ----------
    place : Path
        The list, for messages.
    root : Path
        The folder of its files.
    lines : iterable of str
        Its first lines, stripped.

    Returns
    -------
    ListForm
        Files, if no line has a URL and one names a file that is there. No labels, if no line has a
        second word.

    Raises
    ------
    InputError
        If the lines are text, and hold neither URLs nor files that are there.
    """
    first = list(lines)
    if not first or any(SCHEME in line for line in first) or not all(map(_is_text, first)):
        return ListForm(files=False, labels=not first or any(len(x.split()) > 1 for x in first))
    for labels in (False, True):
        form = ListForm(files=True, labels=labels)
        if any((root / form.parts(line)[0]).is_file() for line in first if form.parts(line)[0]):
            return form
    raise InputError(
        f"{place}: its lines hold neither URLs nor files of {root} (such as '{first[0][:60]}'); "
        "name the files' folder with --files DIR, or, if it is a table, its column with "
        "--url-column or --path-column"
    )


def _is_text(line: str) -> bool:
    return line.replace("\t", " ").isprintable() and "\ufffd" not in line
