"""The protocol through which a schedule makes requests."""

from datetime import datetime
from typing import Protocol

from webemo_curate.download.outcome import Body, FetchOutcome
from webemo_curate.download.steps import Step, Turns


class Asker(Protocol):
    """Makes requests: `client.Downloader`, or a simulated web in tests and benchmarks."""

    def target(self, url: str) -> str:
        """Return the URL to request for a listed URL; raises `AttemptError`."""

    async def ask(self, step: Step, seconds: float, turns: Turns) -> Body | Step:
        """Make one request within the given number of seconds; raises `AttemptError`.

        Returns the same step if none was made, because its turn had passed when it could be.
        """

    async def accept(self, url: str, body: Body, attempts: int, started: datetime) -> FetchOutcome:
        """Examine a body and store it."""
