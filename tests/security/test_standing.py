"""An outcome depends on what decided it: with other rules the URL is asked for again."""

from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from tests.download.site import Site, answer, picture
from webemo_curate.config import DecodingConfig, FetchConfig
from webemo_curate.manifest import Origin
from webemo_curate.runner.local_runner import LocalRunner
from webemo_curate.stages.fetch import FetchStage
from webemo_curate.stages.stage import StageContext
from webemo_curate.workspace import Workspace

ROBOTS = b"User-agent: *\nDisallow: /no"


def fetch(folder: Path, urls: list[str], **options: Any) -> dict[str, str]:
    """Fetch as the pipeline does: with the manifest under its configuration; return statuses."""
    decoding = DecodingConfig(max_pixels=options.pop("max_pixels", 10**6))
    config = FetchConfig.model_validate({"rate": 1000, "retries": 0, "passes": 1} | options)
    workspace = Workspace(folder)
    listing = {"listing": pa.table({"url": urls})}
    stage = FetchStage(config, decoding)
    table = stage.run(listing, StageContext(workspace, LocalRunner(1), "test"))["fetch"]
    origin = Origin("fetch", stage.version, stage.configuration(), {})
    workspace.write("fetch", table, origin)
    return dict(zip(table["url"].to_pylist(), table["status"].to_pylist(), strict=True))


@pytest.fixture
def urls(site: Site) -> list[str]:
    small, large = picture(), picture(1) + bytes(5000)
    moved = answer(b"", b"Location: /yes.jpg", status=b"302 Found")
    site.answers = {
        "/robots.txt": answer(ROBOTS),
        "/yes.jpg": answer(small),
        "/no.jpg": answer(small),
        "/large.jpg": answer(large),
        "/moved.jpg": moved,
        "/gone.jpg": answer(status=b"410 Gone"),
    }
    return [site.base + path for path in site.answers if path != "/robots.txt"]


CHANGES: list[tuple[dict[str, Any], dict[str, Any], bool]] = [
    ({}, {"ignore_robots": True}, False),
    ({"ignore_robots": True}, {}, True),
    ({}, {"max_bytes": 3000}, True),
    ({"max_bytes": 3000}, {}, False),
    ({"placeholder_urls": 2}, {"placeholder_urls": 3}, False),
]
MORE: list[tuple[dict[str, Any], dict[str, Any], bool]] = [
    ({}, {"max_pixels": 100}, False),
    ({"max_pixels": 100}, {}, True),
    ({}, {"max_redirects": 0}, True),
    ({"max_redirects": 0}, {}, False),
    ({}, {"placeholder_urls": 2}, True),
    ({"placeholder_urls": 2}, {}, False),
]


@pytest.mark.parametrize(
    ("before", "after", "killed"),
    CHANGES + [pytest.param(*change, marks=pytest.mark.slow) for change in MORE],
)
def test_a_changed_rule_gives_what_a_fresh_run_gives(
    tmp_path: Path, urls: list[str], before: dict[str, Any], after: dict[str, Any], killed: bool
) -> None:
    was = fetch(tmp_path / "ws", urls, **before)
    if killed:  # then the journal is all there is
        Workspace(tmp_path / "ws").manifest_path("fetch").unlink()
    else:
        Workspace(tmp_path / "ws").store.remove("data/checkpoints/fetch")
    now = fetch(tmp_path / "ws", urls, **after)
    assert now == fetch(tmp_path / "fresh", urls, **after)
    assert was != now or {*before, *after} == {"placeholder_urls"}


def test_nothing_is_asked_again_for_a_rule_that_did_not_decide(
    tmp_path: Path, site: Site, urls: list[str]
) -> None:
    fetch(tmp_path, urls)
    site.heads.clear()
    fetch(tmp_path, urls, max_bytes=10**8, placeholder_urls=5, max_redirects=9)
    assert site.asked() == []
    fetch(tmp_path, urls, ignore_robots=True)
    assert site.asked() == ["/no.jpg"]
