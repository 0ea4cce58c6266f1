"""Image decoding that hostile files cannot turn into a crash, a hang or a full memory."""

import hashlib
import io
import warnings
from pathlib import Path

from PIL import Image, ImageOps, UnidentifiedImageError

from webemo_curate.schemas import DecodeStatus

FORMATS = {
    "JPEG": ".jpg",
    "PNG": ".png",
    "GIF": ".gif",
    "WEBP": ".webp",
    "BMP": ".bmp",
    "TIFF": ".tif",
}
"""The formats accepted, with the suffix of stored files: those that image hosts serve.

Pillow's other readers (some run Ghostscript, some allocate by header) are never tried.
"""

PAGE = (255, 255, 255)
"""Transparent pixels are shown on white, as a browser's page would."""


class DecodeError(Exception):
    """An image that cannot be used.

    Parameters
    ----------
    status : DecodeStatus
        `corrupt` or `too_large`.
    reason : str
        What the decoder said.
    """

    def __init__(self, status: DecodeStatus, reason: str) -> None:
        super().__init__(reason)
        self.status = status


def check_body(content: bytes, max_pixels: int) -> str | None:
    """Tell a downloaded image's format, once it has been read to its last row.

    Parameters
    ----------
    content : bytes
        A file's bytes.
    max_pixels : int
        Largest width times height that is decoded.

    Returns
    -------
    str or None
        The suffix (`.jpg`, ...); None if it is no image of an accepted format.

    Raises
    ------
    DecodeError
        If it is truncated or broken, or has too many pixels.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            image = Image.open(io.BytesIO(content), formats=list(FORMATS))
    except Image.DecompressionBombError as error:
        raise DecodeError(DecodeStatus.TOO_LARGE, str(error)) from error
    except Exception:  # Pillow's readers raise many kinds on hostile headers
        return None
    with image:
        width, height = image.size
        if width * height > max_pixels:
            raise DecodeError(DecodeStatus.TOO_LARGE, f"{width} x {height} pixels")
        # A JPEG at an eighth of its size costs a third, and all its data is still read.
        image.draft("L", (max(1, width // 8), max(1, height // 8)))
        try:
            image.load()
        except Exception as error:  # Pillow's readers raise many kinds on broken files
            raise _broken(error) from error
        return FORMATS[str(image.format)]


def open_checked(source: bytes | Path, max_pixels: int) -> Image.Image:
    """Open and decode an image to its last row, within bounds.

    Parameters
    ----------
    source : bytes or Path
        The file or its bytes.
    max_pixels : int
        Largest width times height that is decoded.

    Returns
    -------
    PIL.Image.Image
        First frame as stored: mode and orientation untouched, all pixels loaded.

    Raises
    ------
    DecodeError
        If it is no image of an accepted format, is truncated or broken, or has too many pixels.
    """
    stream = io.BytesIO(source) if isinstance(source, bytes) else source
    try:
        with warnings.catch_warnings():
            # Our own bound is stricter; Pillow's warning would only reach the user's terminal.
            warnings.simplefilter("ignore")
            image = Image.open(stream, formats=list(FORMATS))
            width, height = image.size
            if width * height > max_pixels:
                image.close()
                raise DecodeError(DecodeStatus.TOO_LARGE, f"{width} x {height} pixels")
            image.load()
            return image
    except DecodeError:
        raise
    except Image.DecompressionBombError as error:
        raise DecodeError(DecodeStatus.TOO_LARGE, str(error)) from error
    except UnidentifiedImageError as error:
        # Pillow's own message holds the stream's address in memory, which differs in every run.
        raise DecodeError(DecodeStatus.CORRUPT, "no image of an accepted format") from error
    except Exception as error:  # Pillow's readers raise many kinds on broken files
        raise _broken(error) from error


def to_rgb(image: Image.Image) -> Image.Image:
    """Turn a decoded image upright and into RGB.

    Parameters
    ----------
    image : PIL.Image.Image
        Any mode; transparency is laid on white.

    Returns
    -------
    PIL.Image.Image
        Mode RGB, EXIF orientation applied.

    Raises
    ------
    DecodeError
        If Pillow cannot convert it.
    """
    try:
        upright = ImageOps.exif_transpose(image)
        if not upright.has_transparency_data:
            return upright.convert("RGB")
        layer = upright.convert("RGBA")
        page = Image.new("RGBA", layer.size, (*PAGE, 255))
        return Image.alpha_composite(page, layer).convert("RGB")
    except Exception as error:  # broken EXIF and palettes raise many kinds
        raise _broken(error) from error


def load_rgb(source: bytes | Path, max_pixels: int) -> Image.Image:
    """Decode an image to upright RGB within bounds; see `open_checked` and `to_rgb`."""
    return to_rgb(open_checked(source, max_pixels))


def pixel_hash(picture: Image.Image) -> str:
    """Hash what a picture shows, whatever its file format.

    Parameters
    ----------
    picture : PIL.Image.Image
        Upright RGB.

    Returns
    -------
    str
        SHA-256 of size and pixels, in hex.
    """
    width, height = picture.size
    hasher = hashlib.sha256(f"{width}x{height};".encode())
    hasher.update(picture.tobytes())
    return hasher.hexdigest()


def _broken(error: Exception) -> DecodeError:
    return DecodeError(DecodeStatus.CORRUPT, f"{type(error).__name__}: {error}")
