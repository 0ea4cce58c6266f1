"""SQL over whole tables: DuckDB within a bound of memory, which spills into the workspace.

Inputs are manifests, read with their pages' checksums; a result is a file of the spill folder,
mapped into memory: what a stage holds of a table does not grow with its rows. The system drops
mapped pages when it needs the room.
"""

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from errno import ENOMEM
from itertools import chain
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Final, Self

import pyarrow as pa

from webemo_curate.engine_bounds import default_memory, default_threads
from webemo_curate.engine_files import check_file, make_view, readable_files
from webemo_curate.errors import CurateError
from webemo_curate.manifest import ROW_GROUP_ROWS, read_manifest
from webemo_curate.manifest_store import SPILLS
from webemo_curate.rooted import below
from webemo_curate.storage.whole_folder import hidden_folder
from webemo_curate.system_faults import GO_ON, lacking, lacking_space, raise_system_fault
from webemo_curate.temporary_folder import temporary_folder

if TYPE_CHECKING:
    import pyarrow.dataset as ds

Settings = dict[str, str | bool | int | float | list[str]]

SHUT: Final[Settings] = {
    "autoinstall_known_extensions": False,
    "autoload_known_extensions": False,
    "python_enable_replacements": False,
    "preserve_insertion_order": False,
}
"""Nothing is downloaded, no variable of ours is taken for a table, and order is what is asked."""

INTERRUPTED: Final = "Query interrupted"

OUT_OF_BOUND: Final = "Out of Memory Error"
"""How DuckDB says that its bound is too small; Arrow passes it on as an error of its own."""

OFFLOADING: Final = "failed to offload"
"""How DuckDB says that what it spills has no room on the disk."""

STARVED: Final = ("Allocation failure", "bad_alloc", "temporarily unavailable")
"""How DuckDB says that the machine has no more memory for it, or for another thread."""

NO_BAR: Final = "set enable_progress_bar = false"
"""Refused in a notebook that has no widgets to draw a bar with: then there is none either."""

LATER_SHUT: Final = (
    "set enable_external_access = false",
    "set lock_configuration = true",
)
"""Settings of an open connection: queries reach no file but the inputs, and change none of this."""

Tables = Mapping[str, "pa.Table | ds.Dataset"]


@contextmanager
def _spill_folder(root: Path) -> Iterator[Path]:
    """Give a folder for what a command spills: in the workspace, or with the system's own.

    The latter where the workspace is read-only: a command that only looks works there too.
    """
    place = below(root, SPILLS)
    home = place.parent
    there = home.exists()
    writable = os.access(next(filter(Path.exists, (home, *home.parents))), os.W_OK)
    try:
        with hidden_folder((home if writable else temporary_folder()) / place.name) as at:
            yield at
    finally:
        if not there:  # a command that only looks leaves manifests without data as it found them
            with suppress(OSError):
                home.rmdir()


class TableEngine:
    """One stage's tables and the queries over them; a context manager.

    Parameters
    ----------
    root : Path
        Local folder of the workspace.
    tables : Mapping of str to (pa.Table or Dataset)
        What queries name: manifests of `scan_manifest`, or tables.
    memory : int, optional
        Bytes it holds at most, besides some batches on their way; default a quarter of the
        machine's memory.
    threads : int, optional
        Default the cores that this process may use, or fewer where `memory` has no room
        for them all (`default_threads`); they change no result.
    """

    def __init__(
        self, root: Path, tables: Tables, memory: int | None = None, threads: int | None = None
    ) -> None:
        self._root, self._tables, self._made = root, tables, 0
        bound = memory or default_memory()
        self._settings: Settings = SHUT | {
            "memory_limit": f"{bound}B",
            "threads": threads or default_threads(bound),
        }

    def __enter__(self) -> Self:
        import duckdb  # it loads pandas, which workers that run no query need not wait for

        with ExitStack() as opened:
            self._folder = opened.enter_context(_spill_folder(self._root))
            place: Settings = {"temp_directory": str(self._folder / "engine")}
            with self._explained():
                self._connection = duckdb.connect(config=self._settings | place)
                opened.callback(self._connection.close)
                with suppress(duckdb.InvalidInputException):
                    self._connection.execute(NO_BAR)
                self._files = readable_files(self._tables)
                files = {"files": [*self._files.values()]}
                self._connection.execute("set allowed_paths = $files", files)
                for setting in LATER_SHUT:
                    self._connection.execute(setting)
                for name, table in self._tables.items():
                    self.add(name, table)
            self._opened = opened.pop_all()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._opened.__exit__(kind, error, trace)

    def add(self, name: str, table: "pa.Table | ds.Dataset") -> None:
        """Let queries name a table."""
        file = self._files.get(name)
        if not (file and make_view(self._connection, name, file, table.schema)):
            self._connection.register(name, table)

    def make(self, sql: str, **given: Any) -> None:
        """Run a statement, such as `create table`; `$name` stands for what is given."""
        with self._explained():
            self._connection.execute(sql, given or None)

    def drop(self, name: str) -> None:
        """Forget a table that was made, and give its room back."""
        self.make(f"drop table {name}")

    def rows(self, sql: str, **given: Any) -> list[tuple[Any, ...]]:
        """Return the rows of a query that has few."""
        with self._explained():
            return self._connection.execute(sql, given or None).fetchall()

    def count(self, name: str) -> int:
        """Return how many rows a table has."""
        return int(self._connection.table(name).count("*").fetchall()[0][0])

    def table(self, sql: str, parts: Sequence[Mapping[str, Any]] = ({},), **given: Any) -> pa.Table:
        """Return the rows of a query as a table that lies on the disk.

        Parameters
        ----------
        sql : str
            The query; its `order by` is the order of the rows.
        parts : sequence of Mapping of str to Any, optional
            What further names stand for: the query is run for each, and rows follow one another.
        **given : Any
            What stands for `$name`.

        Returns
        -------
        pa.Table
            In chunks of a row group, mapped; it outlives the engine and its folder.
        """
        self._made += 1
        file = self._folder / f"{self._made}.arrow"
        with self._explained(), ExitStack() as opened:
            first, *others = (self._reader(sql, {**given, **part}) for part in parts)
            reader = opened.enter_context(first)
            rest = (batch for other in others for batch in opened.enter_context(other))
            _stage(reader.schema, chain(reader, rest), file)
        return _mapped(file)

    @contextmanager
    def _reader(self, sql: str, given: Mapping[str, Any]) -> Iterator[pa.RecordBatchReader]:
        rows = self._connection.sql(sql, params=given or None)
        with rows.to_arrow_reader(ROW_GROUP_ROWS) as reader:
            yield reader

    @contextmanager
    def _explained(self) -> Iterator[None]:
        """Say of an error whose it is: an input's, the machine's, or the bound's on memory."""
        import duckdb

        try:
            yield
        except RuntimeError as error:
            if INTERRUPTED in str(error):  # how DuckDB passes Ctrl-C on
                raise KeyboardInterrupt from error
            self._check_memory(error)
            raise
        except (duckdb.Error, OSError, pa.ArrowException) as error:
            raise_system_fault(error, str(self._folder))
            self._check_memory(error)
            if OUT_OF_BOUND in str(error):
                raise self._lacking(error) from error
            for name, table in self._tables.items():
                if not isinstance(table, pa.Table):
                    read_manifest(Path(table.files[0]), name, table.schema.names)
            for name, file in self._files.items():
                check_file(name, file, self._tables[name].schema.names)
            raise

    def _check_memory(self, error: Exception) -> None:
        """Raise if the machine itself, not the bound of the engine, had no memory left."""
        if any(words in str(error) for words in STARVED):
            raise lacking(ENOMEM, str(self._folder)) from error

    def _lacking(self, error: Exception) -> CurateError:
        if OFFLOADING in str(error):
            return lacking_space(str(self._folder.parent))
        limit = self._settings["memory_limit"]
        return CurateError(f"the tables do not fit in {limit}; give a larger --memory and {GO_ON}")


def spilled(root: Path, schema: pa.Schema, batches: Iterable[pa.RecordBatch]) -> pa.Table:
    """Put batches on the disk as they come: the table does not grow in memory.

    Parameters
    ----------
    root : Path
        Local folder of the workspace.
    schema : pa.Schema
        Of all batches.
    batches : iterable of pa.RecordBatch
        The rows.

    Returns
    -------
    pa.Table
        In chunks of a row group, mapped; its file has no name any more.

    Raises
    ------
    SystemFaultError
        If the disk is full.
    """
    with _spill_folder(root) as folder:
        file = folder / "1.arrow"
        _stage(schema, batches, file)
        return _mapped(file)


def _mapped(file: Path) -> pa.Table:
    return pa.ipc.open_file(pa.memory_map(str(file))).read_all()


def _stage(schema: pa.Schema, batches: Iterable[pa.RecordBatch], file: Path) -> None:
    """Write batches to a file, cut into row groups: its bytes follow from the rows alone."""
    with pa.OSFile(str(file), "wb") as sink, pa.ipc.new_file(sink, schema) as writer:
        waiting: list[pa.RecordBatch] = []
        held = 0
        for batch in batches:
            waiting.append(batch)
            held += batch.num_rows
            if held >= ROW_GROUP_ROWS:
                table = pa.Table.from_batches(waiting)
                whole = held - held % ROW_GROUP_ROWS
                for start in range(0, whole, ROW_GROUP_ROWS):
                    _put(writer, table.slice(start, ROW_GROUP_ROWS), file)
                waiting = table.slice(whole).to_batches()
                held -= whole
        if held:
            _put(writer, pa.Table.from_batches(waiting), file)


def _put(writer: pa.ipc.RecordBatchFileWriter, rows: pa.Table, file: Path) -> None:
    try:
        writer.write_table(rows.combine_chunks())
    except OSError as error:
        raise_system_fault(error, str(file.parent))
        raise
