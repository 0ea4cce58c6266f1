"""Remedies in messages: the command that writes a manifest, typed so that it works when pasted."""

import shlex
from typing import Final

WRITERS: Final = {
    "listing": "fetch",
    "fetch": "fetch",
    "images": "filter-text",
    "ocr": "filter-text",
    "text": "filter-text",
    "features": "dedup",
    "duplicates": "dedup",
    "labels": "binarize",
    "sample": "undersample",
    "train": "split",
    "validation": "split",
    "test": "split",
    "decisions": "split",
}
"""The command that writes each stage's manifest."""


def typed(command: str, workspace: str = ".") -> str:
    """Return a command as it is typed for a workspace.

    Parameters
    ----------
    command : str
        Without `curate`: a command and its arguments.
    workspace : str, default "."
        As the user named it.

    Returns
    -------
    str
        Such as `curate split --workspace ws`.
    """
    return f"curate {command}" + (
        "" if workspace == "." else f" --workspace {shlex.quote(workspace)}"
    )


def bringing_back(workspace: str = ".") -> str:
    """Say how stored pictures that are missing or changed are brought back."""
    return (
        f"run '{typed('fetch --repair', workspace)}', which brings back what is missing or changed "
        "(of an added set, add it again)"
    )


def writing(manifest: str, workspace: str = ".") -> str:
    """Return the command that writes a manifest; of one that no stage writes, `add-folder`."""
    return typed(WRITERS.get(manifest, "add-folder"), workspace)
