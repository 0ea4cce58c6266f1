"""docs/terminal.svg, a terminal in which a folder of drawn photos becomes splits.

`python -m tools.terminal_picture FILE` runs the commands on a pseudo-terminal and draws their
output.
"""

import re
import shutil
import sys
from io import StringIO
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

import pexpect
from rich._export_format import CONSOLE_SVG_FORMAT
from rich.console import Console
from rich.text import Text

from webemo_curate.config import DemoConfig
from webemo_curate.demo.own_data import write_photos
from webemo_curate.demo.world import make_world
from webemo_curate.taxonomies.webemo_labels import LABELS

COMMANDS: Final = (
    "curate fetch --source photos --workspace mine",
    "curate filter-text --workspace mine",
    "curate binarize --positive sad --workspace mine",
    "curate split --workspace mine",
    "curate status --workspace mine",
)
WIDTH: Final = 110
"""Columns of the terminal."""

PICTURES: Final = 160
SADNESS: Final = {label.name for label in LABELS if label.emotion == "sadness"}


def write_picture(file: Path) -> None:
    """Run the commands and draw their terminal.

    Parameters
    ----------
    file : Path
        Path of the SVG to write.
    """
    console = Console(record=True, width=WIDTH, file=StringIO(), force_terminal=True)
    with TemporaryDirectory() as place:
        draw_photos(Path(place))
        for command in COMMANDS:
            console.print(Text(f"$ {command}", style="bold"))
            console.print(Text.from_ansi(said(command, place)))
    # Use the reader's own fonts: the usual form loads its typeface from a host.
    form = re.sub(r"@font-face \{\{.*?\}\}", "", CONSOLE_SVG_FORMAT, flags=re.DOTALL)
    file.write_text(console.export_svg(title="curate", code_format=form), encoding="utf-8")


def draw_photos(place: Path) -> None:
    """Draw a folder `photos` of sad and happy pictures under a place."""
    drawn = place / "drawn"
    drawn.mkdir()
    for photo in write_photos(make_world(DemoConfig(pictures=PICTURES), drawn), drawn).rglob("*.*"):
        label = "sad" if photo.parent.name in SADNESS else "happy"
        (place / "photos" / label).mkdir(parents=True, exist_ok=True)
        photo.rename(place / "photos" / label / photo.name)
    shutil.rmtree(drawn)


def said(command: str, place: str) -> str:
    """Return what is on a terminal when a command has ended.

    Parameters
    ----------
    command : str
        The command as typed.
    place : str
        The folder in which it runs; shown as `~`.

    Returns
    -------
    str
        Lines; a bar that was drawn over itself as it stood last. The seconds that stages took are
        left out: they say how busy the machine was.
    """
    child = pexpect.spawn(command, cwd=place, encoding="utf-8", timeout=900, dimensions=(40, WIDTH))
    child.expect(pexpect.EOF)
    lines = str(child.before).replace("\r\n", "\n").split("\n")
    # A bar is redrawn over itself; only its last state is kept.
    shown = (line.split("\r")[-1] or line.rstrip("\r") for line in lines)
    return re.sub(r"\(\d+\.\d s, ", "(", "\n".join(shown)).replace(place, "~").rstrip()


if __name__ == "__main__":
    write_picture(Path(sys.argv[1]))
