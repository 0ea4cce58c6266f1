"""Several hosts on loopback, and a fetch of them by several processes."""

from collections import Counter
from pathlib import Path
from typing import Any

import psutil
import pyarrow as pa

from tests.download.site import Site, answer, picture
from webemo_curate.config import DecodingConfig, FetchConfig
from webemo_curate.download.journal import SUFFIX
from webemo_curate.runner.job import Runner
from webemo_curate.runner.local_runner import LocalRunner
from webemo_curate.stages.fetch import FetchStage
from webemo_curate.stages.stage import StageContext
from webemo_curate.storage.protocols import Store
from webemo_curate.workspace import Workspace


def base(site: Site) -> str:
    """Scheme, host and port of a host at an address of its own."""
    host, port = site.server_address[:2]
    return f"http://{host}:{port}"


def lay_out(hosts: list[Site], count: int) -> list[str]:
    """Give each host so many pictures, all of them different; return their URLs."""
    for place, site in enumerate(hosts):
        site.answers = {f"/{n}.jpg": answer(picture(1000 * place + n)) for n in range(count)}
    return [f"{base(site)}/{n}.jpg" for site in hosts for n in range(count)]


def fetch(
    place: Path | Store, urls: list[str], workers: int | Runner, **options: Any
) -> dict[str, dict[str, Any]]:
    """Fetch URLs with the stage in so many processes; return the manifest's rows by URL."""
    settings = {"rate": 5000, "timeout": 5, "retries": 1, "passes": 1, "max_bytes": 100_000}
    settings |= {"patience": 2.5, "placeholder_urls": 10**6}
    config = FetchConfig.model_validate(settings | options)
    runner = LocalRunner(workers) if isinstance(workers, int) else workers
    context = StageContext(Workspace(place), runner, "test")
    table = FetchStage(config, DecodingConfig()).run({"listing": pa.table({"url": urls})}, context)[
        "fetch"
    ]
    return {row["url"]: row for row in table.to_pylist()}


def owners() -> list[psutil.Process]:
    """Return the processes that own hosts: those below this one that write a journal."""
    below = psutil.Process().children(recursive=True)
    return sorted(filter(_writes_journal, below), key=lambda p: p.pid)


def _writes_journal(process: psutil.Process) -> bool:
    try:
        return any(file.path.endswith(SUFFIX) for file in process.open_files())
    except psutil.NoSuchProcess:
        return False


def targets(site: Site) -> Counter[str]:
    """Count what a host was asked for."""
    return Counter(head.split()[1] for head in site.heads)


def moved(location: str) -> bytes:
    """Write a redirect."""
    return answer(b"", b"Location: " + location.encode(), status=b"302 Found")
