"""README's terminal shows what the commands say today."""

import html
import os
import re
import sys
from pathlib import Path

import pytest

from tools.terminal_picture import COMMANDS, draw_photos, said

PICTURE = Path(__file__).parents[2] / "docs" / "terminal.svg"


def lines() -> list[str]:
    """Return the lines of the drawn terminal."""
    shown: dict[int, str] = {}
    text = PICTURE.read_text(encoding="utf-8")
    for number, part in re.findall(r"-line-(\d+)\)\"[^>]*>([^<]*)</text>", text):
        shown[int(number)] = shown.get(int(number), "") + html.unescape(part)
    return [shown[number].replace("\xa0", " ").strip() for number in sorted(shown)]


def test_it_shows_every_command_and_what_comes_next() -> None:
    shown = lines()
    assert [line for line in shown if line.startswith("$ ")] == [f"$ {each}" for each in COMMANDS]
    assert sum(line.startswith("Next: curate ") for line in shown) == len(COMMANDS)


@pytest.mark.slow
def test_its_first_command_says_the_same_today(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    programs = (str(Path(sys.executable).parent), os.environ["PATH"])
    monkeypatch.setenv("PATH", os.pathsep.join(programs))
    draw_photos(tmp_path)
    shown = lines()
    first = shown[1 : shown.index(f"$ {COMMANDS[1]}")]
    assert [line.strip() for line in said(COMMANDS[0], str(tmp_path)).splitlines()] == first
