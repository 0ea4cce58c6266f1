"""Reviews as CSV, to be exchanged, filled in elsewhere and brought back."""

import csv
import io
import re
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

from webemo_curate.errors import InputError
from webemo_curate.quoting import quoted
from webemo_curate.reviews.blind_sample import BlindSample
from webemo_curate.reviews.review import Review, ReviewKind
from webemo_curate.reviews.review_journal import ReviewJournal
from webemo_curate.reviews.review_lines import COLUMNS
from webemo_curate.rooted import read_regular
from webemo_curate.storage.atomic import write_bytes
from webemo_curate.system_faults import raise_system_fault

NEEDED = ("kind", "sha256", "decision")
"""Columns that a file must have; the others may be missing, and their cells empty."""

FORMULA = re.compile(r"'*[=+\-@\t\r]")
"""Begins a text that a spreadsheet program would run as a formula, or one with a quote before it,
which stands for itself."""

QUOTE = "'"

LARGEST = 2**28
"""Bytes of a file that is read: a million reviews."""


class Imported(NamedTuple):
    """What became of a file's rows.

    Attributes
    ----------
    added
        Decisions that are new.
    known
        Those that stood already.
    empty
        Rows without a decision.
    """

    added: int
    known: int
    empty: int


def export_reviews(reviews: Sequence[Review], file: Path) -> None:
    """Write reviews, undos included, in the order in which they came.

    Parameters
    ----------
    reviews : sequence of Review
        Every entry of a journal.
    file : Path
        Gets the columns of a review, as UTF-8.

    Raises
    ------
    CurateError
        If it cannot be written.
    """
    rows = [[_cell(getattr(review, name)) for name in COLUMNS] for review in reviews]
    _write(file, COLUMNS, rows)


def export_sample(sample: BlindSample, paths: dict[str, str], file: Path) -> None:
    """Write a blind sample to be filled in: a row a picture, its decision empty.

    Parameters
    ----------
    sample : BlindSample
        What was drawn.
    paths : dict of str to str
        Where each picture lies, by its hash.
    file : Path
        Gets the columns that an import reads, and `path`.
    """
    rows = [
        [str(ReviewKind.TEXT), name, "", sample.note, paths.get(name, "")]
        for name in sample.pictures()
    ]
    _write(file, ("kind", "sha256", "decision", "note", "path"), rows)


def import_reviews(journal: ReviewJournal, file: Path, reviewer: str) -> Imported:
    """Add a file's decisions to a journal: all of them, or none if a row is wrong.

    Parameters
    ----------
    journal : ReviewJournal
        Entered.
    file : Path
        With the columns of `NEEDED`, and any others of a review; further ones are not read. A row
        without a time was decided now; one without a decision is passed over.
    reviewer : str
        Who decided the rows that do not say.

    Returns
    -------
    Imported
        What became of the rows.

    Raises
    ------
    InputError
        If a row is no review; names file, line and remedy.
    """
    now = datetime.now(UTC)
    timed: list[Review] = []
    fresh: list[Review] = []
    empty = 0
    for row in read_rows(file):
        if not row.values["decision"]:
            empty += 1
            continue
        review = _reviewed(row, file, reviewer, now)
        (timed if row.values.get("time") else fresh).append(review)
    stands = {(each.case, each.reviewer, each.decision) for each in journal.current()}
    new = [each for each in fresh if (each.case, each.reviewer, each.decision) not in stands]
    added = journal.merge(timed) + len(journal.append_all(new))
    return Imported(added, len(timed) + len(fresh) - added, empty)


class ReviewRow(NamedTuple):
    """A row of a file: the line it ends at, and its cells by column, without blanks around."""

    line: int
    values: dict[str, str]


def read_rows(file: Path) -> Iterator[ReviewRow]:
    """Yield a CSV file's rows.

    Raises
    ------
    InputError
        If the file is none, lacks a needed column, or a row has too many or too few cells.
    """
    reader = csv.reader(io.StringIO(_text(file), newline=""), strict=True)
    try:
        header = [name.strip() for name in next(reader, [])]
        _check_header(header, file)
        for cells in reader:
            if not cells:
                continue
            if len(cells) != len(header):
                raise InputError(
                    f"{file}, line {reader.line_num}: has {len(cells)} cells, and the first line "
                    f"{len(header)}; give each row a cell for each column"
                )
            values = {
                name: _unquoted(cell.strip()) for name, cell in zip(header, cells, strict=True)
            }
            yield ReviewRow(reader.line_num, values)
    except csv.Error as error:
        raise InputError(
            f"{file}, line {reader.line_num}: is no CSV ({error}); save it as CSV with commas and "
            "double quotes"
        ) from error


def _text(file: Path) -> str:
    """Return a file's text, within bounds."""
    try:
        content = read_regular(file, LARGEST + 1)
        if len(content) > LARGEST:
            raise InputError(f"{file}: has more than {LARGEST:,} bytes; divide it")
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        raise InputError(f"{file}, line {line}: is not UTF-8; save the file as UTF-8") from error
    except OSError as error:
        raise_system_fault(error, str(file))
        raise InputError(
            f"{file}: cannot be read: {error.strerror or error}; check its name"
        ) from error


def _check_header(header: list[str], file: Path) -> None:
    if missing := [name for name in NEEDED if name not in header]:
        raise InputError(
            f"{file}, line 1: has no column '{missing[0]}'; it needs {', '.join(NEEDED)}, and may "
            f"have {', '.join(name for name in COLUMNS if name not in NEEDED)}"
        )
    if twice := sorted({name for name in header if name in COLUMNS and header.count(name) > 1}):
        raise InputError(f"{file}, line 1: has the column '{twice[0]}' twice; leave one out")


def _reviewed(row: ReviewRow, file: Path, reviewer: str, now: datetime) -> Review:
    """Return what a row says; refuse what is no review."""
    cell = row.values.get
    try:
        return Review(
            kind=ReviewKind(cell("kind", "")) if cell("kind") in [*ReviewKind] else _no_kind(row),
            sha256=cell("sha256", ""),
            other=cell("other") or None,
            decision=cell("decision", ""),
            reviewer=cell("reviewer") or reviewer,
            time=_time(cell("time"), now),
            score=_number("score", cell("score")),
            threshold=_number("threshold", cell("threshold")),
            note=cell("note") or None,
        )
    except InputError as error:
        raise InputError(
            f"{file}, line {row.line}: {error}; correct the row or leave it out: nothing was "
            "imported"
        ) from error


def _no_kind(row: ReviewRow) -> ReviewKind:
    given = quoted(row.values["kind"])
    raise InputError(f"kind: {given} is none of {', '.join(ReviewKind)}")


def _time(given: str | None, now: datetime) -> datetime:
    if not given:
        return now
    try:
        return datetime.fromisoformat(given)
    except ValueError:
        raise InputError(f"time: {quoted(given)} is none such as 2026-01-31T12:00:00Z") from None


def _number(column: str, given: str | None) -> float | None:
    if not given:
        return None
    try:
        return float(given)
    except ValueError:
        raise InputError(f"{column}: {quoted(given)} is no number") from None


def _cell(value: object) -> str:
    if isinstance(value, datetime):
        return value.isoformat()
    if not isinstance(value, str):
        return "" if value is None else str(value)
    return QUOTE + value if FORMULA.match(value) else value


def _unquoted(cell: str) -> str:
    """Return the text of which `_cell` made a cell."""
    inner = cell.removeprefix(QUOTE)
    return inner if inner != cell and FORMULA.match(inner) else cell


def _write(file: Path, columns: Sequence[str], rows: list[list[str]]) -> None:
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator="\n").writerows([[*columns], *rows])
    write_bytes(file, text.getvalue().encode())
