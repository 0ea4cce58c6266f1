"""Find the pictures of a folder, by one rule for all commands that take a folder."""

import os
import stat
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from webemo_curate.system_faults import raise_system_fault

HIDDEN: Final = "hidden or of the system"
SPECIAL: Final = "no regular file"
DEAD_LINK: Final = "a link to nothing"
SEEN: Final = "a folder that is taken already"
UNREADABLE: Final = "not readable"
NAME: Final = "a name that is not UTF-8"
LARGE: Final = "too large"

SYSTEM_NAMES: Final = frozenset(
    {
        "@eadir",
        "#recycle",
        "#snapshot",
        "$recycle.bin",
        "__macosx",
        "desktop.ini",
        "ehthumbs.db",
        "lost+found",
        "system volume information",
        "thumbs.db",
    }
)
"""What desktops and network drives leave in folders, in small letters; hidden names start with a
dot (.DS_Store, .ipynb_checkpoints, .trash)."""

MAX_FILE_BYTES: Final = 32 * 2**20
"""A larger file is no picture that a site serves, and is not read."""

NAMED: Final = 3
"""Files named for each reason."""

NAMED_FOLDERS: Final = 40
"""Folders named that are no class: each is a class that its user may have meant."""


@dataclass
class LeftOut:
    """Entries of a folder that are not taken, by reason.

    Attributes
    ----------
    counts
        How many for each reason.
    names
        The first few for each reason, below the folder.
    linked
        Links to folders outside that are taken.
    folders
        Files in each folder whose name is no class.
    """

    counts: Counter[str] = field(default_factory=Counter)
    names: dict[str, list[str]] = field(default_factory=dict)
    linked: list[str] = field(default_factory=list)
    folders: Counter[str] = field(default_factory=Counter)

    def add(self, reason: str, name: str) -> None:
        """Count an entry, and name it if it is among the first."""
        self.counts[reason] += 1
        named = self.names.setdefault(reason, [])
        if len(named) < NAMED:
            named.append(shown(name))

    def add_unknown(self, folder: str) -> None:
        """Count a file in a folder whose name is no class."""
        self.folders[shown(folder)] += 1

    def summary(self) -> str:
        """Say in one line what was not taken and why; empty if all was."""
        parts = [
            f"{count} {reason} ({', '.join(self.names[reason])}"
            f"{', ...' if count > len(self.names[reason]) else ''})"
            for reason, count in sorted(self.counts.items())
        ]
        if self.folders:
            parts.append(self._folders_said())
        said = [f"left out: {', '.join(parts)}"] if parts else []
        if self.linked:
            said.append(f"taken through links: {', '.join(self.linked[:NAMED])}")
        return "; ".join(said)

    def _folders_said(self) -> str:
        named = sorted(self.folders.items())[:NAMED_FOLDERS]
        listed = ", ".join(f"{name}: {count}" for name, count in named)
        more = ", ..." if len(self.folders) > len(named) else ""
        return f"{self.folders.total()} in folders whose names are no class here ({listed}{more})"


def shown(name: str) -> str:
    """Return a name as it can be printed: bytes that are not UTF-8 in hexadecimal."""
    return os.fsencode(name).decode("utf-8", "backslashreplace")


def is_system_name(name: str) -> bool:
    """Tell whether a name is hidden, or one that systems give."""
    return name.startswith(".") or name.lower() in SYSTEM_NAMES


def regular_files(folder: Path, left_out: LeftOut) -> list[Path]:
    """List the files below a folder that count as pictures to be tried.

    Parameters
    ----------
    folder : Path
        Where to look. Linked folders and files are followed, each folder once.
    left_out : LeftOut
        Gets every entry that is not listed, with its reason.

    Returns
    -------
    list of Path
        Below `folder`, in order of their names.
    """
    walk = _Walk(folder, left_out)
    return sorted(walk.files(folder))


class _Walk:
    def __init__(self, top: Path, left_out: LeftOut) -> None:
        self._top, self._left_out = top, left_out
        self._seen: set[tuple[int, int]] = set()

    def files(self, folder: Path) -> Iterator[Path]:
        """Yield files; own folders come before linked ones, which may lead to them again."""
        known = folder.stat()
        if (known.st_dev, known.st_ino) in self._seen:
            self._skip(SEEN, folder)
            return
        self._seen.add((known.st_dev, known.st_ino))
        try:
            entries = sorted(folder.iterdir(), key=lambda entry: (entry.is_symlink(), entry.name))
        except OSError as error:
            raise_system_fault(error, shown(str(folder)))
            self._skip(UNREADABLE, folder)
            return
        for entry in entries:
            yield from self._of_entry(entry)

    def _of_entry(self, entry: Path) -> Iterator[Path]:
        if reason := self._refusal(entry):
            self._skip(reason, entry)
        elif entry.is_dir():
            if entry.is_symlink() and not entry.resolve().is_relative_to(self._top.resolve()):
                self._left_out.linked.append(shown(entry.relative_to(self._top).as_posix()))
            yield from self.files(entry)
        else:
            yield entry

    def _refusal(self, entry: Path) -> str | None:
        """Return why an entry is not taken; None for a folder or a file that can be read."""
        if is_system_name(entry.name):
            return HIDDEN
        if not is_utf8(entry.name):
            return NAME
        try:
            status = entry.stat()
        except OSError as error:
            raise_system_fault(error, shown(str(entry)))
            return DEAD_LINK if entry.is_symlink() else UNREADABLE
        return None if stat.S_ISDIR(status.st_mode) else _file_refusal(entry, status)

    def _skip(self, reason: str, entry: Path) -> None:
        self._left_out.add(reason, entry.relative_to(self._top).as_posix())


def _file_refusal(entry: Path, status: os.stat_result) -> str | None:
    """Return why what is no folder is not taken; None for a file that can be read."""
    if not stat.S_ISREG(status.st_mode):
        return SPECIAL
    if status.st_size > MAX_FILE_BYTES:
        return LARGE
    return None if os.access(entry, os.R_OK) else UNREADABLE


def is_utf8(name: str) -> bool:
    """Tell whether a name's bytes are UTF-8, so that it can be written into a manifest."""
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True
