"""WEBEmo's lists: `category.txt` and lines of `URL SPACE label-index`."""

import ast
import hashlib
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

import pyarrow as pa

from webemo_curate.errors import InputError
from webemo_curate.schemas import LISTING
from webemo_curate.system_faults import raise_system_fault
from webemo_curate.taxonomies.webemo_labels import LABELS

CATEGORY_FILE = "category.txt"
LIST_FILES = ("train25.txt", "test25.txt")
"""The lists as their authors named them; the name's start is the official split."""

MAX_LINE_BYTES = 8192
"""A longer line is no list: URLs beyond this are refused by servers too."""

MAX_CATEGORY_BYTES = 65_536
MAX_INDEX_DIGITS = 9
READ_BYTES = 2**20
CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f-\x9f]")
"""What no list has: a text of 16 bits a sign is full of them, and terminals obey some."""

ASSET_ID = re.compile(r"/\d+_F_(\d+)_[^/]*$")
"""`220_F_100194555_<hash>.jpg`: the stock photo's id, whatever the thumbnail."""


def list_files(places: Sequence[Path]) -> list[Path]:
    """Find the list files a user means.

    Parameters
    ----------
    places : sequence of Path
        Files, or folders that hold `train25.txt` and `test25.txt` (either may be missing); a
        folder's `category.txt` is checked against the published taxonomy.

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
                f"{file}: two lists have this name; rename one, manifests tell by name"
            )
    return files


def digest(file: Path) -> str:
    """Return the SHA-256 of a list file, in hex."""
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def read_list(file: Path) -> pa.Table:
    """Parse one list; every line that is not blank becomes a row.

    Parameters
    ----------
    file : Path
        Text in UTF-8, a line `URL label-index`.

    Returns
    -------
    pa.Table
        Columns of `schemas.LISTING`, in the file's order.

    Raises
    ------
    InputError
        If a line is malformed, its label is none of the 25, it is not UTF-8, or the file is empty;
        names file, line and remedy.
    """
    numbers, urls, indices = [], [], []
    for number, line in _lines(file):
        url, index = _parse(file, number, line)
        numbers.append(number)
        urls.append(url)
        indices.append(index)
    if not urls:
        raise InputError(f"{file}: the list is empty; each line must be 'URL label-index'")
    return _table(file, numbers, urls, indices)


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
    """Refuse a category file that gives the label indices another meaning."""
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
    content = file.read_bytes()[: MAX_CATEGORY_BYTES + 1]
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


def _lines(file: Path) -> Iterator[tuple[int, str]]:
    """Yield numbered lines that are not blank, decoded one by one so that an error has its line."""
    try:
        with file.open("rb", buffering=READ_BYTES) as stream:
            number = 0
            while raw := stream.readline(MAX_LINE_BYTES + 1):
                number += 1
                if len(raw) > MAX_LINE_BYTES:
                    raise _bad_line(file, number, f"is longer than {MAX_LINE_BYTES} bytes")
                text = _decode(file, number, raw)
                if text.strip():
                    yield number, text
    except OSError as error:
        raise_system_fault(error, str(file))
        raise InputError(f"{file}: cannot be read: {error.strerror}") from error


def _decode(file: Path, number: int, raw: bytes) -> str:
    try:
        return raw.decode("utf-8-sig" if number == 1 else "utf-8")
    except UnicodeDecodeError as error:
        raise InputError(
            f"{file}:{number}: not UTF-8 ({error.reason} at byte {error.start}); "
            "save the list as UTF-8"
        ) from error


def _parse(file: Path, number: int, line: str) -> tuple[str, int]:
    if control := CONTROL.search(line.rstrip("\r\n")):
        what = f"has the control character U+{ord(control[0]):04X} at column {control.start() + 1}"
        raise _bad_line(file, number, what)
    parts = line.split()
    if len(parts) != 2:
        raise _bad_line(file, number, f"has {len(parts)} fields")
    url, index = parts
    if not (index.isascii() and index.isdigit()):
        raise _bad_line(file, number, f"has the label {index!r}")
    if len(index) > MAX_INDEX_DIGITS or int(index) >= len(LABELS):
        raise InputError(
            f"{file}:{number}: label {index[:MAX_INDEX_DIGITS]} is outside 0-{len(LABELS) - 1}; "
            "correct the line or remove it"
        )
    return url, int(index)


def _bad_line(file: Path, number: int, what: str) -> InputError:
    return InputError(
        f"{file}:{number}: the line {what}; it must be 'URL label-index': correct or remove it"
    )


def _table(file: Path, numbers: list[int], urls: list[str], indices: list[int]) -> pa.Table:
    rows = len(urls)
    labels = pa.array(indices, pa.int32())
    assets = [match[1] if (match := ASSET_ID.search(url)) else None for url in urls]
    official = next((split for split in ("train", "test") if file.name.startswith(split)), None)
    columns = {
        "source": pa.array([file.name] * rows),
        "line": pa.array(numbers, pa.int32()),
        "url": pa.array(urls),
        "asset_id": pa.array(assets, pa.string()),
        "label": pa.array([label.name for label in LABELS]).take(labels),
        "emotion": pa.array([label.emotion for label in LABELS]).take(labels),
        "polarity": pa.array([label.polarity for label in LABELS]).take(labels),
        "official_split": pa.array([official] * rows, pa.string()),
    }
    return pa.table([columns[name] for name in LISTING.names], names=LISTING.names)
