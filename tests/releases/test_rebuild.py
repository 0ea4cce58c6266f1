"""A release rebuilt from a host that has lost, changed and replaced pictures: as planned."""

import hashlib
import json
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow.parquet as pq
import pytest

from tests.download.site import Site
from tests.exports.shared_set import SECOND_URL, TWICE, Drawn
from tests.releases.conftest import bring_back
from tests.releases.planted_faults import plant
from webemo_curate.config import ExportConfig
from webemo_curate.errors import InputError
from webemo_curate.releases.files import SUMS, write_parquet, write_sums
from webemo_curate.releases.rebuild import Rebuilt
from webemo_curate.releases.release import release
from webemo_curate.rooted import regular_digest
from webemo_curate.verdicts import Split
from webemo_curate.verification import verify
from webemo_curate.workspace import Workspace

CURATE = Path(sys.executable).with_name("curate")


def rows_of(workspace: Workspace) -> dict[str, dict[str, object]]:
    return {row["sha256"]: row for split in Split for row in workspace.read(split).to_pylist()}


def images_of(release: Path) -> list[dict[str, object]]:
    return pq.read_table(release / "images.parquet").to_pylist()


def test_all_alive_the_splits_have_the_digests_of_those_released(
    curated: Workspace, released: Path, site: Site, tmp_path: Path
) -> None:
    rebuilt = bring_back(released, tmp_path, site)
    assert rebuilt.outcomes == {"identical": len(images_of(released))}
    for split in Split:
        ours, theirs = Workspace(tmp_path).info(split), curated.info(split)
        assert ours
        assert theirs
        assert (ours.digest, ours.classes) == (theirs.digest, theirs.classes)
    for row in rows_of(curated).values():
        content = (tmp_path / str(row["path"])).read_bytes()
        assert hashlib.sha256(content).hexdigest() == row["sha256"]
    assert not (tmp_path / "data" / "rebuild").exists()


def test_the_outcomes_are_those_planned(
    curated: Workspace, released: Path, site: Site, tmp_path: Path, pictures: list[Drawn]
) -> None:
    plan = plant(site, pictures, images_of(released))
    assert set(plan.outcomes.values()) == {
        *("identical", "same_pixels", "re_encoded", "replaced", "dead", "substitute")
    }
    rebuilt = bring_back(released, tmp_path, site)
    report = pq.read_table(tmp_path / "rebuild.parquet").to_pylist()
    assert {row["sha256"]: row["outcome"] for row in report} == plan.outcomes
    assert {row["sha256"]: row["status"] for row in report} == plan.statuses
    assert all(row["date"] for row in report)
    assert pd.read_parquet(tmp_path / "rebuild.parquet")["http_status"].dtype == "Int16"
    twice = {row["sha256"]: row["url"] for row in report}[pictures[TWICE].sha256]
    assert twice == SECOND_URL
    kept = {sha256 for sha256, outcome in plan.outcomes.items() if outcome == "identical"}
    before = rows_of(curated)
    assert rows_of(Workspace(tmp_path)) == {sha256: before[sha256] for sha256 in kept}
    stored = {file.stem for file in (tmp_path / "data" / "images").rglob("*.*")}
    assert stored == kept
    check_shares(rebuilt, report)
    for split, shares in rebuilt.shares.items():
        assert sum(shares.released.values()) == curated.read(split).num_rows
        assert sum(shares.now.values()) == Workspace(tmp_path).read(split).num_rows


def check_shares(rebuilt: Rebuilt, report: list[dict[str, Any]]) -> None:
    """See that what is told of the classes is what the rows of the report come to."""
    classes = ("others", "sadness")
    for split, shares in rebuilt.shares.items():
        for told, rows in (
            (shares.released, report),
            (shares.now, [row for row in report if row["outcome"] == "identical"]),
        ):
            mine = Counter(classes[row["target"]] for row in rows if row["split"] == split)
            assert mine == Counter(told)


def test_what_is_accepted_enters_with_what_was_found(
    curated: Workspace, released: Path, site: Site, tmp_path: Path, pictures: list[Drawn]
) -> None:
    plan = plant(site, pictures, images_of(released))
    accepted = ("same_pixels", "re_encoded", "substitute")
    bring_back(released, tmp_path, site, accept=",".join(accepted))
    report = pq.read_table(tmp_path / "rebuild.parquet").to_pylist()
    found = {row["sha256"]: row["found_sha256"] for row in report}
    rebuilt, before = rows_of(Workspace(tmp_path)), rows_of(curated)
    for sha256, outcome in plan.outcomes.items():
        there = outcome in (*accepted, "identical")
        assert (found[sha256] in rebuilt) == there
        if there:
            row = rebuilt[found[sha256]]
            content = (tmp_path / str(row["path"])).read_bytes()
            assert hashlib.sha256(content).hexdigest() == row["sha256"]
            assert [row[key] for key in ("label", "target", "group")] == [
                before[sha256][key] for key in ("label", "target", "group")
            ]


def test_checking_alone_keeps_no_picture(
    curated: Workspace, released: Path, site: Site, pictures: list[Drawn], tmp_path: Path
) -> None:
    plan = plant(site, pictures, images_of(released))
    rebuilt = bring_back(released, tmp_path, site, check_only=True)
    assert rebuilt.entered is None
    report = pq.read_table(tmp_path / "rebuild.parquet").to_pylist()
    assert {row["sha256"]: row["outcome"] for row in report} == plan.outcomes
    files = {file.name for file in tmp_path.rglob("*") if file.is_file()}
    assert files == {"rebuild.parquet", "lock"}
    assert curated.has("train")


@pytest.mark.parametrize("check_only", [True, False])
def test_a_released_picture_under_anothers_url_is_told_from_it(
    released: Path, site: Site, pictures: list[Drawn], tmp_path: Path, check_only: bool
) -> None:
    one, other = (f"/{drawn.number}{drawn.suffix}" for drawn in pictures[10:12])
    site.answers[one] = site.answers[other]
    rebuilt = bring_back(released, tmp_path, site, check_only=check_only)
    assert rebuilt.outcomes == {"identical": len(images_of(released)) - 1, "replaced": 1}


def _lines(file: Path) -> int:
    return file.read_bytes().count(b"\n")


def test_a_killed_check_goes_on_without_the_pictures_it_did_not_keep(
    released: Path, site: Site, tmp_path: Path
) -> None:
    command = [
        *(CURATE, "rebuild", released, "--workspace", tmp_path, "--mirror", site.base),
        *("--rate", "8", "--ignore-robots", "--check-only"),
    ]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    while not (noted := sum(_lines(file) - 1 for file in tmp_path.rglob("*.jsonl"))) > 0:
        assert process.poll() is None
        time.sleep(0.05)
    process.kill()
    process.wait()
    asked = len(site.asked())
    assert not [*tmp_path.rglob("*.png"), *tmp_path.rglob("*.jpg")]
    rebuilt = bring_back(released, tmp_path, site, check_only=True)
    assert rebuilt.outcomes == {"identical": len(images_of(released))}
    assert len(site.asked()) <= asked + len(images_of(released)) - noted


def test_other_urls_are_asked_only_where_the_first_fails(
    released: Path, site: Site, tmp_path: Path
) -> None:
    bring_back(released, tmp_path, site)
    asked = [target.removeprefix("/") for target in site.asked()]
    assert len(asked) == len(set(asked)) == len(images_of(released))


def test_a_rebuilt_set_is_verified_by_itself(released: Path, site: Site, tmp_path: Path) -> None:
    bring_back(released, tmp_path, site)
    workspace = Workspace(tmp_path)
    assert verify(workspace) == []
    with pytest.raises(InputError, match="rebuilt from a release; hand on that release"):
        release(workspace, tmp_path / "again", ExportConfig(license="CC0"))
    path = workspace.read("train")["path"][0].as_py()
    (tmp_path / path).write_bytes(b"spoiled")
    (problem,) = verify(workspace)
    assert path in problem
    assert "curate rebuild" in problem


@pytest.mark.slow
def test_a_rebuilt_set_is_trained_on(released: Path, site: Site, tmp_path: Path) -> None:
    bring_back(released, tmp_path, site)
    said = subprocess.run(
        [CURATE, "status", "--workspace", tmp_path], capture_output=True, text=True, check=True
    )
    assert f"Next: curate train-model --workspace {tmp_path}" in said.stdout + said.stderr
    small = ["--from-scratch", "--epochs", "1", "--image-size", "32", "--device", "cpu"]
    done = subprocess.run(
        [CURATE, "train-model", "--workspace", tmp_path, *small],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr


def test_a_set_curated_here_is_not_written_over(
    curated: Workspace, released: Path, site: Site
) -> None:
    with pytest.raises(InputError, match="holds a set of its own"):
        bring_back(released, curated.root, site)


@pytest.mark.parametrize("name", ["images.parquet", "decisions.parquet", "README.md"])
def test_a_release_that_was_changed_is_refused(
    released: Path, site: Site, tmp_path: Path, name: str
) -> None:
    mine = tmp_path / "mine"
    mine.mkdir()
    for file in released.iterdir():
        (mine / file.name).write_bytes(file.read_bytes())
    with (mine / name).open("ab") as stream:
        stream.write(b" ")
    with pytest.raises(InputError, match=f"{name}: is not what {SUMS} says"):
        bring_back(mine, tmp_path / "ws", site)
    (mine / name).unlink()
    with pytest.raises(InputError, match=f"{name}: the release lacks it"):
        bring_back(mine, tmp_path / "ws", site)


@pytest.mark.parametrize(
    ("column", "value"),
    [("sha256", "../../../etc/cron.d/x"), ("split", "../x"), ("target", 9), ("label", None)],
)
def test_rows_that_can_be_of_no_set_are_refused(
    released: Path, site: Site, tmp_path: Path, column: str, value: object
) -> None:
    mine = tmp_path / "mine"
    mine.mkdir()
    for file in released.iterdir():
        (mine / file.name).write_bytes(file.read_bytes())
    table = pq.read_table(mine / "images.parquet")
    rows = table.to_pylist()
    rows[0][column] = value
    write_parquet(type(table).from_pylist(rows, schema=table.schema), mine / "images.parquet")
    write_sums(mine)
    with pytest.raises(InputError, match=r"images\.parquet: "):
        bring_back(mine, tmp_path / "ws", site)


def test_the_command_tells_outcomes_and_shares(
    released: Path, site: Site, tmp_path: Path, pictures: list[Drawn]
) -> None:
    plan = plant(site, pictures, images_of(released))
    done = subprocess.run(
        [
            *(CURATE, "rebuild", released, "--workspace", tmp_path, "--mirror", site.base),
            *("--rate", "10000", "--ignore-robots", "--retries", "3", "--passes", "2", "--json"),
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout.splitlines()[-1])
    counts = {
        name: list(plan.outcomes.values()).count(name) for name in set(plan.outcomes.values())
    }
    assert told["outcomes"] == counts
    assert told["entered"] == counts["identical"]
    assert "others " in done.stderr
    assert " -> " in done.stderr


@pytest.mark.slow
def test_killed_it_goes_on_and_asks_for_little_twice(
    curated: Workspace, released: Path, site: Site, tmp_path: Path
) -> None:
    command = [
        *(CURATE, "rebuild", released, "--workspace", tmp_path, "--mirror", site.base),
        *("--rate", "8", "--ignore-robots", "--passes", "1"),
    ]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    while len(site.asked()) < 10:
        assert process.poll() is None
        time.sleep(0.05)
    process.kill()
    process.wait()
    assert not Workspace(tmp_path).has("train"), "nothing looks whole"
    assert not (tmp_path / "rebuild.parquet").exists()
    bring_back(released, tmp_path, site)
    for split in Split:
        ours, theirs = Workspace(tmp_path).info(split), curated.info(split)
        assert ours
        assert theirs
        assert ours.digest == theirs.digest
    assert len(site.asked()) < 2 * len(images_of(released))


def test_digests_of_a_release_are_those_of_its_sums(released: Path) -> None:
    lines = (released / SUMS).read_text().splitlines()
    for line in lines:
        sha256, name = line.split("  ")
        assert regular_digest(released / name) == sha256
