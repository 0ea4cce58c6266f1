"""An append-only record of outcomes, so that a killed download goes on where it was."""

import json
import os
from dataclasses import fields
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Self

from webemo_curate.download.outcome import Outcome
from webemo_curate.schemas import FetchStatus

COLUMNS = tuple(field.name for field in fields(Outcome))
LATER = "unsettled_before_this_line"


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
        """Close the file."""
        self._stream.close()

    def add(self, outcome: Outcome) -> None:
        """Append an outcome; it survives a kill of this process at once."""
        row = {name: getattr(outcome, name) for name in COLUMNS}
        line = json.dumps(row, default=datetime.isoformat)
        self._stream.write(line.encode() + b"\n")
        self._stream.flush()

    def settle(self, later: int) -> None:
        """Note that images are on the disk itself.

        Parameters
        ----------
        later : int
            How many of the last outcomes are not meant: they came while the disk was waited for.
        """
        self._stream.write(json.dumps({LATER: later}).encode() + b"\n")
        self._stream.flush()
        os.fsync(self._stream.fileno())

    def read(self) -> tuple[list[Outcome], list[Outcome]]:
        """Read the outcomes written so far.

        Returns
        -------
        settled : list of Outcome
            Those whose images were on the disk, in their order.
        unsettled : list of Outcome
            Later ones: after a power cut their images may be torn.
        """
        settled: list[Outcome] = []
        unsettled: list[Outcome] = []
        if not self._path.exists():
            return settled, unsettled
        with self._path.open("rb") as stream:
            for line in stream:
                entry = _parse(line)
                if isinstance(entry, Outcome):
                    unsettled.append(entry)
                elif entry is not None:
                    first = len(unsettled) - entry
                    settled += unsettled[:first]
                    del unsettled[:first]
        return settled, unsettled


def _parse(line: bytes) -> Outcome | int | None:
    """Read an outcome, or how many of the outcomes before are not settled."""
    try:
        row = json.loads(line)
        if LATER in row:
            return int(row[LATER])
        for name in ("started", "finished"):
            row[name] = row[name] and datetime.fromisoformat(row[name])
        return Outcome(**(row | {"status": FetchStatus(row["status"])}))
    except (ValueError, TypeError, KeyError):
        return None  # torn by a kill
