"""A workspace under a prefix of an object store, through Arrow's file systems.

An object appears whole or not at all: a PUT is atomic, and so is completing a multipart upload.
There is no rename. A file is first written to the local cache and then uploaded from one buffer, so
that an error here can never close a half-written stream. Keys under `IMMUTABLE` are named by a hash
of their content, so they are downloaded only once; any other key is downloaded once a process.
"""

import itertools
import logging
import re
import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from functools import cached_property
from hashlib import sha256
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pyarrow as pa
from pyarrow import fs

from webemo_curate.errors import CurateError, InputError
from webemo_curate.machine import cache_folder
from webemo_curate.rooted import below, is_plain
from webemo_curate.storage.atomic import atomic_path, write_bytes
from webemo_curate.storage.conditional import (
    ATTEMPTS,
    CONNECT_SECONDS,
    REQUEST_SECONDS,
    ConditionalObject,
)
from webemo_curate.storage.endpoint import endpoint
from webemo_curate.storage.folder import FolderStore
from webemo_curate.storage.lease import Holder, Lease
from webemo_curate.system_faults import raise_system_fault

logger = logging.getLogger(__name__)

SCHEME = "s3"
LOCK_KEY = "data/lock"
BUCKET = re.compile(r"[A-Za-z0-9._:-]+")
CREDENTIALS = re.compile(r"(?<=://).*@")

IMMUTABLE = ("data/shards/", "data/packed/")
"""Prefixes of keys whose content never changes, because their names are made from it."""

CACHE_BYTES = 64 * 2**30
"""Most bytes of immutable files in the local cache; beyond, the least recently used are deleted."""

REFUSED = re.compile(
    r"ACCESS_?DENIED|ACCESS_?KEY|SIGNATURE|AUTHENTICATION|CLIENT_?TOKEN|EXPIRED|CREDENTIALS|403",
    re.IGNORECASE,
)
NO_BUCKET = re.compile(r"NO_?SUCH_?BUCKET", re.IGNORECASE)


class BucketStore:
    """A store whose keys are objects under a URL; see `Store`.

    Parameters
    ----------
    url : str
        `s3://bucket/prefix`. Credentials, region and endpoint come from the usual places:
        environment (`AWS_PROFILE`, `AWS_ENDPOINT_URL`, ...), `~/.aws`, the machine's role.
    cache : Path, optional
        Folder for local copies; by default under `$XDG_CACHE_HOME` or `~/.cache`.
    """

    def __init__(self, url: str, cache: Path | None = None) -> None:
        self.url, self._base = url.rstrip("/"), _base_of(url)
        self.root = (cache or _default_cache()) / sha256(self.url.encode()).hexdigest()[:16]
        self._copies = FolderStore(self.root)
        self._fresh: set[str] = set()
        self._lease: Lease | None = None

    def __reduce__(self) -> tuple[type["BucketStore"], tuple[str, Path]]:
        """Pickle the address alone; another process finds out itself which copies are fresh."""
        return BucketStore, (self.url, self.root.parent)

    def check(self) -> None:
        """Check that the bucket can be reached.

        Raises
        ------
        InputError
            If it does not exist, or the credentials are refused.
        """
        bucket = self._base.partition("/")[0]
        with _explained(self.url):
            if self._files.get_file_info(bucket).type == fs.FileType.NotFound:
                raise _no_bucket(self.url)

    def where(self, key: str) -> str:
        """Return a key's URL."""
        return f"{self.url}/{key}"

    def exists(self, key: str) -> bool:
        """Return whether an object exists."""
        with _explained(self.where(key)):
            found: bool = self._files.get_file_info(self._path(key)).type == fs.FileType.File
            return found

    def keys(self, prefix: str) -> list[str]:
        """List the objects under a prefix; see `Store.keys`."""
        selector = fs.FileSelector(self._path(prefix), allow_not_found=True, recursive=True)
        with _explained(self.where(prefix)):
            found = self._files.get_file_info(selector)
        keys = [
            info.path.removeprefix(f"{self._base}/")
            for info in found
            if info.type == fs.FileType.File
        ]
        for key in itertools.filterfalse(is_plain, keys):
            logger.warning("%s: %r is no name of this program's and is left alone", self.url, key)
        return sorted(filter(is_plain, keys))

    def open(self, key: str) -> pa.NativeFile:
        """Open an object, never a local copy; see `Store.open`."""
        with _explained(self.where(key)):
            return self._files.open_input_file(self._path(key))

    def local(self, key: str) -> Path:
        """Return a local copy, downloading it if necessary; see `Store.local`."""
        path = below(self.root, key)
        if key in self._fresh and path.exists():
            return path
        if not (key.startswith(IMMUTABLE) and path.exists()):
            # A file of known size is read in one request; a stream would take many small ones.
            with (
                _explained(self.where(key)),
                self._files.open_input_file(self._path(key)) as file,
            ):
                content = file.read()
            write_bytes(path, content)
            if key.startswith(IMMUTABLE):
                _evict(self.root, path)
        self._fresh.add(key)
        return path

    @contextmanager
    def writing(self, key: str) -> Iterator[Path]:
        """Upload what the block writes, and keep it as the local copy; see `Store.writing`."""
        self._fresh.discard(key)
        with atomic_path(below(self.root, key)) as partial:
            yield partial
            self._upload(partial, key)
        self._fresh.add(key)

    def write(self, key: str, content: bytes) -> None:
        """Replace an object; see `Store.write`."""
        with self.writing(key) as partial:
            partial.write_bytes(content)

    def publish(self, prefix: str) -> None:
        """Upload local files, and delete objects without a local file; see `Store.publish`."""
        if (file := below(self.root, prefix)).is_file():
            self._upload(file, prefix)
            self._fresh.add(prefix)
            return
        here = self._copies.keys(prefix)
        for key in here:
            self.publish(key)
        for gone in set(self.keys(prefix)).difference(here):
            self.remove(gone)

    def pull(self, prefix: str) -> Path:
        """Download a prefix, and remove local files without an object; see `Store.pull`."""
        folder = below(self.root, prefix)
        keys = self.keys(prefix)
        for file in [path for path in folder.rglob("*") if not path.is_dir()]:
            if file.relative_to(self.root).as_posix() not in keys:
                file.unlink()
        for key in keys:
            self.local(key)
        return folder

    def remove(self, prefix: str) -> None:
        """Delete an object, or all under a prefix, and the local copies; see `Store.remove`."""
        self._copies.remove(prefix)
        self._fresh = {key for key in self._fresh if not f"{key}/".startswith(f"{prefix}/")}
        with _explained(self.where(prefix)), suppress(FileNotFoundError):
            kind = self._files.get_file_info(self._path(prefix)).type
            if kind == fs.FileType.Directory:
                self._files.delete_dir(self._path(prefix))
            elif kind == fs.FileType.File:
                self._files.delete_file(self._path(prefix))

    def sweep(self) -> None:
        """Remove temporary files of the cache; unfinished uploads never become objects."""
        self._copies.sweep()

    def check_own(self) -> None:
        """Check that the lease is still held; see `Store.check_own`."""
        if self._lease is not None:
            self._lease.check()

    @contextmanager
    def lock(self) -> Iterator[None]:
        """Hold a lease on the prefix; see `lease.Lease`."""
        place = ConditionalObject(self._base, LOCK_KEY, self.where(LOCK_KEY))
        lease = Lease(place, Holder.here(socket.gethostname()))
        with ExitStack() as stack:
            with _explained(self.where(LOCK_KEY)):
                stack.enter_context(lease.held())
            self._lease = lease
            try:
                yield
            finally:
                self._lease = None

    @cached_property
    def _files(self) -> fs.FileSystem:
        options: dict[str, Any] = {}
        # Arrow itself reads all of Amazon's variables except the endpoint's.
        if elsewhere := endpoint():
            parts = urlsplit(elsewhere)
            options = {"scheme": parts.scheme, "endpoint_override": parts.netloc}
        return fs.S3FileSystem(
            allow_delayed_open=True,  # a small object is one PUT, not three requests
            connect_timeout=CONNECT_SECONDS,
            request_timeout=REQUEST_SECONDS,
            retry_strategy=fs.AwsStandardS3RetryStrategy(max_attempts=ATTEMPTS),
            **options,
        )

    def _path(self, key: str) -> str:
        return f"{self._base}/{key}".rstrip("/")

    def _upload(self, file: Path, key: str) -> None:
        content = file.read_bytes()
        self.check_own()
        with (
            _explained(self.where(key)),
            self._files.open_output_stream(self._path(key)) as stream,
        ):
            stream.write(content)


def _base_of(url: str) -> str:
    """Return bucket and prefix of an address: all after the scheme, including `#` and `?`."""
    scheme, _, rest = url.partition("://")
    base = rest.rstrip("/")
    if scheme != SCHEME or not is_plain(base) or not BUCKET.fullmatch(base.partition("/")[0]):
        raise InputError(
            f"--workspace {CREDENTIALS.sub('***@', url)}: give a folder, or s3://bucket/prefix; "
            "credentials come from AWS_PROFILE or the environment"
        )
    return base


def _default_cache() -> Path:
    return cache_folder() / "webemo-curate"


def _evict(root: Path, newest: Path) -> None:
    """Delete immutable local copies beyond `CACHE_BYTES`, least recently used first."""
    files = [file for prefix in IMMUTABLE for file in (root / prefix).rglob("*") if file.is_file()]
    stats = {file: file.stat() for file in files}
    total = sum(stat.st_size for stat in stats.values())
    for file in sorted(files, key=lambda file: stats[file].st_atime_ns):
        if total <= CACHE_BYTES:
            return
        if file != newest:
            file.unlink(missing_ok=True)
            total -= stats[file].st_size


@contextmanager
def _explained(where: str) -> Iterator[None]:
    """Turn errors of the store, or of this machine, into errors that name a remedy.

    A missing object stays a FileNotFoundError.
    """
    try:
        yield
    except FileNotFoundError:
        raise
    except OSError as error:
        raise_system_fault(error, where)
        reason = str(error).partition("\n")[0]
        if NO_BUCKET.search(reason):
            raise _no_bucket(where) from error
        if REFUSED.search(reason):
            raise InputError(
                f"{where}: the store refuses the credentials ({reason}); set AWS_PROFILE, or "
                "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, of a user who may read and write it"
            ) from error
        raise CurateError(
            f"{where}: the store fails after {ATTEMPTS} attempts ({reason}); check the network and "
            "AWS_ENDPOINT_URL, and run the same command again: finished work is kept"
        ) from error


def _no_bucket(where: str) -> InputError:
    return InputError(f"{where}: there is no such bucket; create it, or correct --workspace")
