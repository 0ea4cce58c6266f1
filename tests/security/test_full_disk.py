"""A disk that is full, really: one message with its remedy, and nothing torn is left.

Each case runs in a mount namespace of its own, on a tmpfs too small for what it writes.
"""

import subprocess
import sys
from pathlib import Path

import pytest

UNSHARE = ["unshare", "--user", "--map-root-user", "--mount"]
SMALL = """
import sys
from pathlib import Path
import numpy as np, pyarrow as pa
place = Path(sys.argv[1])
filler = place / "filler"
def fill(left):
    import os
    room = os.statvfs(place)
    filler.write_bytes(bytes(max(0, room.f_bavail * room.f_frsize - left)))
def told(work, *error):
    from webemo_curate.errors import CurateError
    try:
        work()
    except CurateError as error:
        assert "No space left on device" in str(error), error
        assert "free some space" in str(error), error
    else:
        raise SystemExit("nothing was said")
    torn = [path for path in place.rglob("*") if path.name.endswith(".partial")]
    assert not torn, torn
"""

CASES = {
    "manifest": """
from webemo_curate.manifest import Origin
from webemo_curate.workspace import Workspace
from tests.security.spoiled import LISTED
from tests.stages.tables import manifest
workspace = Workspace(place)
rows = [LISTED | {"line": n, "url": f"https://a.example/{n}-{hash(str(n))}"} for n in range(3000)]
table = manifest("listing", rows)
fill(8192)
told(lambda: workspace.write("listing", table, Origin("x", 1, {}, {})))
assert not workspace.has("listing")
""",
    "checkpoint": """
from webemo_curate.storage.checkpoints import Checkpoints
from webemo_curate.storage.folder import FolderStore
held = Checkpoints(FolderStore(place), "data/checkpoints/x")
table = pa.table({"x": np.random.default_rng(0).integers(0, 2**60, 20000)})
fill(8192)
told(lambda: held.save("a", table))
assert held.finished() == set()
""",
    "packing": """
from webemo_curate.dataset.packed_files import open_packed, write_packed
from webemo_curate.storage.folder import FolderStore
store = FolderStore(place)
pixels = np.zeros((20, 3, 64, 64), np.uint8)
def pack():
    with store.writing("data/packed/a.npy") as partial, partial.open("wb") as stream:
        write_packed(stream, pixels, "data/packed/a.npy")
fill(8192)
told(pack)
assert store.keys("data/packed") == []
""",
    "state": """
import torch
from webemo_curate.training.state import Progress, load_state, save_state
module = torch.nn.Linear(200, 200)
optimizer = torch.optim.Adagrad(module.parameters())
path = place / "state.safetensors"
save_state(path, {"m": module}, optimizer, {}, Progress(updates=3))
fill(8192)
told(lambda: save_state(path, {"m": module}, optimizer, {}, Progress(updates=4)))
assert load_state(path, {"m": module}, optimizer)[1].updates == 3
""",
    "events": """
from webemo_curate.training.tensorboard_events import epoch_events
def write_events():
    with epoch_events(place, 0) as write:
        fill(0)
        for epoch in range(1, 200):
            write({"epoch": epoch, "loss": 1.0})
told(write_events)
""",
    "journal": """
import errno
from webemo_curate.download.journal import Entry, Journal
from webemo_curate.download.outcome import FetchOutcome
from webemo_curate.storage.folder import FolderStore
from webemo_curate.system_faults import raise_system_fault
from webemo_curate.verdicts import FetchStatus
journal = Journal(FolderStore(place), "data/checkpoints/fetch")
added = 0
def add():
    global added
    try:
        with journal:
            fill(8192)
            while True:
                url = f"https://a.example/{added}" + "x" * 500
                journal.add(Entry(FetchOutcome(url, FetchStatus.NOT_FOUND, 404), 1))
                added += 1
    except OSError as error:
        raise_system_fault(error)
told(add)
unsettled = [entry for entry in journal.read() if not entry.is_settled]
assert len(unsettled) == added > 0, (len(unsettled), added)
""",
}
EXPORT = """
from tests.trainable import TINY, make_workspace
from tests.work import work_on
from webemo_curate.training.fit import train
import tempfile
workspace = make_workspace(Path(tempfile.mkdtemp()))
(run,) = train(TINY.model_copy(update={"epochs": 1}), work_on(workspace))
from webemo_curate.evaluation.export_network import export_run
fill(room)
told(lambda: export_run(run.folder, place / "out"))
# What is whole may stay; the card, which says that all is there, comes last.
assert {file.name for file in (place / "out").glob("*")} <= {"network.onnx"}
"""


def run_on_a_small_disk(folder: Path, code: str, size: str = "2m") -> None:
    if subprocess.run([*UNSHARE, "true"], capture_output=True, check=False).returncode:
        pytest.skip("this system gives no mount namespace")
    mount = f'mount -t tmpfs -o size={size} tmpfs "{folder}" && exec "$@"'
    command = [*UNSHARE, "/bin/sh", "-c", mount, "sh", sys.executable, "-c", SMALL + code]
    result = subprocess.run([*command, str(folder)], capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr
    assert "Traceback" not in result.stderr  # such as of a thread


@pytest.mark.parametrize("name", CASES)
def test_a_full_disk_is_said_and_tears_nothing(tmp_path: Path, name: str) -> None:
    run_on_a_small_disk(tmp_path, CASES[name])


@pytest.mark.slow
@pytest.mark.parametrize("room", [2**18, 2**20])
def test_a_full_disk_leaves_no_half_exported_network(tmp_path: Path, room: int) -> None:
    # There is room for neither of its two files, or for the first.
    run_on_a_small_disk(tmp_path, f"room = {room}\n{EXPORT}", "8m")


def test_a_read_only_place_is_said(tmp_path: Path) -> None:
    code = """
import subprocess
subprocess.run(["mount", "-o", "remount,ro", str(place)], check=True)
from webemo_curate.errors import CurateError
from webemo_curate.workspace import Workspace
workspace = Workspace(place)
assert not workspace.has("listing")
for work in (lambda: workspace.store.write("x", b""), lambda: workspace.lock().__enter__()):
    try:
        work()
    except CurateError as error:
        assert "Read-only file system" in str(error), error
    else:
        raise SystemExit("nothing was said")
"""
    run_on_a_small_disk(tmp_path, code)
