"""The accepted formats, in one table from which suffixes and the Accept header are made."""

import io
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Final, Literal

from PIL import ImageFile, features
from PIL.AvifImagePlugin import AvifImageFile
from PIL.BmpImagePlugin import BmpImageFile
from PIL.GifImagePlugin import GifImageFile
from PIL.JpegImagePlugin import JpegImageFile
from PIL.PngImagePlugin import PngImageFile
from PIL.WebPImagePlugin import WebPImageFile

from webemo_curate.config import BOUNDS
from webemo_curate.imaging import essence, work
from webemo_curate.imaging.deep_tiff import DeepTiffFile

Matches = Callable[[bytes], bool]
Counts = Callable[[bytes], None]
Essences = Callable[[bytes], Iterator[bytes]]
Size = tuple[int, int]


def _as_it_is(content: bytes) -> Iterator[bytes]:
    yield content


def _as_its_pixels(content: bytes) -> None:
    """Accept a file, for formats whose work is bounded by the file's size."""


@dataclass(frozen=True)
class Format:
    """An image file format.

    Attributes
    ----------
    name
        Name used in the images manifest.
    suffix
        Suffix of stored files.
    mime
        Media type, used in requests.
    reader
        Pillow's reader.
    matches
        Returns whether content has this format, by its first bytes.
    frames
        Whether a file may hold several frames in sequence: `one` for no; `counted` if the reader
        counts them when it opens the file; `sought` if they must be sought one by one. The pages of
        a TIFF file and the previews in a JPEG are not frames: only the first picture counts.
    essences
        Yields the content, and then reduced forms without metadata that may be broken.
    declared_size
        Reads width and height from the first bytes, for readers that allocate when they open a
        file.
    max_pixels
        Most pixels of a picture, for decoders that need more memory than the pixels.
    count_work
        Raises a `DecodeError` if a file asks for more work than its size shows; see `imaging.work`.
    """

    name: str
    suffix: str
    mime: str
    reader: type[ImageFile.ImageFile]
    matches: Matches
    frames: Literal["one", "counted", "sought"] = "one"
    essences: Essences = _as_it_is
    declared_size: Callable[[bytes], Size | None] | None = None
    max_pixels: int | None = None
    count_work: Counts = _as_its_pixels

    def open(self, content: bytes) -> ImageFile.ImageFile:
        """Open a file with the format's reader, without decoding anything.

        Raises whatever the reader raises on broken files.
        """
        return self.reader(io.BytesIO(content))

    def holds_one(self, image: ImageFile.ImageFile) -> bool:
        """Return whether an open file is known to hold only one picture."""
        if self.frames == "counted":
            return getattr(image, "n_frames", 1) == 1
        return self.frames == "one"


def _starts(*signatures: bytes) -> Matches:
    return lambda content: content.startswith(signatures)


def _is_webp(content: bytes) -> bool:
    return content.startswith(b"RIFF") and content[8:12] == b"WEBP"


def _webp_size(content: bytes) -> Size | None:
    """Read the size of the canvas (RFC 9649, 2.5 to 2.7)."""
    kind, start = content[12:16], content[20:30]
    if kind == b"VP8X":
        return 1 + int.from_bytes(start[4:7], "little"), 1 + int.from_bytes(start[7:10], "little")
    if kind == b"VP8L":
        bits = int.from_bytes(start[1:5], "little")
        return 1 + (bits & 0x3FFF), 1 + (bits >> 14 & 0x3FFF)
    if kind == b"VP8 ":
        width, height = (int.from_bytes(start[at : at + 2], "little") for at in (6, 8))
        return width & 0x3FFF, height & 0x3FFF
    return None


def _is_bmp(content: bytes) -> bool:
    """Check the header length too, because many texts begin with the same two letters."""
    headers = (12, 16, 40, 52, 56, 64, 108, 124)
    return content.startswith(b"BM") and int.from_bytes(content[14:18], "little") in headers


def _is_avif(content: bytes) -> bool:
    """Look for an AVIF brand among the compatible brands, because HEIC files begin alike."""
    if content[4:8] != b"ftyp":
        return False
    brands = content[8 : min(int.from_bytes(content[:4], "big"), 256)]
    return any(brands[at : at + 4] in (b"avif", b"avis") for at in range(0, len(brands), 4))


def _formats() -> Iterator[Format]:
    """Yield the formats this Pillow can read, except readers that run programs or trust headers.

    The readers are named explicitly: `Image.open` would turn a JPEG into a multi-picture file, and
    would hide a reader's message about a broken file.
    """
    if features.check("avif"):
        mime = "image/avif"
        avif = Format("AVIF", ".avif", mime, AvifImageFile, _is_avif, "counted", essence.of_avif)
        yield replace(avif, max_pixels=BOUNDS.canvas_pixels)
    webp = Format("WEBP", ".webp", "image/webp", WebPImageFile, _is_webp, "counted")
    yield replace(webp, declared_size=_webp_size, max_pixels=BOUNDS.canvas_pixels)
    png = Format("PNG", ".png", "image/png", PngImageFile, _starts(b"\x89PNG\r\n\x1a\n"), "counted")
    yield replace(png, essences=essence.of_png, count_work=work.of_png)
    jpeg = Format("JPEG", ".jpg", "image/jpeg", JpegImageFile, _starts(b"\xff\xd8\xff"))
    yield replace(jpeg, essences=essence.of_jpeg, count_work=work.of_jpeg)
    gif = Format("GIF", ".gif", "image/gif", GifImageFile, _starts(b"GIF87a", b"GIF89a"), "sought")
    yield replace(gif, count_work=work.of_gif)
    yield Format("BMP", ".bmp", "image/bmp", BmpImageFile, _is_bmp, count_work=work.of_bmp)
    tiff = _starts(b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
    yield Format("TIFF", ".tif", "image/tiff", DeepTiffFile, tiff, count_work=work.of_tiff)


FORMATS: Final = tuple(_formats())
"""The accepted formats: those that browsers show, and TIFF."""


def find_format(content: bytes) -> Format | None:
    """Return the format of content; None if it is not one of `FORMATS`."""
    return next((kind for kind in FORMATS if kind.matches(content)), None)


def accepted_types() -> tuple[str, ...]:
    """Return the media types of the accepted formats, for an Accept header."""
    return tuple(kind.mime for kind in FORMATS)
