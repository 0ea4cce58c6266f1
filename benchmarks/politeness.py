"""Measure how hosts of each kind are fetched: share of the rate, share refused, URLs brought.

    python -m benchmarks.politeness               # simulated, a clock that jumps; then loopback
    python -m benchmarks.politeness --urls 267441 # a host of WEBEmo's size, hours of it

Beside ours: the rule before, which halved the rate at each refusal and let it grow by 2 % with
each good answer; and none at all, as img2dataset has it by default (no rate, no second try).
"""

import argparse
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pyarrow as pa

from benchmarks.fetch_listing import Server
from benchmarks.simulated_hosts import (
    Answer,
    Web,
    down_between,
    metering,
    refusing_at_random,
    simulate,
    throttled,
)
from webemo_curate.config import DecodingConfig, FetchConfig
from webemo_curate.download.limiter import Answer as Told
from webemo_curate.download.limiter import HostLimiter, Kind
from webemo_curate.download.schedule import Schedule
from webemo_curate.runner.local_runner import LocalRunner
from webemo_curate.stages.fetch import FetchStage
from webemo_curate.stages.stage import StageContext
from webemo_curate.verdicts import FetchStatus
from webemo_curate.workspace import Workspace

HOST = "host.example"
RATE = 20.0
METERED = 5.0
LOOPBACK_RATE = RATE
LOOPBACK_URLS = 1500


class Halving(HostLimiter):
    """The rule before: each refusal halves the rate and rests the host; no host is given up."""

    def __init__(self, rate: float, concurrency: int, patience: float, now: float) -> None:
        super().__init__(rate, concurrency, patience, now)
        self._full = self._now_rate = rate
        self._next = self._resting = now
        self._slots = concurrency

    def ready_at(self) -> float:
        """See `HostLimiter`."""
        return float("inf") if self.under_way >= self._slots else self._next

    def begin(self, now: float) -> None:
        """See `HostLimiter`."""
        self.under_way += 1
        self._next = max(self._next, now - 1 / self._now_rate) + 1 / self._now_rate

    def end(self, now: float, began: float, answer: Told) -> None:  # noqa: ARG002
        """See `HostLimiter`."""
        self.under_way -= 1
        if answer.kind is Kind.GOOD:
            self._now_rate = min(self._now_rate * 1.02, self._full)
        elif answer.reason.startswith("HTTP"):
            if now >= self._resting:
                self._now_rate = max(self._now_rate / 2, self._full / 64)
            pause = 1.0 if answer.retry_after is None else answer.retry_after
            self._resting = max(self._resting, now + pause)
            self._next = max(self._next, self._resting)

    def is_hopeless(self, now: float) -> bool:  # noqa: ARG002
        """See `HostLimiter`."""
        return False


class Unlimited(Halving):
    """No politeness but a number of slots."""

    def end(self, now: float, began: float, answer: Told) -> None:  # noqa: ARG002
        """See `HostLimiter`."""
        self.under_way -= 1


class UnlimitedSchedule(Schedule):
    """The scheduler without politeness."""

    limiter_type = Unlimited


class HalvingSchedule(Schedule):
    """The scheduler with the rule before."""

    limiter_type = Halving


TEMPERS: dict[str, tuple[Callable[[], Answer], float]] = {
    "serves all": (lambda: lambda *_: None, RATE),
    "refuses 3 % once": (partial(refusing_at_random, 0.03), RATE),
    "the same, Retry-After: 5": (partial(refusing_at_random, 0.03, 5.0), RATE),
    "refuses 10 % once": (partial(refusing_at_random, 0.1), RATE),
    "meters 5/s, burst 1": (partial(metering, METERED, 1.0), METERED),
    "meters 5/s, burst 5": (partial(metering, METERED, 5.0), METERED),
    "meters 5/s, burst 20": (partial(metering, METERED, 20.0), METERED),
    "down for a minute": (partial(down_between, 2.0, 62.0), RATE),
    "one Retry-After of a day": (
        lambda: lambda _, url: throttled(86_400.0) if url.endswith("/99") else None,
        RATE,
    ),
}
"""What a host does, and the requests a second it bears (of the rate given)."""

RULES: dict[str, tuple[type[Schedule], int, dict[str, float]]] = {
    "ours": (Schedule, 2, {}),
    "halving": (HalvingSchedule, 1, {}),
    "none": (UnlimitedSchedule, 1, {"rate": 10_000.0, "retries": 0, "concurrency": 32}),
}
"""Scheduler, passes, settings."""


def main() -> None:
    """Print a row a temper and rule."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--urls", type=int, default=3000)
    parser.add_argument("--rules", nargs="+", default=list(RULES), choices=list(RULES))
    arguments = parser.parse_args()
    print(f"simulated: {arguments.urls} URLs of one host, {RATE:g}/s given")
    print(f"{'host':26}{'rule':9}{'of its rate':>12}{'refused':>9}{'brought':>9}{'hours':>8}")
    for name, (make, bears) in TEMPERS.items():
        for rule in arguments.rules:
            _simulated(name, make(), bears, rule, arguments.urls)
    with tempfile.TemporaryDirectory() as folder:
        _loopback(Path(folder))


def _simulated(name: str, answer: Answer, bears: float, rule: str, count: int) -> None:
    scheduler, passes, settings = RULES[rule]
    config = FetchConfig.model_validate({"rate": RATE} | settings)
    web = Web({HOST: answer})
    urls = [f"http://{HOST}/{number}" for number in range(count)]
    run = simulate(web, urls, config, passes, scheduler)
    statuses = Counter(outcome.status for outcome in run.outcomes.values())
    asked = Counter(status for _, _, _, status in web.asked)
    brought = statuses[FetchStatus.OK] / count
    print(
        f"{name:26}{rule:9}{brought * count / run.seconds / bears:12.2f}"
        f"{1 - asked[FetchStatus.OK] / asked.total():9.1%}{brought:9.2%}{run.seconds / 3600:8.2f}"
    )


class _Refusing(BaseHTTPRequestHandler):
    """Refuses 3 % of the paths once."""

    protocol_version = "HTTP/1.1"
    pictures = Server()
    answer = refusing_at_random(0.03)
    refused = 0

    def do_GET(self) -> None:
        error = None if self.path == "/robots.txt" else _Refusing.answer(0.0, self.path)
        _Refusing.refused += error is not None
        body = b"" if error else self.pictures.picture(self.path)
        self.send_response(503 if error else 200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


def _loopback(folder: Path) -> None:
    """Fetch from a real server that refuses 3 % once."""
    with ThreadingHTTPServer(("127.0.0.1", 0), _Refusing) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        urls = [f"http://127.0.0.1:{server.server_port}/{n}.jpg" for n in range(LOOPBACK_URLS)]
        config = FetchConfig(rate=LOOPBACK_RATE)
        context = StageContext(Workspace(folder), LocalRunner(1), "benchmark")
        began = time.monotonic()
        table = FetchStage(config, DecodingConfig()).run(
            {"listing": pa.table({"url": urls})}, context
        )["fetch"]
        seconds = time.monotonic() - began
        server.shutdown()
    brought = table["status"].to_pylist().count(FetchStatus.OK)
    print(
        f"loopback: {LOOPBACK_URLS} URLs at {LOOPBACK_RATE:g}/s, {_Refusing.refused} refused once: "
        f"{brought} brought at {brought / seconds / LOOPBACK_RATE:.2f} of the rate"
    )


if __name__ == "__main__":
    main()
