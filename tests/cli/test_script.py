"""The commands as other programs start them: without a main guard, in another encoding."""

import os
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


@pytest.mark.parametrize("encoding", ["latin-1", "ascii"])
def test_names_that_the_encoding_of_the_terminal_lacks_are_escaped(
    tmp_path: Path, encoding: str
) -> None:
    (tmp_path / "moods.yaml").write_text(
        "title: moods \U0001f600\nlevels: [mood]\nlabels: {glücklich: , שמח: }\n", encoding="utf-8"
    )
    done = subprocess.run(
        [sys.executable, "-m", "webemo_curate.cli", "taxonomy", "show", "moods.yaml"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONIOENCODING": encoding},
        capture_output=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    said = done.stdout.decode(encoding)
    assert "moods \\U0001f600" in said
    assert "\\u05e9\\u05de\\u05d7" in said
    assert ("glücklich" in said) == (encoding == "latin-1")
