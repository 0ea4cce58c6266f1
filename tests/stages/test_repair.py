"""Stored pictures that are lost or changed, and `fetch --repair`."""

from pathlib import Path

from tests.download.site import Site, answer, picture, running
from webemo_curate.config import PipelineConfig, override
from webemo_curate.pipeline import Pipeline
from webemo_curate.workspace import Workspace

NUMBERS = range(4)


def run(site: Site, workspace: Workspace, stage: str, **fetch: object) -> dict[str, str | None]:
    """Run the pipeline up to a stage; return why each ran."""
    lists = workspace.root / "list.txt"
    workspace.root.mkdir(exist_ok=True)
    lists.write_text("".join(f"http://photos.example/{number}.jpg 0\n" for number in NUMBERS))
    given = {
        "listing": {"lists": [lists]},
        "fetch": {"mirror": site.base, "ignore_robots": True, "rate": 1000.0, "retries": 0} | fetch,
    }
    outcomes = Pipeline(workspace, override(PipelineConfig(), given)).run(stage)
    return {outcome.stage: outcome.reason for outcome in outcomes}


def files(workspace: Workspace) -> list[Path]:
    return [workspace.root / path for path in sorted(paths(workspace))]


def paths(workspace: Workspace) -> list[str]:
    return workspace.read("images", ["path"])["path"].to_pylist()


def statuses(workspace: Workspace) -> list[str]:
    return sorted(workspace.read("images", ["decode_status"])["decode_status"].to_pylist())


def test_what_was_missing_when_it_was_to_be_read_is_read_once_it_is_back(tmp_path: Path) -> None:
    workspace = Workspace(tmp_path)
    with running() as site:
        site.answers |= {f"/{number}.jpg": answer(picture(number)) for number in NUMBERS}
        run(site, workspace, "images")
        first, second, *_ = files(workspace)
        (tmp_path / "manifests" / "images.parquet").unlink()
        second.write_bytes(second.read_bytes()[:-1] + b"?")
        first.unlink()
        run(site, workspace, "images")
        assert statuses(workspace) == ["corrupt", "missing", "ok", "ok"]

        why = run(site, workspace, "images", repair=True)
        assert why["fetch"] == "it was asked for"
        assert why["images"] == "pictures that were missing or changed are back"
        assert statuses(workspace) == ["ok"] * len(NUMBERS)
        assert set(run(site, workspace, "images").values()) == {None}
        assert len(site.asked()) == len(NUMBERS) + 2


def test_what_cannot_be_brought_back_ends_as_its_host_says(tmp_path: Path) -> None:
    workspace = Workspace(tmp_path)
    with running() as site:
        site.answers |= {f"/{number}.jpg": answer(picture(number)) for number in NUMBERS}
        run(site, workspace, "images")
        gone = picture(2)
        (file,) = (file for file in files(workspace) if file.read_bytes() == gone)
        file.unlink()
        del site.answers["/2.jpg"]
        run(site, workspace, "images", repair=True)
        assert sorted(workspace.read("fetch", ["status"])["status"].to_pylist()) == [
            *["not_found"],
            *["ok"] * 3,
        ]
        assert statuses(workspace) == ["ok"] * 3
