"""The command, run inside the test's process: starting Python for each takes longer."""

import contextlib
import io
import sys
from dataclasses import dataclass
from unittest import mock

from webemo_curate.cli import main


@dataclass(frozen=True)
class Said:
    """How a command ended: its exit code, its standard output, its standard error."""

    code: int
    results: str
    rest: str


def curate(*arguments: object) -> Said:
    """Run `curate` as its entry point does; an error that nobody caught comes through."""
    results, rest = io.StringIO(), io.StringIO()
    code: object = 0
    with (
        mock.patch.object(sys, "argv", ["curate", *map(str, arguments)]),
        contextlib.redirect_stdout(results),
        contextlib.redirect_stderr(rest),
    ):
        try:
            main()
        except SystemExit as end:
            code = end.code or 0
    assert isinstance(code, int)
    return Said(code, results.getvalue(), rest.getvalue())
