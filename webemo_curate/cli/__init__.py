"""The `curate` command: a function a command, options made from the configuration.

A script calls it as `app(["fetch", "--workspace", "ws"], standalone_mode=False)`.
"""

import atexit
import signal
import sys
from typing import Any

__all__ = ["app", "main"]

INTERRUPTED = 130
"""The shell's exit code for a command that Ctrl-C ended: 128 + SIGINT."""

STOPPED = "curate: stopped"
KEPT = f"{STOPPED}; finished work is kept: the same command goes on from here"
ANEW = f"{STOPPED}; the same command starts anew"
"""What Ctrl-C is answered: before a command is known, and by whether it keeps what it has done."""


def __getattr__(name: str) -> Any:
    """Load the commands when a script asks for them."""
    if name != "app":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    import webemo_curate.cli.entry  # noqa: F401  # it declares the commands
    from webemo_curate.cli.command import app

    return app


def main() -> None:
    """Run the command; Ctrl-C ends it with one message, also while its modules are loaded."""
    try:
        from webemo_curate.cli.entry import run

        run()
    except KeyboardInterrupt:
        stop()
    finally:
        # The work is done, or was stopped: Ctrl-C changes nothing of how the process then ends.
        atexit.register(signal.signal, signal.SIGINT, signal.SIG_IGN)


def stop(said: str = STOPPED) -> None:
    """End the program as Ctrl-C does, whatever else is being done."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # a second one has nothing more to stop
    print(said, file=sys.stderr, flush=True)
    sys.exit(INTERRUPTED)
