"""Read WEBEmo's lists (`category.txt`, lines of a URL and a label), and others of their form."""

import ast
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import islice
from pathlib import Path
from typing import Any

import pyarrow as pa

from webemo_curate.errors import InputError
from webemo_curate.listing_keys import bad_key, local_key
from webemo_curate.rooted import read_regular, regular_digest
from webemo_curate.sources.cell_rules import ValueFaultError
from webemo_curate.sources.file_paths import within
from webemo_curate.sources.labels import LabelReader
from webemo_curate.sources.list_form import FIRST_LINES, ListForm, tell_form
from webemo_curate.sources.source import (
    BATCH_ROWS,
    ROWS,
    Picture,
    ReadOptions,
    logger,
    unreadable,
)
from webemo_curate.taxonomies.webemo_labels import LABELS

CATEGORY_FILE = "category.txt"
LIST_FILES = ("train25.txt", "test25.txt")
"""The authors' file names; their beginning tells the official split."""

MAX_LINE_BYTES = 8192
"""Longest line of a list; servers refuse longer URLs too."""

MAX_CATEGORY_BYTES = 65_536
READ_BYTES = 2**20
CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f-\x9f]")
"""Characters that no list holds: UTF-16 text is full of them, and terminals obey some of them."""

ASSET_ID = re.compile(r"/\d+_F_(\d+)_[^/]*$")
"""Matches `220_F_100194555_<hash>.jpg`: the stock photo's id, whatever the thumbnail."""


def list_files(places: Sequence[Path]) -> list[Path]:
    """Find the list files that the user means.

    Parameters
    ----------
    places : sequence of Path
        Files, or folders that hold `train25.txt` or `test25.txt` or both; a folder's `category.txt`
        is checked against the published taxonomy.

    Returns
    -------
    list of Path
        Existing files with distinct names.

    Raises
    ------
    InputError
        If a place is missing, a folder holds no list, names clash or `category.txt` differs.
    """
    files = [file for place in places for file in _files_at(place)]
    names = [file.name for file in files]
    for file in files:
        if names.count(file.name) > 1:
            raise InputError(
                f"{file}: two lists have this name; rename one: manifests tell them apart by it"
            )
    return files


@dataclass(frozen=True)
class ListSource:
    """A list of lines `URL label`, or files in place of URLs, or no labels; see `Source`.

    Attributes
    ----------
    place
        The file.
    root
        The folder of its files, if it names some.
    outside
        Whether the files may lie outside it.
    split
        Split of all rows, if the file's name tells it.
    """

    place: Path
    root: Path
    outside: bool = False
    split: str | None = None

    @property
    def name(self) -> str:
        """The file's name."""
        return self.place.name

    @property
    def is_of_urls(self) -> bool:
        """Whether its lines hold URLs, not files."""
        return not self.form.files

    @cached_property
    def form(self) -> ListForm:
        """What its lines hold."""
        first = (raw for _, raw in islice(_lines(self.place), FIRST_LINES))
        lines = (raw.decode("utf-8", "replace").strip("\ufeff \t\r\n") for raw in first)
        return tell_form(self.place, self.root, lines)

    def digest(self) -> str:
        """Return the file's SHA-256."""
        return regular_digest(self.place)

    def batches(self, reading: ReadOptions) -> Iterator[pa.RecordBatch]:
        """Yield its rows; see `Source.batches`.

        Every line that is not blank is a row: UTF-8 text.
        """
        taxonomy = reading.labels.taxonomy
        labels = f", labels of {taxonomy.name}" if taxonomy and self.form.labels else ""
        logger.info("%s: a list, '%s' a line%s", self.place, self.form.line, labels)
        lines = _lines(self.place)
        empty = True
        while batch := list(islice(lines, BATCH_ROWS)):
            empty = False
            rows = [self._row(number, raw, reading) for number, raw in batch]
            columns = zip(*rows, strict=True)
            arrays = [pa.array(c, f.type) for c, f in zip(columns, ROWS, strict=True)]
            yield pa.RecordBatch.from_arrays(arrays, schema=ROWS)
        if empty:
            raise InputError(
                f"{self.place}: the list is empty; each line must be 'URL label-index'"
            )

    def pictures(self, files: Iterable[str]) -> Iterator[Picture]:
        """Yield the places of the files that the lines name."""
        return ((file, self.root / file) for file in files)

    @cached_property
    def _official(self) -> str | None:
        return next((s for s in ("train", "test") if self.name.startswith(s)), self.split)

    def _row(self, number: int, raw: bytes, reading: ReadOptions) -> tuple[Any, ...]:
        """Return a line's values in the order of `ROWS`."""
        try:
            url, label = _parse(raw, number, self.form, reading.labels)
            file = within(url, self.root, outside=self.outside) if self.form.files else None
        except ValueFaultError as error:
            reason = reading.bad.take(self.place, number, None, str(error), error.remedy)
            return number, bad_key(self.name, number), *[None] * (len(ROWS) - 3), reason
        key = url if file is None else local_key(self.name, file)
        asset = match[1] if (match := ASSET_ID.search(key)) else None
        return number, key, asset, label, self._official, file, None, None, None


def _files_at(place: Path) -> list[Path]:
    if place.is_file():
        return [place]
    if not place.is_dir():
        raise InputError(f"{place}: no such list; give --lists a file or a folder of lists")
    if (place / CATEGORY_FILE).exists():
        _check_categories(place / CATEGORY_FILE)
    found = [place / name for name in LIST_FILES if (place / name).is_file()]
    if not found:
        raise InputError(
            f"{place}: holds neither {' nor '.join(LIST_FILES)}; name the list files with --lists"
        )
    return found


def _check_categories(file: Path) -> None:
    """Raise if a category file gives the label indexes another meaning."""
    published = [(label.name, label.emotion, label.polarity) for label in LABELS]
    listed = _categories(file)
    if len(listed) != len(published):
        raise InputError(f"{file}: {len(listed)} labels, expected WEBEmo's {len(published)}")
    for index, (given, expected) in enumerate(zip(listed, published, strict=True)):
        if given != expected:
            raise InputError(f"{file}: label {index} is {given!r}, WEBEmo's is {expected!r}")


def _categories(file: Path) -> list[object]:
    remedy = (
        f"{file}: not WEBEmo's category file: expected 'labels=[(label, emotion, polarity), ...]'"
    )
    try:
        content = read_regular(file, MAX_CATEGORY_BYTES + 1)
    except OSError as error:
        raise unreadable(file, error) from error
    try:
        literal = content.decode("utf-8").partition("=")[2].strip()
        if len(content) > MAX_CATEGORY_BYTES or not literal:
            raise InputError(remedy)
        value = ast.literal_eval(literal)
    except (ValueError, SyntaxError, MemoryError, RecursionError) as error:
        raise InputError(remedy) from error
    if not isinstance(value, list):
        raise InputError(remedy)
    return value


def _lines(file: Path) -> Iterator[tuple[int, bytes]]:
    """Yield the lines that are not blank, with their numbers; overlong lines are cut."""
    try:
        with file.open("rb", buffering=READ_BYTES) as stream:
            number = 0
            while raw := stream.readline(MAX_LINE_BYTES + 1):
                number += 1
                rest = raw
                while len(rest) > MAX_LINE_BYTES and not rest.endswith(b"\n"):
                    rest = stream.readline(MAX_LINE_BYTES + 1)
                if raw.strip():
                    yield number, raw
    except OSError as error:
        raise unreadable(file, error) from error


def _parse(raw: bytes, number: int, form: ListForm, labels: LabelReader) -> tuple[str, str | None]:
    """Return the URL or file of a line, and its label."""
    if len(raw) > MAX_LINE_BYTES:
        raise ValueFaultError(f"is longer than {MAX_LINE_BYTES} bytes", form.remedy)
    try:
        line = raw.decode("utf-8-sig" if number == 1 else "utf-8")
    except UnicodeDecodeError as error:
        what = f"is not UTF-8 ({error.reason} at byte {error.start})"
        raise ValueFaultError(what, "save the list as UTF-8") from error
    if control := CONTROL.search(line.rstrip("\r\n")):
        what = f"has the control character U+{ord(control[0]):04X} at column {control.start() + 1}"
        raise ValueFaultError(what, form.remedy)
    first, label = form.parts(line.strip())
    if not first or bool(label) != form.labels or (" " in label and label[0].isdigit()):
        raise ValueFaultError(f"has {len(line.split())} fields", form.remedy)
    if not form.labels:
        return first, None
    return first, labels.name(label)
