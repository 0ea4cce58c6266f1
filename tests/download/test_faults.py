"""What the machine lacks stops a run; it is never the outcome of a URL."""

import asyncio
import errno
import os
import resource
from collections.abc import Iterator
from contextlib import contextmanager

import pycurl
import pytest

from tests.download.site import Site, answer, picture
from webemo_curate.download.failures import LACKS, failure
from webemo_curate.download.names import Names
from webemo_curate.download.outcome import AttemptError
from webemo_curate.download.transport import Transport
from webemo_curate.errors import CurateError
from webemo_curate.system_faults import SystemFaultError
from webemo_curate.verdicts import FetchStatus


@contextmanager
def no_descriptor_left() -> Iterator[None]:
    """Take all descriptors that the process may have."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    taken: list[int] = []
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 256), hard))
    try:
        while True:
            taken.append(os.open(os.devnull, os.O_RDONLY))
    except OSError:
        yield
    finally:
        for descriptor in taken:
            os.close(descriptor)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "no-such-host.invalid"])
def test_a_lack_of_descriptors_is_not_about_the_url(site: Site, host: str) -> None:
    site.answers = {"/a.jpg": answer(picture())}
    url = f"http://{host}:{site.server_address[1]}/a.jpg"

    async def ask() -> None:
        async with Transport("test") as transport:
            with no_descriptor_left():
                await transport.get(url, 5, 100_000, "*/*", [])

    with pytest.raises(SystemFaultError, match="ulimit -n"):
        asyncio.run(ask())


def test_a_lack_of_descriptors_at_the_start_is_said() -> None:
    with no_descriptor_left(), pytest.raises(SystemFaultError, match="ulimit -n"):
        Transport("test")


def test_a_name_is_not_unknown_because_nothing_can_be_looked_up() -> None:
    async def ask() -> None:
        with no_descriptor_left():
            await Names().addresses("localhost", 5)

    with pytest.raises(SystemFaultError, match="ulimit -n"):
        asyncio.run(ask())


@pytest.mark.parametrize("code", sorted(LACKS))
def test_what_the_system_lacks_stops_the_run(code: int) -> None:
    with pytest.raises(SystemFaultError, match=os.strerror(code)):
        failure(pycurl.E_COULDNT_CONNECT, "", code, None)


def test_memory_and_certificates_that_are_gone_stop_the_run() -> None:
    with pytest.raises(SystemFaultError, match="memory"):
        failure(pycurl.E_OUT_OF_MEMORY, "", 0, None)
    with pytest.raises(CurateError, match="make the certificates readable"):
        failure(pycurl.E_SSL_CACERT_BADFILE, "error adding trust anchors", 0, None)


def test_a_refusal_stays_the_hosts() -> None:
    failed = failure(pycurl.E_COULDNT_CONNECT, "", errno.ECONNREFUSED, None)
    assert isinstance(failed, AttemptError)
    assert failed.status is FetchStatus.CONNECTION
