"""Places without locks, or read-only: what looks works there, what writes says so in one line."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.e2e.example import EXAMPLE
from tests.exports.shared_set import fill
from tests.security.test_full_disk import UNSHARE
from webemo_curate.workspace import Workspace

CURATE = Path(sys.executable).with_name("curate")
NO_LOCKS = """
#include <errno.h>
int flock(int file, int operation) { errno = ENOLCK; return -1; }
"""
COMMANDS = """
import sys
from typer.testing import CliRunner
from webemo_curate.cli import app, entry
from webemo_curate.errors import CurateError

def end(*command):
    return CliRunner().invoke(app, [*command, "--workspace", sys.argv[1]])

for command in (["status"], ["verify", "--no-files"], ["runs"], ["config", "show"]):
    result = end(*command)
    assert not result.exit_code, (command, result.output, result.exception)
for command in (["report"], ["split", "--only"], ["config", "set", "split.seed", "4"]):
    result = end(*command)
    assert isinstance(result.exception, CurateError), (command, result.output, result.exception)
    said = str(result.exception)
    assert SAID in said and sys.argv[1] in said and len(said.splitlines()) == 1, said
"""


ON_NETWORKS = """
import sys
from pathlib import Path
from typer.testing import CliRunner
from webemo_curate.cli import app, entry
from webemo_curate.errors import CurateError

place, run, picture, out = sys.argv[1:]

def end(*command, of="trained"):
    return CliRunner().invoke(app, [*command, "--workspace", f"{place}/{of}"])

for command in (
    ["predict", run, picture, "--figure", f"{out}/figure.png", "--grad-cam"],
    ["show-augmentation", picture, "--to", f"{out}/sheet.png"],
    ["export-model", run, f"{out}/network"],
):
    result = end(*command)
    assert not result.exit_code, (command, result.output, result.exception)
for command in (
    ["export", "csv", "--to", f"{out}/lists"],
    ["export", "imagefolder", "--to", f"{out}/folders"],
    ["release", f"{out}/released", "--license", "unknown"],
):
    result = end(*command, of="whole")
    assert not result.exit_code, (command, result.output, result.exception)
for command in (["evaluate", run], ["evaluate", run, "--on", "validation"], ["pack"], ["report"]):
    result = end(*command)
    assert isinstance(result.exception, CurateError), (command, result.output, result.exception)
    said = str(result.exception)
    assert "Read-only file system" in said and place in said and len(said.splitlines()) == 1, said
assert len(list(Path(out).iterdir())) == 6
"""


@pytest.fixture
def looked_at(tmp_path: Path) -> Path:
    """Give a workspace of the example's manifests."""
    shutil.copytree(EXAMPLE, tmp_path / "ws" / "manifests")
    return tmp_path / "ws"


def run_read_only(place: Path, code: str, *arguments: object) -> None:
    """Run code where a folder is read-only, for root too."""
    if subprocess.run([*UNSHARE, "true"], capture_output=True, check=False).returncode:
        pytest.skip("this system gives no mount namespace")
    mount = f'mount --bind "{place}" "{place}" && mount -o remount,ro,bind "{place}"'
    command = [*UNSHARE, "/bin/sh", "-c", f'{mount} && exec "$@"', "sh", sys.executable, "-c", code]
    result = subprocess.run(
        [*command, str(place), *map(str, arguments)], capture_output=True, text=True, check=False
    )
    assert result.returncode == 0, result.stderr


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_in_a_read_only_workspace_networks_are_used_and_sets_given_away(
    trained: tuple[Workspace, Path], tmp_path: Path
) -> None:
    workspace, run = trained
    picture = next((workspace.root / "data/images").rglob("*.png"))
    (out := tmp_path / "out").mkdir()
    (places := tmp_path / "places").mkdir()
    fill(Workspace(places / "whole"))
    workspace.root.rename(places / "trained")
    shutil.copy(places / "trained" / picture.relative_to(workspace.root), tmp_path / "picture.png")
    before = sorted(places.rglob("*"))
    run_read_only(places, ON_NETWORKS, run.name, tmp_path / "picture.png", out)
    assert sorted(places.rglob("*")) == before


@pytest.mark.slow
def test_in_a_read_only_workspace_what_looks_works_and_what_writes_says_so(
    looked_at: Path,
) -> None:
    run_read_only(looked_at, COMMANDS.replace("SAID", "'Read-only file system'"))
    assert [path.name for path in looked_at.iterdir()] == ["manifests"]


@pytest.mark.slow
def test_without_locks_what_looks_works_and_what_writes_names_the_reason(
    looked_at: Path, tmp_path: Path
) -> None:
    if shutil.which("cc") is None or sys.platform != "linux":
        pytest.skip("no compiler for what refuses locks")
    source, library = tmp_path / "locks.c", tmp_path / "locks.so"
    source.write_text(NO_LOCKS)
    subprocess.run(["cc", "-shared", "-fPIC", "-o", library, source], check=True)
    code = COMMANDS.replace("SAID", "'with locks'").replace('["report"], ', "")
    result = subprocess.run(
        [sys.executable, "-c", code, looked_at],
        env=os.environ | {"LD_PRELOAD": str(library)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stderr
    assert not list(looked_at.rglob("*.partial"))
