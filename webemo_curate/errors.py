"""The errors that a user sees, each with one message and the command's exit code."""


class CurateError(Exception):
    """The work failed; the message states the reason and the remedy. Exit code 1."""

    exit_code = 1


class InputError(CurateError):
    """An option, list, manifest or other input is wrong. Exit code 2.

    The message names the file (and the line, if there is one) and the remedy.
    """

    exit_code = 2
