"""Remedies in messages: the command to run next, typed so that it works when pasted."""

import shlex
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Final

WRITERS: Final = {
    "listing": "fetch",
    "fetch": "fetch",
    "images": "filter-text",
    "measures": "flag-quality",
    "quality": "flag-quality",
    "ocr": "filter-text",
    "text": "filter-text",
    "features": "dedup",
    "pairs": "dedup",
    "duplicates": "dedup",
    "labels": "binarize",
    "out_of_fold": "label-issues",
    "label_issues": "label-issues",
    "label_noise": "label-issues",
    "sample": "undersample",
    "train": "split",
    "validation": "split",
    "test": "split",
    "decisions": "split",
    "map": "map",
    "reviews": "review --import FILE.csv",
}
"""The command that writes each stage's manifest."""

_PLACE: ContextVar[str] = ContextVar("the workspace as the user named it", default=".")


@contextmanager
def working_in(workspace: str) -> Iterator[None]:
    """Make commands quoted in the block name a workspace.

    Parameters
    ----------
    workspace : str
        The workspace as the user named it.
    """
    token = _PLACE.set(workspace)
    try:
        yield
    finally:
        _PLACE.reset(token)


def named_workspace() -> str:
    """Return the workspace that the command works in, as the user named it."""
    return _PLACE.get()


def typed(command: str, workspace: str | None = None) -> str:
    """Return a command as typed for a workspace; all remedies in messages come from here.

    Parameters
    ----------
    command : str
        A command and its arguments, without `curate`.
    workspace : str, optional
        The workspace as the user named it; by default the running command's.

    Returns
    -------
    str
        Such as `curate split --workspace ws`.
    """
    place = named_workspace() if workspace is None else workspace
    return f"curate {command}" + ("" if place == "." else f" --workspace {shlex.quote(place)}")


def bringing_back(workspace: str | None = None) -> str:
    """Say how to bring back stored pictures that are missing or changed."""
    return (
        f"run '{typed('fetch --repair', workspace)}', which brings back what is missing or changed "
        "(of an added set, add it again; of a rebuilt one, run 'curate rebuild' again)"
    )


def writing(manifest: str, workspace: str | None = None) -> str:
    """Return the command that writes a manifest; `add-folder` for one that no stage writes."""
    return typed(WRITERS.get(manifest, "add-folder"), workspace)
