"""The client and the settings by which a schedule asks hosts."""

from datetime import datetime
from typing import Protocol

from webemo_curate.download.outcome import Body, FetchOutcome
from webemo_curate.download.steps import Step, Turns


class Asker(Protocol):
    """Makes requests: `client.Downloader`, or a simulated web."""

    def target(self, url: str) -> str:
        """Return the URL that is asked for in place of a listed one; raises `AttemptError`."""

    async def ask(self, step: Step, seconds: float, turns: Turns) -> Body | Step:
        """Make one request within so many seconds; raises `AttemptError`."""

    async def accept(self, url: str, body: Body, attempts: int, started: datetime) -> FetchOutcome:
        """Judge and keep a body."""
