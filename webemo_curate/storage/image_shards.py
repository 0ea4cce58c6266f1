"""Store images in tar shards, for object stores, where every object costs a request.

A shard holds up to `SHARD_IMAGES` images, as fetched, under their names in the manifests. Beside it
lies its index, which is written last and makes the shard part of the workspace. A machine reads a
shard once, whole, into the local cache, and rows are processed in the order of the shards, so a
scan costs one request a shard. Shard and index are named by a hash of their content and never
change.
"""

import io
import os
import re
import tarfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from hashlib import sha256
from pathlib import Path, PurePosixPath

import pyarrow as pa
import pyarrow.compute as pc

from webemo_curate.errors import InputError
from webemo_curate.parquet import read_parquet, write_parquet
from webemo_curate.remedies import typed
from webemo_curate.rooted import below, is_plain, read_below
from webemo_curate.storage.atomic import PARTIAL_SUFFIX
from webemo_curate.storage.held_folders import HeldFolders
from webemo_curate.storage.image_files import read_place
from webemo_curate.storage.protocols import Store
from webemo_curate.system_faults import raise_system_fault

SHARDS = "data/shards"
SHARD_SUFFIX, INDEX_SUFFIX = ".tar", ".parquet"
SHARD_IMAGES = 2000
SHARD_BYTES = 256 * 2**20
"""A shard ends with the image that reaches this size. 2,000 thumbnails take 30 MB; larger photos
end a shard earlier."""

STAGED = "data/staged"
"""Local folder of the images that are not yet in a shard."""

INDEX = pa.schema([("name", pa.string()), ("offset", pa.int64()), ("size", pa.int64())])
REPAIRED = "repaired-"
"""Begins the names of shards that store a lost shard's images again; of two shards with one image,
the last by name counts."""

OFFSET_DIGITS = 12
"""Offsets are padded with zeros, so that places sort in the order of the bytes."""

SPAN = re.compile(r"[0-9]{1,19}\+[0-9]{1,19}")
"""An image's offset and size in its shard, as a place names them."""


@dataclass(frozen=True)
class ShardReader:
    """Reads images from shards; see `ImageReader`.

    Attributes
    ----------
    store
        Holds the shards.
    """

    store: Store

    @property
    def home(self) -> str:
        """The store's URL; see `ImageReader.home`."""
        return self.store.where("").rstrip("/")

    def read(self, place: str) -> bytes:
        """Read an image from a shard's local copy, or read another file; see `ImageReader.read`."""
        shard, _, span = place.partition("#")
        if not span:
            return read_place(self.store.root, place)
        if not SPAN.fullmatch(span):
            raise FileNotFoundError(f"{place}: names no part of a shard")
        offset, size = map(int, span.split("+"))
        with self._open(shard) as stream:
            if not 0 <= offset <= offset + size <= os.fstat(stream.fileno()).st_size:
                raise FileNotFoundError(f"{place}: the shard ends before the image does")
            return os.pread(stream.fileno(), size, offset)

    def _open(self, shard: str) -> io.FileIO:
        try:
            return io.FileIO(self.store.local(shard))
        except FileNotFoundError:
            # Meanwhile another process evicted it from the cache: download it again.
            return io.FileIO(self.store.local(shard))


@dataclass(frozen=True)
class ImageShards(ShardReader):
    """The images of a workspace on an object store; see `ImageStore`.

    Attributes
    ----------
    part
        Name of the part of the images that this process adds, while others add others.
    """

    part: str = ""

    @property
    def reader(self) -> ShardReader:
        """The reader for other processes."""
        return ShardReader(self.store)

    def add(self, content: bytes, path: str) -> None:
        """Keep an image locally until `settle` packs it; see `ImageStore.add`."""
        name = PurePosixPath(path).name
        # A file left by an unsettled run may have the right length but wrong bytes.
        if self._packed(name) != content and self._waiting(name) != content:
            self._folders.write(f"{self._staged}/{name}", content)

    def read(self, place: str) -> bytes:
        """Read an image, packed or not; see `ImageReader.read`."""
        waiting = self._waiting(PurePosixPath(place).name)
        return super().read(place) if waiting is None else waiting

    def holds(self, path: str, size: int | None) -> bool:
        """Look in the shards, then among the images not yet packed; see `ImageStore.holds`."""
        name = PurePosixPath(path).name
        if name in self._places:
            return True
        waiting = self._waiting(name)
        return waiting is not None and size in (None, len(waiting))

    def settle(self) -> None:
        """Pack and upload the images added so far; see `ImageStore.settle`."""
        staged = below(self.store.root, self._staged)
        files = [file for file in staged.glob("*") if _is_image(file)]
        for group in _groups(sorted(files)):
            self._pack(group)

    def places(self, paths: pa.Array) -> pa.Array:
        """Look paths up in the index; unknown ones stay as they are. See `ImageStore.places`."""
        found = [self._places.get(PurePosixPath(path).name, path) for path in paths.to_pylist()]
        return pa.array(found, pa.string())

    def sweep(self) -> None:
        """Take back what other processes had staged, and remove shards without an index."""
        self.gather()
        keys = set(self.store.keys(SHARDS))
        for key in keys:
            if key.endswith(SHARD_SUFFIX) and _index_of(key) not in keys:
                self.store.remove(key)

    def gather(self) -> None:
        """Take over what other processes have added and not settled; see `ImageStore.gather`."""
        self.__dict__.pop("_places", None)
        staged = below(self.store.root, STAGED)
        for file in staged.glob("*/*"):
            if _is_image(file) and not file.parent.is_symlink():
                file.replace(staged / file.name)

    @property
    def _staged(self) -> str:
        return f"{STAGED}/{self.part}" if self.part else STAGED

    @cached_property
    def _folders(self) -> HeldFolders:
        return HeldFolders(self.store.root)

    def _packed(self, name: str) -> bytes | None:
        """Return an image's bytes from its shard; None if it is in none, or the shard is lost."""
        if name not in self._places:
            return None
        try:
            return super().read(self._places[name])
        except OSError as error:
            raise_system_fault(error, name)
            return None

    def _waiting(self, name: str) -> bytes | None:
        """Return the bytes of an image that is not yet packed; None if there is none."""
        if not is_plain(name):
            return None
        try:
            return read_below(self.store.root, f"{self._staged}/{name}")
        except OSError as error:
            raise_system_fault(error, name)
            return None

    @cached_property
    def _places(self) -> dict[str, str]:
        """The place of each image, by its name."""
        places: dict[str, str] = {}
        for key in sorted(self.store.keys(SHARDS)):
            if key.endswith(INDEX_SUFFIX):
                places |= _entries(key, _read_index(self.store.local(key)))
        return places

    def _pack(self, files: Sequence[Path]) -> None:
        names = "\n".join(file.name for file in files)
        mark = REPAIRED if any(file.name in self._places for file in files) else ""
        key = f"{SHARDS}/{mark}{sha256(names.encode()).hexdigest()}{SHARD_SUFFIX}"
        with self.store.writing(key) as partial:
            index = _write_tar(files, partial)
        with self.store.writing(_index_of(key)) as partial:
            write_parquet(index, partial)
        self._places.update(_entries(_index_of(key), index))
        for file in files:
            file.unlink()


def _is_image(file: Path) -> bool:
    return file.suffix != PARTIAL_SUFFIX and file.is_file() and not file.is_symlink()


def _groups(files: Sequence[Path]) -> Iterator[list[Path]]:
    """Split files into shards of at most `SHARD_IMAGES`, ended early by `SHARD_BYTES`."""
    group: list[Path] = []
    size = 0
    for file in files:
        group.append(file)
        size += file.stat().st_size
        if len(group) == SHARD_IMAGES or size >= SHARD_BYTES:
            yield group
            group, size = [], 0
    if group:
        yield group


def _write_tar(files: Sequence[Path], path: Path) -> pa.Table:
    """Write files into a tar file; return its index, schema `INDEX`."""
    rows = []
    with tarfile.open(path, "w", format=tarfile.USTAR_FORMAT) as tar:
        for file in files:
            content = file.read_bytes()
            member = tarfile.TarInfo(file.name)
            member.size = len(content)
            rows.append((file.name, tar.offset + tarfile.BLOCKSIZE, len(content)))
            tar.addfile(member, io.BytesIO(content))
    columns = [list(column) for column in zip(*rows, strict=True)]
    return pa.table(columns, schema=INDEX)


def _read_index(path: Path) -> pa.Table:
    """Read a shard's index (schema `INDEX`)."""
    try:
        index = read_parquet(path).select(INDEX.names).cast(INDEX)
        if any(column.null_count for column in index.columns):
            raise ValueError("a value is missing")
        return index
    except (OSError, KeyError, ValueError, pa.ArrowException) as error:
        raise_system_fault(error, str(path))
        raise InputError(
            f"{path}: not a sound index of a shard; delete it and its .tar in the store, and run "
            f"'{typed('fetch --repair')}'"
        ) from error


def _entries(index_key: str, index: pa.Table) -> dict[str, str]:
    shard = index_key.removesuffix(INDEX_SUFFIX) + SHARD_SUFFIX
    offsets = pc.utf8_lpad(index["offset"].cast(pa.string()), OFFSET_DIGITS, "0")
    spans = pc.binary_join_element_wise(offsets, index["size"].cast(pa.string()), "+")
    places = pc.binary_join_element_wise(shard, spans, "#")
    return dict(zip(index["name"].to_pylist(), places.to_pylist(), strict=True))


def _index_of(shard_key: str) -> str:
    return shard_key.removesuffix(SHARD_SUFFIX) + INDEX_SUFFIX
