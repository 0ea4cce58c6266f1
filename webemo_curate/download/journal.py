"""An append-only journal of outcomes, from which a killed download goes on.

The journal is written in segments. Each time the images of its outcomes are safely stored, a
segment is closed and published, so that with an object store another machine can go on from there.
"""

import json
import os
import re
import uuid
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from functools import partial
from itertools import groupby
from types import MappingProxyType, TracebackType
from typing import Any, NamedTuple, Self

import pyarrow as pa

from webemo_curate.download.outcome import COLUMNS, FetchOutcome, values_of
from webemo_curate.rooted import below
from webemo_curate.schemas import FETCH
from webemo_curate.storage.protocols import Store
from webemo_curate.verdicts import FetchStatus

LATER = "unsettled_before_this_line"
NUMBER = "pass"
SETTINGS = "decided_by"
SUFFIX = ".jsonl"
TIMES = ("started", "finished")

MAX_LINE = 2**20
"""Longest line read, in bytes; the lines written here are shorter."""

SHA256, FILE_SUFFIX = re.compile(r"[0-9a-f]{64}"), re.compile(r"\.[a-z0-9]{1,8}")
"""Characters of a SHA-256 in hex, of which an image's file name is made."""


class Entry(NamedTuple):
    """A line of the journal: a URL's outcome after a pass.

    Attributes
    ----------
    outcome
        The outcome, merged with those of earlier passes.
    number
        Number of the pass, from 1.
    decided_by
        The settings of the run that found it; see `decided`. Empty if unknown.
    is_settled
        Whether its image was safely stored; if not, a power cut may have torn it.
    """

    outcome: FetchOutcome
    number: int
    decided_by: Mapping[str, Any] = MappingProxyType({})
    is_settled: bool = False


class Journal:
    """Reads and writes the segments: JSON lines, one an outcome. A torn last line is ignored.

    Of several processes each writes in a folder of its own below the prefix; all are read together.

    Parameters
    ----------
    store : Store
        Keeps the segments.
    prefix : str
        Prefix of their keys.
    decided_by : mapping of str to Any, optional
        Settings under which the outcomes to be added were found.
    """

    def __init__(
        self, store: Store, prefix: str, decided_by: Mapping[str, Any] = MappingProxyType({})
    ) -> None:
        self._store, self._prefix, self._decided_by = store, prefix, dict(decided_by)

    def __enter__(self) -> Self:
        """Begin a new segment after the existing ones."""
        self._number = len(self._segments())
        self._begin()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close the open segment."""
        try:
            self._stream.close()
        except OSError:
            if error is None:  # otherwise a full disk has been told already
                raise

    def add(self, entry: Entry) -> None:
        """Append an outcome; from then on it survives a kill of this process."""
        row = dict(zip(COLUMNS, values_of(entry.outcome), strict=True))
        row[NUMBER] = entry.number
        for name in TIMES:
            row[name] = row[name] and row[name].isoformat()
        line = json.dumps(row)
        self._stream.write(line.encode() + b"\n")
        self._stream.flush()

    def settle(self, later: int) -> None:
        """Record that the images are safely stored, and close the segment.

        Parameters
        ----------
        later : int
            Number of the latest outcomes to exclude: they arrived while images were being written
            out.
        """
        self._stream.write(json.dumps({LATER: later}).encode() + b"\n")
        self._stream.flush()
        os.fsync(self._stream.fileno())
        self._stream.close()
        self._store.publish(self._key)
        self._begin()

    def read(self) -> Iterator[Entry]:
        """Yield the outcomes written so far, each writer's in order."""
        for _, keys in groupby(self._segments(), lambda key: key.rpartition("/")[0]):
            yield from _read(self._lines(keys))

    def _begin(self) -> None:
        # The random part keeps names apart: two machines in turn may both write a segment N.
        name = f"{self._number:06d}-{uuid.uuid4().hex[:8]}{SUFFIX}"
        self._number += 1
        self._key = f"{self._prefix}/{name}"
        path = below(self._store.root, self._key)
        path.parent.mkdir(parents=True, exist_ok=True)
        self._stream = path.open("xb")
        self._stream.write(json.dumps({SETTINGS: self._decided_by}).encode() + b"\n")

    def _segments(self) -> list[str]:
        """Return the keys of all segments: published ones, and local ones of a killed run."""
        folder = below(self._store.root, self._prefix)
        local = [*folder.glob(f"*{SUFFIX}"), *folder.glob(f"*/*{SUFFIX}")]
        here = {path.relative_to(self._store.root).as_posix() for path in local}
        return sorted(here.union(self._store.keys(self._prefix)), key=lambda k: k.rpartition("/"))

    def _lines(self, keys: Iterable[str]) -> Iterator[bytes]:
        for key in keys:
            path = below(self._store.root, key)
            with (path if path.exists() else self._store.local(key)).open("rb") as stream:
                yield from iter(partial(stream.readline, MAX_LINE), b"")


def _read(lines: Iterable[bytes]) -> Iterator[Entry]:
    """Read the lines of one writer; see `Journal.read`."""
    waiting: list[Entry] = []
    decided_by: Mapping[str, Any] = {}
    for line in lines:
        found = _parse(line)
        if isinstance(found, Entry):
            waiting.append(found._replace(decided_by=decided_by))
        elif isinstance(found, dict):
            decided_by = found
        elif found is not None:
            settled = max(0, len(waiting) - found)
            yield from (entry._replace(is_settled=True) for entry in waiting[:settled])
            del waiting[:settled]
    yield from waiting


def _parse(line: bytes) -> Entry | dict[str, Any] | int | None:
    """Parse a line: an outcome, the settings of later outcomes, or a count of unsettled ones."""
    try:
        row = json.loads(line)
        if SETTINGS in row:
            return dict(row[SETTINGS])
        if LATER in row:
            return max(0, int(row[LATER]))
        for name in TIMES:
            row[name] = row[name] and datetime.fromisoformat(row[name])
        number = int(row.pop(NUMBER, 1))
        outcome = FetchOutcome(**(row | {"status": FetchStatus(row["status"])}))
        return Entry(outcome, number) if _is_typed(outcome) else None
    except (ValueError, TypeError, KeyError, AttributeError, OverflowError, RecursionError):
        return None  # torn by a kill, or not written by this program: the URL is requested again


def _is_typed(outcome: FetchOutcome) -> bool:
    """Return whether each value has the type of its manifest column."""
    try:
        for field in FETCH:
            kind = field.type.value_type if pa.types.is_dictionary(field.type) else field.type
            value = getattr(outcome, field.name)
            if type(value) is bool or (value is None and not field.nullable):
                return False
            pa.scalar(value, kind)
    except (pa.ArrowException, TypeError, ValueError, OverflowError):
        return False
    names = outcome.sha256, outcome.suffix
    return names == (None, None) or bool(
        SHA256.fullmatch(str(names[0])) and FILE_SUFFIX.fullmatch(str(names[1]))
    )
