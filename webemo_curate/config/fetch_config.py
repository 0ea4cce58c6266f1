"""Settings of the download of URLs."""

from typing import Annotated

from pydantic import AfterValidator

from webemo_curate.config.listing_config import INPUT
from webemo_curate.config.settings import CommaList, Flag, StageConfig, setting
from webemo_curate.credentials import holds_credentials

POLITENESS = "Politeness"


def _without_credentials(url: str) -> str:
    """Raise if a URL holds credentials, which would be stored with the workspace's settings."""
    if holds_credentials(url):
        raise ValueError("it holds credentials, which are never sent; give the URL without")
    return url


class FetchConfig(StageConfig):
    """How image URLs are downloaded."""

    limit: int | None = setting(
        None,
        ge=1,
        flag=Flag(panel=INPUT),
        description="Take N distinct URLs, in the order of a hash of the URL.",
    )
    max_bytes: int = setting(
        32 * 2**20, ge=1, description="Most bytes; a longer body is too_large."
    )
    max_redirects: int = setting(5, ge=0, description="Redirects followed for one URL.")
    placeholder_urls: int = setting(
        10, ge=2, description="A body that this many URLs share is a placeholder."
    )
    ignore_robots: bool = setting(
        False,
        flag=Flag("--ignore-robots/--heed-robots", panel=POLITENESS),
        description="Read neither robots.txt nor X-Robots-Tag.",
    )
    allow_private: bool = setting(
        False,
        flag=Flag("--allow-private/--refuse-private"),
        description="Follow redirects to private addresses.",
    )
    mirror: Annotated[str, AfterValidator(_without_credentials)] | None = setting(
        None,
        operational=True,
        flag=Flag(panel=INPUT, metavar="URL"),
        description="URL whose scheme and host replace those listed.",
    )
    concurrency: int = setting(
        8,
        operational=True,
        ge=1,
        flag=Flag(panel=POLITENESS),
        description="Connections at once, per host.",
    )
    connections: int = setting(
        256,
        operational=True,
        ge=1,
        flag=Flag(),
        description="Requests under way at once, over all hosts.",
    )
    rate: float = setting(
        20.0,
        operational=True,
        ge=0.001,
        le=1e6,
        flag=Flag(panel=POLITENESS),
        description="Requests a second, per host.",
    )
    retries: int = setting(
        4, operational=True, ge=0, flag=Flag(), description="Further attempts after the first."
    )
    timeout: float = setting(
        60.0,
        operational=True,
        ge=0.001,
        le=86_400,
        flag=Flag(),
        description="Seconds for a URL's requests and the waits between them, in a pass.",
    )
    passes: int = setting(
        2,
        operational=True,
        ge=1,
        flag=Flag(),
        description="Passes in a run; later ones retry what failed for the moment.",
    )
    patience: float = setting(
        300.0,
        operational=True,
        ge=0.001,
        le=30 * 86_400,
        flag=Flag(),
        description="Seconds without a good answer until a host is given up in a pass.",
    )
    retry_status: CommaList = setting(
        (),
        operational=True,
        flag=Flag(metavar="STATUS,..."),
        description="Try URLs of these outcomes again, such as '404,timeout'.",
    )
    repair: bool = setting(
        False,
        operational=True,
        flag=Flag("--repair"),
        description="Read every stored picture and bring back those missing or changed.",
    )
    contact: str | None = setting(
        None,
        operational=True,
        flag=Flag(panel=POLITENESS),
        description="Address that the User-Agent names for complaints.",
    )
