"""Record the images that a run was trained on, and find them in other sets."""

import logging
from pathlib import Path
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc

from webemo_curate.errors import InputError
from webemo_curate.frames import to_frame
from webemo_curate.parquet import read_parquet, write_parquet
from webemo_curate.runs import SEEN_FILE, load_splits
from webemo_curate.storage.atomic import atomic_path
from webemo_curate.system_faults import raise_system_fault
from webemo_curate.verdicts import Split
from webemo_curate.workspace import Workspace

logger = logging.getLogger(__name__)

TRAINED_ON: Final = (Split.TRAIN, Split.VALIDATION)
NAMED: Final = 3
"""Most images named in a message."""


def record_seen(run: Path, workspace: Workspace) -> Path:
    """Record the images that a run is trained and validated on.

    Parameters
    ----------
    run : Path
        Its folder.
    workspace : Workspace
        Holds the splits.

    Returns
    -------
    Path
        The file, with a column `sha256`.
    """
    file = run / SEEN_FILE
    table = pa.concat_tables(workspace.read(split, ["sha256"]) for split in TRAINED_ON)
    with atomic_path(file) as partial:
        write_parquet(table, partial)
    return file


def seen_images(run: Path, on: str, table: pa.Table, workspace: Workspace) -> set[str]:
    """Find the images of a set whose picture a run was trained or validated on.

    Parameters
    ----------
    run : Path
        Its folder.
    on : str
        Name of a split. The run's own training or validation split counts as unseen.
    table : pa.Table
        The set's images, with `sha256`.
    workspace : Workspace
        Its duplicates tell which files show the same picture.

    Returns
    -------
    set of str
        SHA-256 of the images.

    Raises
    ------
    InputError
        If the record cannot be read.
    """
    info = workspace.info(on)
    if on in TRAINED_ON and info and load_splits(run).get(on) == info.digest:
        return set()
    seen = _recorded(run)
    if seen is None:
        logger.warning("%s: does not say what it was trained on; train it again", run)
        return set()
    own = set(table["sha256"].to_pylist())
    if not workspace.has("duplicates"):
        return own & seen
    clusters = to_frame(workspace.read("duplicates", ["sha256", "cluster"]))
    known = set(clusters.loc[clusters["sha256"].isin(seen), "cluster"])
    same = set(clusters.loc[clusters["cluster"].isin(known), "sha256"])
    return own & (seen | same)


def check_unseen(run: Path, on: str, seen: set[str], table: pa.Table) -> None:
    """Raise if training has seen pictures of a set; the message names some."""
    if not seen:
        return
    shown = table.filter(pc.is_in(table["sha256"], pa.array(seen, pa.string())))
    named = ", ".join(shown["path"].slice(0, NAMED).to_pylist())
    more = ", ..." if len(seen) > NAMED else ""
    raise InputError(
        f"{run.name} on {on}: training has seen {len(seen)} of these images ({named}{more}): the "
        "run is of another split. Train on this split, leave them out with --exclude-shared, or "
        "measure with them by --allow-seen"
    )


def _recorded(run: Path) -> set[str] | None:
    try:
        table = read_parquet(run / SEEN_FILE, ["sha256"])
    except FileNotFoundError:
        return None
    except (OSError, ValueError, pa.ArrowException) as error:
        raise_system_fault(error, str(run / SEEN_FILE))
        raise InputError(f"{run / SEEN_FILE}: cannot be read ({error}); train again") from error
    return set(pc.unique(table["sha256"]).to_pylist())
