"""Files of packed pixels: a NumPy array, then the digest of the file's name and the array."""

import hashlib
from pathlib import Path
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

from webemo_curate.rooted import open_regular

PACKED = "data/packed"
DIGEST_BYTES = hashlib.sha256().digest_size
CHUNK_BYTES = 2**20

_sound: set[tuple[str, int, int, int]] = set()
"""Path, inode, size and time of the files whose digest this process has verified, so that a
training which opens them for each seed reads them only once."""


def write_packed(stream: BinaryIO, pixels: NDArray[np.uint8], path: str | Path) -> None:
    """Write pixels with their digest.

    Parameters
    ----------
    stream : BinaryIO
        An empty file.
    path : str or Path
        The file's final path. It enters the digest, which is then wrong in any other file's place.
    pixels : ndarray of uint8, shape (images, 3, S, S)
        RGB pixels.
    """
    hashing = _Hashing(stream, _named(Path(path)))
    np.save(hashing, pixels, allow_pickle=False)
    stream.write(hashing.hasher.digest())


def open_packed(path: Path, shape: tuple[int, ...]) -> NDArray[np.uint8] | None:
    """Map a file of packed pixels.

    Parameters
    ----------
    path : Path
        A file written by `write_packed`.
    shape : tuple of int
        The expected shape.

    Returns
    -------
    ndarray of uint8 or None
        Read-only, in the order of the file; None if it is torn, changed, or of another shape.
    """
    try:
        if not _is_sound(path):
            return None
        pixels = np.load(path, mmap_mode="r", allow_pickle=False)
    except (ValueError, EOFError):
        return None
    return pixels if pixels.shape == shape and pixels.dtype == np.uint8 else None


class _Hashing:
    """A stream that hashes what is written through it."""

    def __init__(self, stream: BinaryIO, name: bytes) -> None:
        self._stream, self.hasher = stream, hashlib.sha256(name)

    def write(self, content: bytes) -> int:
        self.hasher.update(content)
        return self._stream.write(content)


def _is_sound(path: Path) -> bool:
    status = path.stat()
    known = str(path), status.st_ino, status.st_size, status.st_mtime_ns
    if known not in _sound and status.st_size > DIGEST_BYTES and has_its_digest(path):
        _sound.add(known)
    return known in _sound


def has_its_digest(path: Path) -> bool:
    """Return whether a file ends with the digest of its name and of what precedes it."""
    hasher = hashlib.sha256(_named(path))
    with open_regular(path) as stream:
        left = path.stat().st_size - DIGEST_BYTES
        while left > 0 and (chunk := stream.read(min(CHUNK_BYTES, left))):
            hasher.update(chunk)
            left -= len(chunk)
        return stream.read() == hasher.digest()


def _named(path: Path) -> bytes:
    """Return what distinguishes a file from others of its shape: its folder's name and its own."""
    return f"{path.parent.name}/{path.name}".encode()
