"""The errors a user meets: one message each, and the exit code the command ends with."""


class CurateError(Exception):
    """The work failed for a reason the message states, with its remedy; exit code 1."""

    exit_code = 1


class InputError(CurateError):
    """An option, list, manifest or other input is wrong; exit code 2.

    The message names the file (and the line, where there is one) and what to do about it.
    """

    exit_code = 2
