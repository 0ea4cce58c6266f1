"""The commands, called from a script that has no main guard."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.imaging.drawn import encode, picture

SCRIPT = """
from webemo_curate.cli import app
for options in (["fetch", "--source", "set"], ["filter-text", "--dry-run"]):
    app([*options, "--workspace", "ws"], standalone_mode=False)
print("done")
"""


@pytest.mark.parametrize("how", ["file", "input"])
def test_it_works_without_a_main_guard(tmp_path: Path, how: str) -> None:
    for number in range(4):
        file = tmp_path / "set" / ("joy" if number % 2 else "sadness") / f"{number}.png"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(encode(picture(number), "PNG"))
    (tmp_path / "script.py").write_text(SCRIPT)
    given = {"file": ["script.py"], "input": ["-"]}[how]
    done = subprocess.run(
        [sys.executable, *given],
        input=SCRIPT if how == "input" else None,
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.endswith("done\n")
