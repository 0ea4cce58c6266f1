"""Messages between the processes of a fetch; the one that deals out the hosts passes them on."""

from dataclasses import dataclass
from typing import NamedTuple

import pyarrow as pa

from webemo_curate.download.limiter import Answer
from webemo_curate.download.outcome import AttemptError, FetchOutcome
from webemo_curate.download.visit import Visit


@dataclass(frozen=True)
class PassBegins:
    """Another pass over the hosts begins; URLs follow.

    Attributes
    ----------
    number
        Number of the pass, from 1.
    """

    number: int


@dataclass(frozen=True)
class Dealt:
    """URLs of hosts that the process owns.

    Attributes
    ----------
    rows
        See `queues.Queues`. Rows of a host may come in several messages, one after the other.
    """

    rows: pa.Table


@dataclass(frozen=True)
class Handed:
    """A URL on its way, handed to the process that owns the host of its next request.

    Attributes
    ----------
    visit
        The URL and its state.
    name
        The host.
    wait
        Seconds until the request is due.
    """

    visit: Visit
    name: str
    wait: float = 0.0


@dataclass(frozen=True)
class PassEnds:
    """All URLs of the pass have ended."""


@dataclass(frozen=True)
class End:
    """The fetch is over.

    Attributes
    ----------
    settle
        Whether to wait until all images are safely in place.
    """

    settle: bool = True


class Result(NamedTuple):
    """A URL's outcome after a pass, already in its process's journal.

    Attributes
    ----------
    outcome
        The outcome, merged with those of earlier passes.
    held
        Seconds for which `Retry-After` holds the URL.
    """

    outcome: FetchOutcome
    held: float = 0.0


@dataclass(frozen=True)
class Ended:
    """Outcomes, in the order in which they were found."""

    results: list[Result]


@dataclass(frozen=True)
class Settled:
    """The images of so many further outcomes are safely in their place, in the order told."""

    outcomes: int


@dataclass(frozen=True)
class Troubles:
    """A line for each slow host of the process."""

    lines: list[str]


@dataclass(frozen=True)
class Logged:
    """A line for the log, of a level of `logging`."""

    level: int
    line: str


@dataclass(frozen=True)
class SignedOff:
    """The process has ended its work; this is its last message."""


class TurnKey(NamedTuple):
    """A turn that one process asks of another's host.

    Attributes
    ----------
    asker
        Number of the asking process.
    number
        Number of the turn in that process.
    """

    asker: int
    number: int


@dataclass(frozen=True)
class TurnWanted:
    """A request for a turn at a host, as for the robots.txt that another host's redirects to."""

    key: TurnKey
    name: str


@dataclass(frozen=True)
class TurnGiven:
    """The answer of the owner: the turn has come; with an error, the host was given up."""

    key: TurnKey
    error: AttemptError | None = None


@dataclass(frozen=True)
class TurnEnded:
    """The request of a turn has ended, or nobody wants the turn any more.

    Attributes
    ----------
    key
        The turn.
    answer
        What the request says about the host; None if there was none.
    error
        Its failure.
    """

    key: TurnKey
    answer: Answer | None = None
    error: AttemptError | None = None
