"""A released set, and a host on loopback that serves it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.download.site import Site, answer, running
from tests.exports.shared_set import HOST, SECOND_URL, TWICE, Drawn, drawn, fill
from webemo_curate.config import ExportConfig, PipelineConfig, override
from webemo_curate.releases.rebuild import Rebuilt, rebuild
from webemo_curate.releases.release import release
from webemo_curate.runner.work_context import WorkContext
from webemo_curate.workspace import Workspace

LICENSE = ExportConfig(license="cc-by-4.0")


@pytest.fixture(scope="session")
def pictures() -> list[Drawn]:
    return drawn()


@pytest.fixture(scope="session")
def curated(tmp_path_factory: pytest.TempPathFactory, pictures: list[Drawn]) -> Workspace:
    """A workspace with splits; tests only read it."""
    return fill(Workspace(tmp_path_factory.mktemp("curated")), pictures)


@pytest.fixture(scope="session")
def released(curated: Workspace, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Its release; tests only read it."""
    folder = tmp_path_factory.mktemp("releases") / "first"
    release(curated, folder, LICENSE)
    return folder


@pytest.fixture
def site(pictures: list[Drawn]) -> Iterator[Site]:
    """Serve every picture under its URL."""
    with running() as served:
        for one in pictures:
            served.answers[f"/{one.number}{one.suffix}"] = answer(one.content)
            if one.number == TWICE:
                served.answers[SECOND_URL.removeprefix(HOST)] = answer(one.content)
        yield served


def bring_back(
    release: Path, place: Path, site: Site, *, check_only: bool = False, accept: str = ""
) -> Rebuilt:
    """Rebuild a release from the host."""
    fetch = {
        "mirror": site.base,
        "rate": 10_000,
        "ignore_robots": True,
        "retries": 3,
        "patience": 3.0,
    }
    config = override(PipelineConfig(), {"fetch": fetch, "rebuild": {"accept": accept}})
    return rebuild(release, WorkContext(Workspace(place), config), check_only=check_only)
