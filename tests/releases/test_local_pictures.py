"""A set of local files, released: no URL gives them, whoever has the files rebuilds it."""

import shlex
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.cli.command import curate
from tests.download.site import Site
from tests.exports.shared_set import PICTURES, Drawn, drawn, fill
from tests.releases.conftest import LICENSE
from webemo_curate.config import PipelineConfig, override
from webemo_curate.errors import InputError
from webemo_curate.releases.rebuild import Rebuilt, rebuild
from webemo_curate.releases.release import Released, release
from webemo_curate.runner.work_context import WorkContext
from webemo_curate.verdicts import Split
from webemo_curate.workspace import Workspace

WHOLE_PATH = 3
"""Number of the picture that was named by its whole path."""


@dataclass(frozen=True)
class LocalDrawn(Drawn):
    """A picture that is a file; every fourth is a URL."""

    @property
    def url(self) -> str:
        if self.number % 4 == 0:
            return super().url
        place = "/home/someone/" if self.number == WHOLE_PATH else ""
        return f"file:photos/{place}{self.number}{self.suffix}"


@dataclass(frozen=True)
class LocalSet:
    """A workspace of local files, its release, and what was said."""

    workspace: Workspace
    folder: Path
    released: Released
    pictures: list[Drawn]

    def write(self, folder: Path) -> Path:
        """Write the pictures into a folder, under other names."""
        folder.mkdir()
        for one in self.pictures:
            (folder / f"mine{one.number}{one.suffix}").write_bytes(one.content)
        return folder

    def bring_back(self, place: Path, pictures: Path | None = None, mirror: str = "") -> Rebuilt:
        """Rebuild it."""
        fetch = {"mirror": mirror or None, "rate": 10_000, "ignore_robots": True, "passes": 1}
        config = override(PipelineConfig(), {"fetch": fetch, "rebuild": {"accept": "re_encoded"}})
        return rebuild(self.folder, WorkContext(Workspace(place), config), pictures=pictures)


@pytest.fixture(scope="module")
def local(tmp_path_factory: pytest.TempPathFactory) -> LocalSet:
    pictures: list[Drawn] = [
        LocalDrawn(one.number, one.content, one.suffix) for one in drawn(PICTURES)
    ]
    workspace = fill(Workspace(tmp_path_factory.mktemp("local")), pictures)
    folder = tmp_path_factory.mktemp("releases") / "local"
    return LocalSet(workspace, folder, release(workspace, folder, LICENSE), pictures)


def test_a_release_counts_local_files_and_tells_no_path(local: LocalSet) -> None:
    rows = pq.read_table(local.folder / "images.parquet").to_pylist()
    urls = [row["url"] for row in rows]
    alone = sum(row["url"].startswith("file:") and not row["urls"] for row in rows)
    assert local.released.local == alone > len(urls) / 2
    said = local.released.summary()
    assert f"{alone} of them have no URL" in said
    assert f"{local.released.decisions} other URLs and files" in said
    card = (local.folder / "README.md").read_text()
    assert f"{alone} images were local files" in card
    assert "--pictures DIR" in card
    assert not any("someone" in url for url in urls)
    assert any(url == "file:photos/3.png" for url in urls)


@pytest.mark.parametrize("form", ["folder", "table of bytes"])
def test_whoever_has_the_files_rebuilds_the_set(
    form: str, local: LocalSet, site: Site, tmp_path: Path
) -> None:
    mine = local.write(tmp_path / "mine")
    if form == "table of bytes":
        rows = [{"image": file.read_bytes()} for file in mine.iterdir()]
        mine = tmp_path / "mine.parquet"
        pq.write_table(pa.Table.from_pylist(rows), mine)
    before = len(site.heads)
    rebuilt = local.bring_back(tmp_path / "ws", mine, site.base)
    assert rebuilt.outcomes == {"identical": local.released.images}
    assert rebuilt.local == 0
    assert len(site.heads) == before
    for split in Split:
        names = ["sha256", "target", "group", "path"]
        theirs = Workspace(tmp_path / "ws").read(split, names)
        assert theirs.equals(local.workspace.read(split, names))


def test_without_the_files_they_are_dead_and_named(
    local: LocalSet, site: Site, tmp_path: Path
) -> None:
    rebuilt = local.bring_back(tmp_path / "ws", None, site.base)
    assert rebuilt.local == rebuilt.dead["not_found"] == local.released.local
    report = pq.read_table(tmp_path / "ws" / "rebuild.parquet").to_pylist()
    dead = [row for row in report if row["outcome"] == "dead"]
    assert {row["url"].startswith("file:") for row in dead} == {True}


def test_files_that_were_given_once_stay_in_a_set_that_is_rebuilt_again(
    local: LocalSet, site: Site, tmp_path: Path
) -> None:
    local.bring_back(tmp_path / "ws", local.write(tmp_path / "mine"), site.base)
    before = Workspace(tmp_path / "ws").read("train")
    again = local.bring_back(tmp_path / "ws", None, site.base)
    assert again.outcomes["identical"] >= local.released.local
    assert again.local == 0
    now = Workspace(tmp_path / "ws").read("train").to_pylist()
    files = [row for row in before.to_pylist() if row["url"].startswith("file:")]
    assert files
    assert [row for row in now if row["url"].startswith("file:")] == files


def test_a_file_of_the_name_with_other_bytes_is_compared(
    local: LocalSet, site: Site, tmp_path: Path
) -> None:
    urls = pq.read_table(local.folder / "images.parquet").to_pylist()
    row = next(row for row in urls if row["url"].startswith("file:"))
    other = next(one for one in local.pictures if one.sha256 != row["sha256"])
    mine = tmp_path / "mine"
    mine.mkdir()
    (mine / row["url"].rpartition("/")[2]).write_bytes(other.content)
    rebuilt = local.bring_back(tmp_path / "ws", mine, site.base)
    assert rebuilt.outcomes["replaced"] == 1


def test_a_place_without_pictures_is_refused(local: LocalSet, tmp_path: Path) -> None:
    table = tmp_path / "t.csv"
    table.write_text("url\nhttp://photos.example/1.jpg\n")
    with pytest.raises(InputError, match="lists no local pictures; give --pictures a folder"):
        local.bring_back(tmp_path / "ws", table)


def follow(next_of: str) -> list[str]:
    """Return the words of the next command that was named, without `curate`; empty for none."""
    lines = [line for line in next_of.splitlines() if line.startswith("Next: ")]
    return shlex.split(lines[0])[2:] if lines else []


def test_the_next_command_after_a_comparison_works(
    local: LocalSet, site: Site, tmp_path: Path
) -> None:
    mine = local.write(tmp_path / "my pictures")
    politely = ("--mirror", site.base, "--rate", 10_000, "--ignore-robots", "--passes", 1)
    place = ("--workspace", tmp_path / "ws")
    compared = curate(
        "rebuild", local.folder, "--check-only", "--pictures", mine, *politely, *place
    )
    then = follow(compared.results)
    assert then[:1] == ["rebuild"]
    rebuilt = curate(*then, *politely)
    assert rebuilt.code == 0, rebuilt
    assert Workspace(tmp_path / "ws").read("train").num_rows
    assert follow(rebuilt.results)[:1] == ["train-model"]


def test_over_a_set_of_its_own_no_rebuilding_is_proposed(
    local: LocalSet, site: Site, tmp_path: Path
) -> None:
    mine, root = local.write(tmp_path / "mine"), local.workspace.root
    checking = ("rebuild", local.folder, "--check-only", "--pictures", mine, "--workspace", root)
    compared = curate(*checking, "--mirror", site.base)
    assert compared.code == 0, compared
    assert not follow(compared.results)


def test_nothing_is_trained_on_a_set_of_which_all_is_dead(local: LocalSet, tmp_path: Path) -> None:
    nobody = ("--mirror", "http://127.0.0.1:9", "--ignore-robots", "--passes", 1, "--retries", 0)
    rebuilt = curate("rebuild", local.folder, *nobody, "--workspace", tmp_path / "ws")
    assert rebuilt.code == 0, rebuilt
    assert follow(rebuilt.results)[:1] == ["rebuild"]
