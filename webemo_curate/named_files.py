"""Every image file that manifests name, once, in the order in which files are read best."""

from collections.abc import Iterable, Iterator
from contextlib import suppress
from typing import Any, Final

import pyarrow as pa

from webemo_curate.errors import InputError
from webemo_curate.table_engine import TableEngine, spilled
from webemo_curate.verdicts import DecodeStatus, Split
from webemo_curate.workspace import Workspace

NAMED: Final = ["sha256", "path"]

PLACED: Final = pa.schema([(name, pa.string()) for name in (*NAMED, "place")])

DESCRIBED: Final = """
create table named as select sha256, path from images where decode_status <> $missing
"""

BEGIN: Final = "create table named (sha256 varchar, path varchar)"

NAME: Final = "insert into named select sha256, path from {table}"

DISTINCT: Final = "select distinct sha256, path from named order by path, sha256"

BY_PLACE: Final = "select * from placed order by place, sha256"


def named_files(
    workspace: Workspace, further: Iterable[pa.Table], memory: int | None = None
) -> pa.Table:
    """List the files of the images, the splits and further sets.

    Parameters
    ----------
    workspace : Workspace
        Of a set brought back from a release only the splits count.
    further : iterable of pa.Table
        Columns `NAMED`.
    memory : int, optional
        As of `TableEngine`.

    Returns
    -------
    pa.Table
        Columns of `PLACED`, sorted by `place`, where `ImageStore.read` finds a file.
    """
    tables: dict[str, Any] = {}
    if not workspace.is_rebuilt:
        tables["images"] = workspace.scan("images", [*NAMED, "decode_status"])
    for split in map(str, Split):
        with suppress(InputError):  # of an unsound manifest verify tells elsewhere
            tables[split] = workspace.scan(split, NAMED)
    tables |= {f"further{number}": table for number, table in enumerate(further)}
    with TableEngine(workspace.root, tables, memory) as engine:
        if "images" in tables:
            engine.make(DESCRIBED, missing=str(DecodeStatus.MISSING))
        else:
            engine.make(BEGIN)
        for name in tables.keys() - {"images"}:
            engine.make(NAME.format(table=name))
        named = engine.table(DISTINCT)
        engine.add("placed", spilled(workspace.root, PLACED, _placed(workspace, named)))
        return engine.table(BY_PLACE)


def _placed(workspace: Workspace, named: pa.Table) -> Iterator[pa.RecordBatch]:
    for batch in named.to_batches():
        columns = [*batch.columns, workspace.images.places(batch["path"])]
        yield pa.RecordBatch.from_arrays(columns, schema=PLACED)
