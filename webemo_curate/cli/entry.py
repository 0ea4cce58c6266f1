"""The entry point: global options, and errors as one message with their exit code."""

import io
import logging
import os
import sys
import traceback
from typing import Annotated

import typer

from webemo_curate import __version__
from webemo_curate.cli import (
    config_commands,
    dataset_commands,
    describing_commands,
    label_commands,
    likeness_commands,
    network_commands,
    review_commands,
    run_commands,
    setup_commands,
    sharing_commands,
    workspace_commands,
)
from webemo_curate.cli.command import app
from webemo_curate.credentials import MaskingFormatter, masked_within
from webemo_curate.errors import CurateError
from webemo_curate.quoting import printable
from webemo_curate.system_faults import raise_file_limit, raise_system_fault

COMMANDS = (
    config_commands,
    dataset_commands,
    describing_commands,
    label_commands,
    likeness_commands,
    network_commands,
    review_commands,
    run_commands,
    setup_commands,
    sharing_commands,
    workspace_commands,
)
"""Importing these modules declares the commands."""


def _show_version(wanted: bool) -> None:
    if wanted:
        print(f"webemo-curate {__version__}")
        raise typer.Exit


@app.callback()
def take_global_options(
    version: Annotated[
        bool,
        typer.Option("--version", callback=_show_version, is_eager=True, help="Print the version."),
    ] = False,
) -> None:
    """From labeled pictures to an audited data set and a trained network."""


def run() -> None:
    """Run the command; errors become one message and their exit code."""
    _open_standard_streams()
    _write_what_can_be_written()
    _log_to_standard_error()
    raise_file_limit()
    try:
        app()
    except CurateError as error:
        typer.echo(masked_within(printable(f"curate: {error}")), err=True)
        sys.exit(error.exit_code)
    except Exception as error:
        _end_if_lacking(error)
        typer.echo(masked_within(traceback.format_exc()), err=True)
        sys.exit(1)


class AboveBars(logging.Handler):
    """Writes messages to standard error, above a bar that is drawn there."""

    def emit(self, record: logging.LogRecord) -> None:
        """Write one message."""
        from tqdm import tqdm  # not what `curate --help` waits for

        tqdm.write(printable(self.format(record)), file=sys.stderr)


def _log_to_standard_error() -> None:
    handler = AboveBars()
    handler.setFormatter(MaskingFormatter("%(message)s"))
    logging.basicConfig(handlers=[handler])
    # It warns of where it keeps its caches if the home folder cannot be written to.
    logging.getLogger("matplotlib").setLevel(logging.ERROR)


def _open_standard_streams() -> None:
    """Open what the caller has closed (`2>&-`), or the next file would get what is printed."""
    for number, name, mode in ((0, "stdin", "r"), (1, "stdout", "w"), (2, "stderr", "w")):
        try:
            os.fstat(number)
        except OSError:
            handle = os.open(os.devnull, os.O_RDWR)
            if handle != number:
                os.dup2(handle, number)
                os.close(handle)
            setattr(sys, name, os.fdopen(number, mode))


def _write_what_can_be_written() -> None:
    """Escape in results what the terminal's encoding lacks, as Python does on standard error."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")


def _end_if_lacking(error: Exception) -> None:
    """End with one message if an error that nobody expected is the machine's."""
    try:
        raise_system_fault(error, str(getattr(error, "filename", None) or ""))
    except CurateError as fault:
        typer.echo(masked_within(printable(f"curate: {fault}")), err=True)
        sys.exit(fault.exit_code)
