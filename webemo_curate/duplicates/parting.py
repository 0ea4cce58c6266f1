"""Pictures that a person put together or keeps apart, whatever was measured of them."""

from collections.abc import Iterable

Pair = tuple[int, int]


class Parting:
    """Rows joined so far, and those that may not be: what is held apart stays so over third rows.

    Parameters
    ----------
    same : iterable of (int, int)
        Pairs that are one picture.
    different : iterable of (int, int)
        Pairs that are two. They count more: a pair of `same` that would join one of these, over
        other pairs perhaps, is refused.
    """

    def __init__(self, same: Iterable[Pair], different: Iterable[Pair]) -> None:
        self._home: dict[int, int] = {}
        self._apart: dict[int, set[int]] = {}
        self.different = list(different)
        for one, two in self.different:
            self._apart.setdefault(one, set()).add(two)
            self._apart.setdefault(two, set()).add(one)
        self.same: list[Pair] = []
        self.refused: list[Pair] = []
        for pair in same:
            if self.may_join(*pair):
                self.join(*pair)
                self.same.append(pair)
            else:
                self.refused.append(pair)

    def may_join(self, one: int, two: int) -> bool:
        """Tell whether two rows may be one picture, with all that each is joined with."""
        return self._find(two) not in self._apart.get(self._find(one), ())

    def join(self, one: int, two: int) -> None:
        """Make two rows one picture; they `may_join`."""
        kept, gone = self._find(one), self._find(two)
        if kept == gone:
            return
        self._home[gone] = kept
        for foe in self._apart.pop(gone, ()):
            self._apart[foe].discard(gone)
            self._apart[foe].add(kept)
            self._apart.setdefault(kept, set()).add(foe)

    def _find(self, row: int) -> int:
        """Return the row that stands for all that a row is joined with."""
        home = self._home
        while (above := home.get(row, row)) != row:
            home[row] = home.get(above, above)
            row = home[row]
        return row
