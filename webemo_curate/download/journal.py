"""An append-only record of outcomes, so that a killed download goes on where it was.

It is written in segments: one is closed and published whenever the images of its outcomes have
settled, so that on an object store another machine can go on from there.
"""

import json
import os
import re
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import fields
from datetime import datetime
from functools import partial
from types import MappingProxyType, TracebackType
from typing import Any, NamedTuple, Self

import pyarrow as pa

from webemo_curate.download.outcome import FetchOutcome
from webemo_curate.rooted import below
from webemo_curate.schemas import FETCH
from webemo_curate.storage.protocols import Store
from webemo_curate.verdicts import FetchStatus

COLUMNS = tuple(field.name for field in fields(FetchOutcome))
LATER = "unsettled_before_this_line"
NUMBER = "pass"
SETTINGS = "decided_by"
SUFFIX = ".jsonl"
TIMES = ("started", "finished")

MAX_LINE = 2**20
"""Bytes; a line of this program is shorter."""

SHA256, FILE_SUFFIX = re.compile(r"[0-9a-f]{64}"), re.compile(r"\.[a-z0-9]{1,8}")
"""What the name of an image's file is made of."""


class Entry(NamedTuple):
    """A line: how a URL stood after a pass.

    Attributes
    ----------
    outcome
        With what earlier passes brought.
    number
        Of the pass, from 1.
    decided_by
        Settings of the run that found it; see `decided`. Empty where they are not known.
    """

    outcome: FetchOutcome
    number: int
    decided_by: Mapping[str, Any] = MappingProxyType({})


class Journal:
    """Files of JSON lines, one an outcome; a torn last line is ignored when read.

    Parameters
    ----------
    store : Store
        Keeps the segments.
    prefix : str
        Of their keys.
    decided_by : mapping of str to Any, optional
        Settings that the outcomes to be added are found by.
    """

    def __init__(
        self, store: Store, prefix: str, decided_by: Mapping[str, Any] = MappingProxyType({})
    ) -> None:
        self._store, self._prefix, self._decided_by = store, prefix, dict(decided_by)

    def __enter__(self) -> Self:
        """Begin a segment after those that are there."""
        self._number = len(self._segments())
        self._begin()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close the segment under way."""
        self._stream.close()

    def add(self, entry: Entry) -> None:
        """Append an outcome; it survives a kill of this process at once."""
        row = {name: getattr(entry.outcome, name) for name in COLUMNS} | {NUMBER: entry.number}
        line = json.dumps(row, default=datetime.isoformat)
        self._stream.write(line.encode() + b"\n")
        self._stream.flush()

    def settle(self, later: int) -> None:
        """Note that images are where they are to stay; ends the segment.

        Parameters
        ----------
        later : int
            How many of the last outcomes are not meant: they came while the disk was waited for.
        """
        self._stream.write(json.dumps({LATER: later}).encode() + b"\n")
        self._stream.flush()
        os.fsync(self._stream.fileno())
        self._stream.close()
        self._store.publish(self._key)
        self._begin()

    def read(self) -> tuple[list[Entry], list[Entry]]:
        """Read the outcomes written so far.

        Returns
        -------
        settled : list of Entry
            Those whose images were on the disk, in their order.
        unsettled : list of Entry
            Later ones: after a power cut their images may be torn.
        """
        settled: list[Entry] = []
        unsettled: list[Entry] = []
        decided_by: Mapping[str, Any] = {}
        for line in self._lines():
            entry = _parse(line)
            if isinstance(entry, Entry):
                unsettled.append(entry._replace(decided_by=decided_by))
            elif isinstance(entry, dict):
                decided_by = entry
            elif entry is not None:
                first = max(0, len(unsettled) - entry)
                settled += unsettled[:first]
                del unsettled[:first]
        return settled, unsettled

    def _begin(self) -> None:
        # A name of its own: two machines that took turns may both have a segment of this number.
        name = f"{self._number:06d}-{uuid.uuid4().hex[:8]}{SUFFIX}"
        self._number += 1
        self._key = f"{self._prefix}/{name}"
        path = below(self._store.root, self._key)
        path.parent.mkdir(parents=True, exist_ok=True)
        self._stream = path.open("xb")
        self._stream.write(json.dumps({SETTINGS: self._decided_by}).encode() + b"\n")

    def _segments(self) -> list[str]:
        """Return the keys of all segments: published ones, and those of a killed run here."""
        local = below(self._store.root, self._prefix).glob(f"*{SUFFIX}")
        here = {f"{self._prefix}/{path.name}" for path in local}
        return sorted(here.union(self._store.keys(self._prefix)))

    def _lines(self) -> Iterator[bytes]:
        for key in self._segments():
            path = below(self._store.root, key)
            with (path if path.exists() else self._store.local(key)).open("rb") as stream:
                yield from iter(partial(stream.readline, MAX_LINE), b"")


def _parse(line: bytes) -> Entry | dict[str, Any] | int | None:
    """Read an outcome, the settings of those that follow, or how many before are not settled."""
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
        return None  # torn by a kill, or not of this program: the URL is asked for again


def _is_typed(outcome: FetchOutcome) -> bool:
    """Tell whether each value can stand in the manifest's column."""
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
