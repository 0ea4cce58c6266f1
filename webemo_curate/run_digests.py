"""Record digests of a run's files when they are written, so that later changes are noticed.

When a training ends, `done.json` records the network's files. The metrics of an evaluation record
its predictions and weights. Both files carry a digest of themselves.
"""

import hashlib
import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from webemo_curate.remedies import typed
from webemo_curate.rooted import open_below, read_below
from webemo_curate.system_faults import raise_system_fault

FILES, DIGEST, PREDICTIONS = "files", "digest", "predictions_sha256"
WEIGHTS = "weights_sha256"
"""Key of the network that metrics were computed with, so that another run's are not accepted."""

METRICS = "metrics-*.json"
NETWORK = "last.safetensors"
"""The weights that figures belong to."""

REMEDY = "train it again under another name, or put the file back"


def file_digests(folder: Path, names: Iterable[str]) -> dict[str, str]:
    """Return the SHA-256, in hex, of the given files that exist in a folder, by name.

    Parameters
    ----------
    folder : Path
        A run's folder.
    names : iterable of str
        Names of files in it.

    Returns
    -------
    dict of str to str
        In the order of the names.
    """
    return {name: _file_digest(folder, name) for name in names if (folder / name).is_file()}


def sealed(document: dict[str, Any]) -> dict[str, Any]:
    """Return a JSON document with a digest of its content added.

    Parameters
    ----------
    document : dict
        JSON values.

    Returns
    -------
    dict
        The same document with a `digest`.
    """
    return document | {DIGEST: _document_digest(document)}


def is_sealed(document: Any) -> bool:
    """Return whether a document is unchanged since it was sealed."""
    if not isinstance(document, dict):
        return False
    rest = {key: value for key, value in document.items() if key != DIGEST}
    return document.get(DIGEST) == _document_digest(rest)


def has_digests(run: Path, mark: str) -> bool:
    """Return whether digests of a run's files were recorded; the first versions recorded none.

    Parameters
    ----------
    run : Path
        The run's folder.
    mark : str
        Name of the file that records the others.

    Returns
    -------
    bool
        Whether `changes` has anything to compare.

    Raises
    ------
    ValueError, TypeError, OSError
        If the file cannot be read.
    """
    document = _document(run, mark)
    if not isinstance(document, dict):
        raise TypeError(f"{mark}: not a JSON object")
    return FILES in document


def changes(run: Path, mark: str) -> Iterator[str]:
    """Find which files of a run have changed since they were written.

    Parameters
    ----------
    run : Path
        The run's folder.
    mark : str
        Name of the file that records the others.

    Yields
    ------
    str
        A sentence for each change.
    """
    try:
        document = _document(run, mark)
        recorded = document.get(FILES)
        if DIGEST in document and not is_sealed(document):
            yield f"{run / mark}: has been changed since the training ended; {REMEDY}"
        if not isinstance(recorded, dict) or not recorded:
            yield f"{run / mark}: records no digests of the run's files; {REMEDY}"
            return
        yield from _changed_files(run, recorded)
        for metrics in sorted(run.glob(METRICS)):
            yield from _changed_metrics(run, metrics.name, recorded)
    except (OSError, ValueError, RecursionError, AttributeError) as error:
        raise_system_fault(error, str(run))
        yield f"{run}: cannot be checked ({error}); {REMEDY}"


def _changed_files(run: Path, recorded: dict[str, Any]) -> Iterator[str]:
    for name, digest in recorded.items():
        try:
            if _file_digest(run, name) != digest:
                yield f"{run / name}: has been changed since the training ended; {REMEDY}"
        except FileNotFoundError:
            yield f"{run / name}: is missing; {REMEDY}"


def _changed_metrics(run: Path, name: str, recorded: dict[str, Any]) -> Iterator[str]:
    document = _document(run, name)
    if not is_sealed(document):
        yield f"{run / name}: has been changed since it was written; {_again()}"
        return
    if name != METRICS.replace("*", str(document.get("on"))):
        yield f"{run / name}: is of {document.get('on')!r}; {_again()}"
    if document.get(WEIGHTS) not in (None, recorded.get(NETWORK)):
        yield f"{run / name}: is of another network than {NETWORK}; {_again()}"
    predictions = Path(str(document["predictions"])).name
    if file_digests(run, [predictions]).get(predictions) != document.get(PREDICTIONS):
        yield f"{run / predictions}: is not what {name} was computed from; {_again()}"


def _document(run: Path, name: str) -> dict[str, Any]:
    try:
        document: dict[str, Any] = json.loads(read_below(run, name))
    except (ValueError, RecursionError) as error:
        raise ValueError(f"{run / name}: {error}") from error
    return document


def _file_digest(folder: Path, name: str) -> str:
    with open_below(folder, name) as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _document_digest(document: dict[str, Any]) -> str:
    return hashlib.sha256(json.dumps(document, sort_keys=True).encode()).hexdigest()


def _again() -> str:
    return f"run '{typed('evaluate')}' on it again"
