"""Simulate hosts without a network on a clock that jumps: hours of fetching in seconds.

`simulate` runs the real scheduler on an event loop whose time is made up: where all tasks wait,
the clock is set to the next timer. Nothing depends on how fast the machine is.
"""

import asyncio
import random
import selectors
from collections import Counter
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, TypeVar

from webemo_curate.config import FetchConfig
from webemo_curate.download.hosts import host_of
from webemo_curate.download.outcome import RETRIED, AttemptError, Body, FetchOutcome
from webemo_curate.download.schedule import Schedule
from webemo_curate.download.steps import Step, Turns
from webemo_curate.runner.conversation import run_to_end
from webemo_curate.verdicts import FetchStatus

LATENCY_SECONDS = 0.05
NOTHING = Body(b"", 200, None, "")

T = TypeVar("T")


class _Jump(selectors.BaseSelector):
    """Waits for nothing: time passes at once."""

    def __init__(self) -> None:
        self._real = selectors.DefaultSelector()
        self.now = 0.0

    def select(self, timeout: float | None = None) -> list[Any]:
        """Let the time pass for which the loop would wait."""
        if timeout is None:
            raise RuntimeError("everything waits, and no timer is set")
        self.now += timeout
        return []

    def register(self, fileobj: Any, events: int, data: Any = None) -> Any:
        """See `selectors.BaseSelector`."""
        return self._real.register(fileobj, events, data)

    def unregister(self, fileobj: Any) -> Any:
        """See `selectors.BaseSelector`."""
        return self._real.unregister(fileobj)

    def get_map(self) -> Any:
        """See `selectors.BaseSelector`."""
        return self._real.get_map()

    def close(self) -> None:
        """See `selectors.BaseSelector`."""
        self._real.close()


class _Loop(asyncio.SelectorEventLoop):
    def __init__(self) -> None:
        self._jump = _Jump()
        super().__init__(self._jump)

    def time(self) -> float:
        return self._jump.now

    def pass_time(self, seconds: float) -> None:
        self._jump.now += seconds


def pass_time(seconds: float) -> None:
    """Let made-up time pass in the midst of a callback, as work does."""
    loop = asyncio.get_running_loop()
    if not isinstance(loop, _Loop):
        raise TypeError("time is made up only by `run_at_once`")
    loop.pass_time(seconds)


def run_at_once(work: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine to its end on made-up time, which starts at 0."""
    return run_to_end(work, _Loop())


Answer = Callable[[float, str], AttemptError | None]
"""What a host does with a request for a URL at a time: None if it serves it."""


def throttled(retry_after: float | None = None) -> AttemptError:
    """Return the answer 429."""
    return AttemptError(FetchStatus.THROTTLED, "HTTP 429", 429, retry_after)


def refused() -> AttemptError:
    """Return what a host comes to that nothing listens at."""
    return AttemptError(FetchStatus.CONNECTION, "could not connect")


def well(_now: float, _url: str) -> None:
    """Serve everything."""


def refusing_at_random(share: float, retry_after: float | None = None, seed: int = 0) -> Answer:
    """Refuse a share of the URLs the first time, whatever the rate."""
    draw, met = random.Random(seed), set[str]()

    def answer(_now: float, url: str) -> AttemptError | None:
        if url in met:
            return None
        met.add(url)
        return throttled(retry_after) if draw.random() < share else None

    return answer


def metering(rate: float, burst: float, retry_after: float | None = None) -> Answer:
    """Serve from a token bucket, refuse the rest."""
    tokens, then = burst, 0.0

    def answer(now: float, _url: str) -> AttemptError | None:
        nonlocal tokens, then
        tokens, then = min(burst, tokens + (now - then) * rate), now
        if tokens < 1:
            return throttled(retry_after)
        tokens -= 1
        return None

    return answer


def down_between(start: float, end: float, error: Callable[[], AttemptError] = refused) -> Answer:
    """Fail for a while."""
    return lambda now, _url: error() if start <= now < end else None


@dataclass
class Web:
    """Simulated hosts; an `Asker`.

    Attributes
    ----------
    answers
        What each host does, by name.
    latency
        Seconds from a request to its answer.
    redirects
        Where URLs lead; no other URL leads anywhere.
    asked
        Each request: time, host, URL, and the status that came; in the order of the answers.
    """

    answers: dict[str, Answer]
    latency: float = LATENCY_SECONDS
    redirects: dict[str, str] = field(default_factory=dict)
    asked: list[tuple[float, str, str, str]] = field(default_factory=list)

    def target(self, url: str) -> str:
        """Return the URL itself."""
        return url

    async def ask(self, step: Step, seconds: float, turns: Turns) -> Body | Step:  # noqa: ARG002
        """Answer as the host does; a host that would take too long brings a timeout."""
        target = step.url
        began = asyncio.get_running_loop().time()
        await asyncio.sleep(min(self.latency, seconds))
        host = host_of(target)
        error = self.answers[host](began, target)
        if self.latency > seconds:
            error = AttemptError(FetchStatus.TIMEOUT, "operation timedout")
        self.asked.append((began, host, target, error.status if error else FetchStatus.OK))
        if error:
            raise error
        leads = self.redirects.get(target)
        return Step(leads, step.hops + 1) if leads else NOTHING

    async def accept(self, url: str, body: Body, attempts: int, started: datetime) -> FetchOutcome:
        """Take anything."""
        return FetchOutcome(
            url, FetchStatus.OK, body.http_status, attempts=attempts, started=started
        )

    def within(self, start: float, end: float, host: str | None = None) -> Counter[str]:
        """Count the answers to requests of a while, by status."""
        return Counter(
            status
            for began, name, _, status in self.asked
            if start <= began < end and host in (None, name)
        )


@dataclass
class Run:
    """A simulated run.

    Attributes
    ----------
    outcomes
        By URL, as the last pass left them.
    seconds
        What the run took, in made-up time.
    """

    outcomes: dict[str, FetchOutcome]
    seconds: float


def simulate(
    web: Web,
    urls: Sequence[str],
    config: FetchConfig,
    passes: int = 1,
    scheduler: type[Schedule] = Schedule,
    seed: int = 1,
) -> Run:
    """Fetch URLs from simulated hosts; the second pass asks for what did not end well.

    Parameters
    ----------
    web : Web
        The hosts.
    urls : sequence of str
        Distinct.
    config : FetchConfig
        Politeness.
    passes : int, default 1
        How many.
    scheduler : type, default Schedule
        Another one for another politeness.
    seed : int, default 1
        Of the waits between attempts.

    Returns
    -------
    Run
        The outcomes, and how long it took.
    """
    outcomes: dict[str, FetchOutcome] = {}

    async def work() -> float:
        schedule = scheduler(
            config, web, lambda o: outcomes.__setitem__(o.url, o), random.Random(seed)
        )
        due = list(urls)
        for _ in range(passes):
            await schedule.run(due)
            due = [url for url in urls if outcomes[url].status in RETRIED]
        return asyncio.get_running_loop().time()

    return Run(outcomes, run_at_once(work()))
