"""Sort URLs into one queue for each host."""

from collections.abc import Callable, Iterable

from webemo_curate.download.hosts import host_of
from webemo_curate.download.outcome import AttemptError, FetchOutcome
from webemo_curate.download.visit import Visit


def queued(
    urls: Iterable[str], target: Callable[[str], str], sink: Callable[[FetchOutcome], None]
) -> dict[str, list[str]]:
    """Sort URLs by the host of their first request.

    Parameters
    ----------
    urls : iterable of str
        As listed.
    target : callable
        Returns the URL to request for a listed one; see `asker.Asker.target`.
    sink : callable
        Receives the outcomes of URLs that cannot be requested.

    Returns
    -------
    dict of str to list of str
        URLs by host, in their order.
    """
    queues: dict[str, list[str]] = {}
    for url in urls:
        try:
            name = host_of(target(url))
        except AttemptError as error:
            sink(Visit(url).outcome(error))
        else:
            queues.setdefault(name, []).append(url)
    return queues
