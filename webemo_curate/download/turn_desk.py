"""Pass turns on between the process that asks for one and the process that owns the host."""

from collections.abc import Callable
from dataclasses import dataclass

from webemo_curate.download.deal import Deal
from webemo_curate.download.notes import TurnEnded, TurnGiven, TurnKey, TurnWanted


@dataclass
class _Turn:
    wanted: TurnWanted
    owner: int
    given: bool = False


class TurnDesk:
    """Knows the turns that are asked for or under way, so that no death leaves one open.

    Parameters
    ----------
    deal : Deal
        Which process owns a host.
    tell : callable
        Sends a message to the process of a number.
    """

    def __init__(self, deal: Deal, tell: Callable[[int, object], None]) -> None:
        self._deal, self._tell = deal, tell
        self._turns: dict[TurnKey, _Turn] = {}

    def pass_on(self, message: TurnWanted | TurnGiven | TurnEnded) -> None:
        """Pass a message on to the process that it concerns."""
        if isinstance(message, TurnWanted):
            turn = _Turn(message, self._deal.owner(message.name))
            self._turns[message.key] = turn
            self._tell(turn.owner, message)
        elif isinstance(message, TurnGiven):
            if message.key in self._turns:
                self._turns[message.key].given = True
                self._tell(message.key.asker, message)
        elif message.key in self._turns:
            self._tell(self._turns.pop(message.key).owner, message)

    def replaced(self, own: int) -> None:
        """End the turns of a process that died; ask its successor for those not yet given."""
        for key, turn in list(self._turns.items()):
            if key.asker == own:
                del self._turns[key]
                if turn.owner != own:
                    self._tell(turn.owner, TurnEnded(key))
            elif turn.owner == own and not turn.given:
                self._tell(own, turn.wanted)
