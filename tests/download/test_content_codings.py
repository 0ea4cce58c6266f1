"""Content codings are undone, in bounded memory; what is coded otherwise is named."""

import gzip
import tracemalloc
import zlib
from pathlib import Path

import pycurl
import pytest

from tests.download.site import Site, answer, one, picture, stored
from webemo_curate.verdicts import FetchStatus

MEGABYTE = 2**20
BROTLI = b"\x0b\x02\x80hello\x03"
"""`hello`, in a block that is not compressed."""


def raw_deflate(content: bytes) -> bytes:
    return zlib.compress(content)[2:-4]


@pytest.mark.parametrize(
    ("coding", "coded"),
    [
        ("gzip", gzip.compress(picture())),
        ("X-GZip", gzip.compress(picture())),
        ("deflate", zlib.compress(picture())),
        ("deflate", raw_deflate(picture())),
        ("identity", picture()),
        ("", picture()),
        ("gzip, identity", gzip.compress(picture())),
        ("gzip, gzip", gzip.compress(gzip.compress(picture()))),
        ("deflate, gzip", gzip.compress(zlib.compress(picture()))),
        ("utf-8", picture()),  # unknown: left, as browsers leave it
        ("gzip", gzip.compress(picture()) + b"\0\0 more that follows"),
    ],
)
def test_content_codings_are_undone(tmp_path: Path, site: Site, coding: str, coded: bytes) -> None:
    row = one(tmp_path, site, answer(coded, b"Content-Encoding: " + coding.encode()))
    assert (row["status"], row["error_class"]) == (FetchStatus.OK, None)
    assert stored(tmp_path, row) == picture()
    assert row["bytes"] == len(picture())
    assert "Accept-Encoding: identity\r\n" in site.heads[-1]


@pytest.mark.skipif("brotli" not in pycurl.version, reason="this libcurl has no brotli")
def test_brotli_is_undone(tmp_path: Path, site: Site) -> None:
    row = one(tmp_path, site, answer(BROTLI, b"Content-Encoding: br"))
    assert (row["status"], row["bytes"]) == (FetchStatus.NOT_IMAGE, 5)


@pytest.mark.parametrize(
    ("coding", "coded", "why"),
    [
        (
            "gzip",
            b"hello",
            "bad content encoding: Error while processing content unencoding: "
            "incorrect header check",
        ),
        ("gzip, gzip, gzip", picture(), "too many content codings"),
        ("br, gzip", picture(), "too many content codings"),
    ],
)
def test_a_broken_coding_is_corrupt(
    tmp_path: Path, site: Site, coding: str, coded: bytes, why: str
) -> None:
    row = one(tmp_path, site, answer(coded, b"Content-Encoding: " + coding.encode()))
    assert (row["status"], row["error_class"]) == (FetchStatus.CORRUPT, why)
    assert row["http_status"] == 200


def test_a_coding_without_a_decoder_is_named(tmp_path: Path, site: Site) -> None:
    row = one(tmp_path, site, answer(b"coded", b"Content-Encoding: compress"))
    assert row["status"] == FetchStatus.NOT_IMAGE
    assert row["error_class"] == "coded in compress, which this libcurl does not undo"


def test_a_coded_picture_that_is_cut_is_no_whole_picture(tmp_path: Path, site: Site) -> None:
    cut = gzip.compress(picture())[:-200]
    row = one(tmp_path, site, b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\n" + cut)
    assert row["status"] == FetchStatus.CORRUPT


@pytest.mark.parametrize("coding", [b"gzip", b"gzip, gzip"])
def test_a_bomb_ends_as_too_large_and_is_never_held(
    tmp_path: Path, site: Site, coding: bytes
) -> None:
    bomb = gzip.compress(bytes(64 * MEGABYTE))
    bomb = gzip.compress(bomb) if b"," in coding else bomb
    tracemalloc.start()
    row = one(tmp_path, site, answer(bomb, b"Content-Encoding: " + coding), max_bytes=MEGABYTE)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert (row["status"], row["error_class"]) == (FetchStatus.TOO_LARGE, "body too long")
    assert peak < 16 * MEGABYTE
