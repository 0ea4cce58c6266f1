"""Name content that is not an accepted image, by its first bytes."""

from typing import Final

SIGNATURES: Final = (
    (b"\x00\x00\x00\x0cJXL \r\n\x87\n", "jpeg xl"),
    (b"\xff\x0a", "jpeg xl"),
    (b"\x00\x00\x00\x0cjP  \r\n\x87\n", "jpeg 2000"),
    (b"\xff\x4f\xff\x51", "jpeg 2000"),
    (b"8BPS", "psd"),
    (b"\x00\x00\x01\x00", "ico"),
    (b"\x00\x00\x02\x00", "cur or tga"),
    (b"%PDF-", "pdf"),
    (b"%!PS", "postscript"),
    (b"\xc5\xd0\xd3\xc6", "postscript"),
    (b"qoif", "qoi"),
    (b"DDS ", "dds"),
    (b"\x1a\x45\xdf\xa3", "webm or matroska video"),
    (b"OggS", "ogg"),
    (b"ID3", "mp3"),
    (b"FLV\x01", "flash video"),
    (b"FWS", "flash"),
    (b"CWS", "flash"),
    (b"RIFF", "riff (avi, wav)"),
    (b"PK\x03\x04", "zip"),
    (b"\x1f\x8b", "gzip"),
    (b"BZh", "bzip2"),
    (b"7z\xbc\xaf\x27\x1c", "7z"),
    (b"Rar!", "rar"),
    (b"\x28\xb5\x2f\xfd", "zstandard"),
)
"""First bytes of formats that servers send in place of a picture."""

HEIF_BRANDS: Final = (b"hei", b"hev", b"mif", b"msf")
TEXT_MARKS: Final = (
    (b"<!doctype html", "html page"),
    (b"<html", "html page"),
    (b"<head", "html page"),
    (b"<body", "html page"),
    (b"<svg", "svg"),
)
SEARCHED_BYTES: Final = 4096
"""Bytes within which a page's or a drawing's first tag comes, after comments and declarations."""


def name_content(content: bytes) -> str:
    """Name the kind of content, for a message.

    Parameters
    ----------
    content : bytes
        A file that no reader of an accepted format accepts.

    Returns
    -------
    str
        Such as `svg`, `html page`, `pdf`, `empty`; `unknown content` if it is not recognized.
    """
    if not content:
        return "empty"
    for signature, name in SIGNATURES:
        if content.startswith(signature):
            return name
    if content[4:8] == b"ftyp":
        return _name_boxes(content[8:12])
    return _name_text(content[:SEARCHED_BYTES])


def _name_boxes(brand: bytes) -> str:
    """Name a file of ISO media boxes by its major brand."""
    if brand in (b"avif", b"avis"):
        return "avif"
    return "heic" if brand.startswith(HEIF_BRANDS) else "mp4 or other iso media"


def _name_text(start: bytes) -> str:
    """Name a text by its first tag or marker; markers within comments count too."""
    if start.startswith((b"\xff\xfe", b"\xfe\xff")):
        start = start[2:].replace(b"\0", b"")
    text = start.removeprefix(b"\xef\xbb\xbf").lstrip().lower()
    if text.startswith(b"<"):
        found = [(text.find(mark), name) for mark, name in TEXT_MARKS if mark in text]
        return min(found)[1] if found else "xml"
    if text.startswith((b"{", b"[")):
        return "json"
    return "text" if text and _is_text(text) else "unknown content"


def _is_text(text: bytes) -> bool:
    return all(byte >= 0x20 or byte in b"\t\n\r\f" for byte in text)
