"""Tell how fetched pictures look that are not as released: by the processes that examined them."""

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Final

from webemo_curate.duplicates.perceptual import phashes, reduce_gray
from webemo_curate.errors import CurateError
from webemo_curate.imaging import (
    Apart,
    DecodeError,
    ExamineWorker,
    Facts,
    Made,
    processes,
    read_looks,
)
from webemo_curate.own_faults import OwnFaultError, warn_of_own
from webemo_curate.progress import ProgressBar
from webemo_curate.system_faults import raise_system_fault
from webemo_curate.verdicts import DecodeStatus
from webemo_curate.workspace import Workspace

Look = dict[str, Any]
"""`decode_status`; of a picture that decodes also `pixel_hash`, `phash`, `width` and `height`."""

PICTURES_A_PROCESS: Final = 200
"""A process takes half a second to start, and a photo some milliseconds: for fewer none is."""


@dataclass(frozen=True)
class LookWorker(ExamineWorker):
    """Examines files, and tells how a file looks if asked to; a `picture_process.PictureTask`."""

    def __call__(self, content: bytes, details: Facts) -> Made:
        """Return what `ExamineWorker` does, or a `Look`; raises as `load_rgb`."""
        if not details.get("look"):
            return super().__call__(content, details)
        looks = read_looks(content, self.max_pixels)
        phash, _ = phashes(reduce_gray(looks.frame.picture)).tolist()
        width, height = looks.frame.picture.size
        return Made(
            {
                "decode_status": DecodeStatus.OK,
                "pixel_hash": looks.pixel_hash,
                "phash": phash,
                "width": width,
                "height": height,
            }
        )


def look_at(
    paths: Mapping[str, str], scratch: Workspace, worker: LookWorker, workers: int | None
) -> dict[str, Look]:
    """Decode and hash pictures, in processes that they may end.

    Parameters
    ----------
    paths : mapping of str to str
        Where each lies, by its hash.
    scratch : Workspace
        Holds them.
    worker : LookWorker
        How; the processes of an equal one that have nothing to do are taken over.
    workers : int, optional
        Most processes; by default `apart.processes`.

    Returns
    -------
    dict of str to Look
        By hash.

    Raises
    ------
    CurateError
        If a picture is no longer what was fetched, or the machine lacks what it takes.
    """
    faults: list[str] = []

    def look(path: str) -> Look:
        try:
            return apart.ask(read_kept(scratch, path), look=True).facts
        except DecodeError as error:
            return {"decode_status": error.status}
        except OwnFaultError as fault:
            faults.append(fault.what)
            return {"decode_status": DecodeStatus.INTERNAL_ERROR}

    threads = min(workers or processes(), 1 + len(paths) // PICTURES_A_PROCESS)
    pool, found = ThreadPoolExecutor(threads), {}
    with Apart(worker) as apart, ProgressBar(len(paths), "changed pictures", "image") as bar:
        try:
            for sha256, seen in zip(paths, pool.map(look, paths.values()), strict=True):
                found[sha256] = seen
                bar.update()
        finally:
            pool.shutdown(cancel_futures=True)
    warn_of_own(faults, "pictures")
    return found


def read_kept(scratch: Workspace, path: str) -> bytes:
    """Read a picture that was fetched before.

    Raises
    ------
    CurateError
        If it is not what was fetched any more.
    """
    try:
        return scratch.read_image(path)
    except OSError as error:
        where = scratch.store.where(path)
        raise_system_fault(error, where)
        raise CurateError(
            f"{where}: is no longer what was fetched; remove {scratch.root} and run the same "
            "command again"
        ) from error
