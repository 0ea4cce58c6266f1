"""A helper's access to the networks, over a pipe and shared memory."""

from collections.abc import Sequence
from multiprocessing.connection import Connection

from webemo_curate.ocr.asking import Answer, Item
from webemo_curate.ocr.feeding.questions import (
    Asked,
    FailedNetworkError,
    Packer,
    Refused,
    taken,
)
from webemo_curate.runner.arena import Arena


class Link:
    """Networks that another process runs; implements `Networks`.

    Parameters
    ----------
    connection : Connection
        The pipe to that process.
    arena : Arena
        Memory shared with it; never more is under way than fits.
    """

    def __init__(self, connection: Connection, arena: Arena) -> None:
        self._connection, self._arena = connection, arena
        self._packer = Packer(arena)

    def ask(self, name: str, items: Sequence[Item]) -> list[Answer]:
        """Run a network on items; see `Networks.ask`.

        Raises
        ------
        FailedNetworkError
            If the network failed.
        """
        found: list[Answer] = []
        while len(found) < len(items):
            packed = self._packer.pack(items[len(found) :])
            self._connection.send(Asked(name, tuple(packed)))
            answered = self._connection.recv()
            if isinstance(answered, Refused):
                raise FailedNetworkError(answered.reason)
            found += [taken(answer, self._arena) for answer in answered.answers]
        return found
