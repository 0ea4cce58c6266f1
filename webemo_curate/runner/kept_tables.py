"""Finished partitions in memory, for a job within a job."""

import pyarrow as pa


class KeptTables:
    """Tables by name; implements `runner.job.Finished`."""

    def __init__(self) -> None:
        self._tables: dict[str, pa.Table] = {}

    def finished(self) -> set[str]:
        """Return the names of the stored tables."""
        return set(self._tables)

    def save(self, name: str, table: pa.Table) -> None:
        """Store a table under a name."""
        self._tables[name] = table

    def load(self, name: str) -> pa.Table | None:
        """Return a table; None if it is not there."""
        return self._tables.get(name)
