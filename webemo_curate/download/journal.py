"""An append-only record of outcomes, so that a killed download goes on where it was."""

import json
import os
from collections.abc import Iterator
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Self

from webemo_curate.download.outcome import Outcome
from webemo_curate.schemas import FetchStatus


class Journal:
    """A file of JSON lines, one an outcome; a torn last line is ignored when read.

    Parameters
    ----------
    path : Path
        The file; made if need be.
    """

    def __init__(self, path: Path) -> None:
        self._path = path

    def __enter__(self) -> Self:
        """Open for appending, on a line of its own."""
        self._path.parent.mkdir(parents=True, exist_ok=True)
        self._stream = self._path.open("ab")
        if self._stream.tell():
            self._stream.write(b"\n")  # ends a line that a kill tore
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Force all lines to the disk."""
        self._stream.flush()
        os.fsync(self._stream.fileno())
        self._stream.close()

    def add(self, outcome: Outcome) -> None:
        """Append an outcome; it survives a kill of this process at once."""
        line = json.dumps(asdict(outcome), default=datetime.isoformat)
        self._stream.write(line.encode() + b"\n")
        self._stream.flush()

    def read(self) -> Iterator[Outcome]:
        """Yield the outcomes written so far, in their order."""
        if not self._path.exists():
            return
        with self._path.open("rb") as stream:
            for line in stream:
                if (outcome := _parse(line)) is not None:
                    yield outcome


def _parse(line: bytes) -> Outcome | None:
    try:
        row = json.loads(line)
        for name in ("started", "finished"):
            row[name] = row[name] and datetime.fromisoformat(row[name])
        return Outcome(**(row | {"status": FetchStatus(row["status"])}))
    except (ValueError, TypeError, KeyError):
        return None  # torn by a kill
