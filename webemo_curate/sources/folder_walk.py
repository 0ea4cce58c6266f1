"""Find the pictures of a folder, by the same rule for every command."""

import os
import stat
from collections import Counter, deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from webemo_curate.storage.folder import LOCK_KEY
from webemo_curate.system_faults import raise_system_fault
from webemo_curate.workspace import OWN

HIDDEN: Final = "hidden or of the system"
SPECIAL: Final = "no regular file"
DEAD_LINK: Final = "a link to nothing"
SEEN: Final = "a folder that is taken already"
UNREADABLE: Final = "not readable"
NAME: Final = "a name that is not UTF-8"
LARGE: Final = "too large"
CURATED: Final = "of a workspace"

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
"""Files and folders that desktops and network drives create, in lower case. Hidden names start with
a dot (.DS_Store, .ipynb_checkpoints, .trash)."""

MAX_FILE_BYTES: Final = 32 * 2**20
"""Most bytes of a file. A larger one is not a picture that a site would serve, and is not read."""

NAMED: Final = 3
"""Most files named for each reason."""

NAMED_FOLDERS: Final = 40
"""Most unknown folders named in a message; the user may have meant each as a class."""


@dataclass
class LeftOut:
    """Entries of a folder that are not taken, by reason.

    Attributes
    ----------
    counts
        Number of entries for each reason.
    names
        The first few names for each reason, relative to the folder.
    linked
        Links to outside folders that are followed.
    folders
        Number of files in each folder whose name is not a class.
    """

    counts: Counter[str] = field(default_factory=Counter)
    names: dict[str, list[str]] = field(default_factory=dict)
    linked: list[str] = field(default_factory=list)
    folders: Counter[str] = field(default_factory=Counter)

    def add(self, reason: str, name: str) -> None:
        """Count an entry, and store its name if it is among the first."""
        self.counts[reason] += 1
        named = self.names.setdefault(reason, [])
        if len(named) < NAMED:
            named.append(shown(name))

    def add_unknown(self, folder: str) -> None:
        """Count a file in a folder whose name is not a class."""
        self.folders[shown(folder)] += 1

    def summary(self) -> str:
        """Say in one line what was not taken and why; empty if all was taken."""
        parts = [
            f"{count} {reason} ({', '.join(self.names[reason])}"
            f"{', ...' if count > len(self.names[reason]) else ''})"
            for reason, count in sorted(self.counts.items())
        ]
        if self.folders:
            parts.append(self._folders_said())
        said = [f"left out: {', '.join(parts)}"] if parts else []
        if self.linked:
            said.append(f"links followed: {', '.join(self.linked[:NAMED])}")
        return "; ".join(said)

    def _folders_said(self) -> str:
        named = sorted(self.folders.items())[:NAMED_FOLDERS]
        listed = ", ".join(f"{name}: {count}" for name, count in named)
        more = ", ..." if len(self.folders) > len(named) else ""
        return f"{self.folders.total()} in folders whose names are no class here ({listed}{more})"


def shown(name: str) -> str:
    """Return a name in printable form, with bytes that are not UTF-8 in hexadecimal."""
    return os.fsencode(name).decode("utf-8", "backslashreplace")


def is_system_name(name: str) -> bool:
    """Return whether a name is hidden, or one that operating systems create."""
    return name.startswith(".") or name.lower() in SYSTEM_NAMES


def regular_files(folder: Path, left_out: LeftOut) -> list[Path]:
    """List the candidate pictures under a folder.

    Parameters
    ----------
    folder : Path
        Where to look. Links to folders and files are followed, each folder once.
    left_out : LeftOut
        Receives every entry that is not listed, with the reason.

    Returns
    -------
    list of Path
        Paths under `folder`, in order of their names.
    """
    return sorted(_Walk(folder, left_out).files())


class _Walk:
    def __init__(self, top: Path, left_out: LeftOut) -> None:
        self._top, self._left_out = top, left_out
        self._seen: set[tuple[int, int]] = set()

    def files(self) -> Iterator[Path]:
        """Yield files; of real folders first, as links may lead to the same folders."""
        real, linked = deque([self._top]), deque[Path]()
        while real or linked:
            folder = (real or linked).popleft()
            own = OWN if (folder / LOCK_KEY).is_file() else ()
            for entry in self._entries(folder):
                if reason := CURATED if entry.name in own else self._refusal(entry):
                    self._skip(reason, entry)
                elif not entry.is_dir():
                    yield entry
                else:
                    (linked if entry.is_symlink() else real).append(entry)

    def _entries(self, folder: Path) -> list[Path]:
        """List a folder that has not been listed before."""
        known = folder.stat()
        if (known.st_dev, known.st_ino) in self._seen:
            self._skip(SEEN, folder)
            return []
        self._seen.add((known.st_dev, known.st_ino))
        if folder.is_symlink() and not folder.resolve().is_relative_to(self._top.resolve()):
            self._left_out.linked.append(shown(folder.relative_to(self._top).as_posix()))
        try:
            return sorted(folder.iterdir())
        except OSError as error:
            raise_system_fault(error, shown(str(folder)))
            self._skip(UNREADABLE, folder)
            return []

    def _refusal(self, entry: Path) -> str | None:
        """Return why an entry is not taken; None for a readable folder or file."""
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
    """Return why something other than a folder is not taken; None for a readable file."""
    if not stat.S_ISREG(status.st_mode):
        return SPECIAL
    if status.st_size > MAX_FILE_BYTES:
        return LARGE
    return None if os.access(entry, os.R_OK) else UNREADABLE


def is_utf8(name: str) -> bool:
    """Return whether a name's bytes are UTF-8, so that a manifest can store it."""
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True
