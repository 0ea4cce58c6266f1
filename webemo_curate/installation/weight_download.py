"""Download weight files: resumable, and checked before they are put in place."""

import hashlib
import logging
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Final

from webemo_curate.config import FetchConfig
from webemo_curate.download.client import user_agent
from webemo_curate.download.large_file import Answered, ask_about, download
from webemo_curate.errors import CurateError
from webemo_curate.installation.weight_sources import HUB_DIGEST, WeightSource
from webemo_curate.progress import ProgressBar
from webemo_curate.rooted import regular_digest
from webemo_curate.storage.atomic import atomic_path
from webemo_curate.system_faults import raise_system_fault

logger = logging.getLogger(__name__)

MAX_BYTES: Final = 2**30
"""Largest download in bytes; weight files have up to some 100 MB."""

SUFFIX: Final = ".download"
OK: Final = 200
DIGITS: Final = {"md5": 32, "sha256": 64}
BLOCK: Final = 2**20


@dataclass(frozen=True)
class Got:
    """An installed weight file.

    Attributes
    ----------
    path
        Path of the file.
    url
        URL that it was downloaded from.
    bytes
        Its size in bytes.
    digest
        Its digest in hex.
    algorithm
        Algorithm of the digest.
    there
        Whether it was already there.
    """

    path: Path
    url: str
    bytes: int
    digest: str
    algorithm: str
    there: bool


def get(source: WeightSource) -> Got:
    """Install a weight file, unless it is already there.

    Parameters
    ----------
    source : WeightSource
        The file, and where to download it.

    Returns
    -------
    Got
        The installed file.

    Raises
    ------
    CurateError
        If it cannot be downloaded, or differs from the published file; nothing is then put in
        place.
    """
    if source.digest and _is(source, source.digest):
        return _got(source, source.digest, there=True)
    agent = user_agent(FetchConfig())
    answered = ask_about(source.url, agent)
    expected = source.digest or _said(answered, source)
    if _is(source, expected):
        return _got(source, expected, there=True)
    size = "size not said" if answered.size is None else f"{answered.size / 1e6:.1f} MB"
    of = f" of {source.member}" if source.member else ""
    logger.info("downloading %s (%s; %s%s %s)", source.url, size, source.algorithm, of, expected)
    partial = source.target.with_name(source.target.name + SUFFIX)
    _bring(source, partial, agent, answered.size)
    _put(source, partial, expected)
    return _got(source, expected, there=False)


def _bring(source: WeightSource, partial: Path, agent: str, size: int | None) -> None:
    try:
        partial.parent.mkdir(parents=True, exist_ok=True)
        done = partial.stat().st_size if partial.exists() else 0
        if done:
            logger.info("%d bytes of it are here already", done)
        with ProgressBar(size or MAX_BYTES, source.target.name, "byte", done) as bar:
            download(source.url, partial, agent, MAX_BYTES, bar.update)
    except OSError as error:
        raise_system_fault(error, str(partial))
        raise CurateError(f"{partial}: cannot be written: {error.strerror or error}") from error


def _put(source: WeightSource, partial: Path, expected: str) -> None:
    """Check the downloaded file and put it in place; a wrong one is deleted."""
    try:
        with atomic_path(source.target) as whole:
            found = _copy(source, partial, whole)
            if found != expected:
                raise CurateError(
                    f"{source.url}: not what was published: {source.algorithm} {found}, expected "
                    f"{expected}; nothing was put in place. Run the same command again, or name "
                    "another --mirror"
                )
    finally:
        partial.unlink(missing_ok=True)


def _copy(source: WeightSource, partial: Path, whole: Path) -> str:
    """Copy the wanted file out of the download; return its digest in hex."""
    digest = hashlib.new(source.algorithm, usedforsecurity=False)
    size = 0
    try:
        with _opened(source, partial) as stream, whole.open("wb") as target:
            while block := stream.read(BLOCK):
                size += len(block)
                if size > MAX_BYTES:
                    raise CurateError(f"{source.url}: unpacks to more than {MAX_BYTES} bytes")
                digest.update(block)
                target.write(block)
    except (zipfile.BadZipFile, KeyError, NotImplementedError, RuntimeError) as error:
        raise CurateError(
            f"{source.url}: holds no readable {source.member} ({error}); run the same command "
            "again, or name another --mirror"
        ) from error
    return digest.hexdigest()


def _opened(source: WeightSource, partial: Path) -> IO[bytes]:
    if source.member is None:
        return partial.open("rb")
    return zipfile.ZipFile(partial).open(source.member)


def _said(answered: Answered, source: WeightSource) -> str:
    """Return the digest that the hub states."""
    digest = answered.headers.get(HUB_DIGEST, "").strip('"').removeprefix("W/").strip('"')
    if len(digest) != DIGITS[source.algorithm] or set(digest) - set("0123456789abcdef"):
        if answered.status != OK:
            raise CurateError(
                f"{source.url}: HTTP status {answered.status}; try again later, or name another "
                "--mirror"
            )
        raise CurateError(
            f"{source.url}: the answer names no SHA-256 ({HUB_DIGEST}), so that nothing shows "
            "whether the file is the published one; download it by hand and give it with --weights"
        )
    return digest


def _is(source: WeightSource, digest: str) -> bool:
    """Return whether the installed file has a digest."""
    if not source.target.is_file():
        return False
    return regular_digest(source.target, algorithm=source.algorithm) == digest


def _got(source: WeightSource, digest: str, *, there: bool) -> Got:
    size = source.target.stat().st_size
    return Got(source.target, source.url, size, digest, source.algorithm, there)
