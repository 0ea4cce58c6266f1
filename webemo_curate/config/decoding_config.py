"""Bounds of what is decoded: the same in every part of the package."""

from dataclasses import dataclass
from typing import Final

from webemo_curate.config.settings import StageConfig, setting


class DecodingConfig(StageConfig):
    """Which pictures are decoded, by whatever stage or command reads them."""

    max_pixels: int = setting(
        64 * 10**6, ge=1, description="Largest width times height that is decoded."
    )


@dataclass(frozen=True)
class DecodeBounds:
    """What a picture may cost beside its pixels: facts of the project, not a user's to set.

    All but the last two are counted in the file before anything is decoded, so that equal files
    have equal outcomes on every machine. Whoever changes one raises the versions of the stages
    that decode.

    Attributes
    ----------
    scanned_pixels
        Of a JPEG, its scans times its pixels: 16 scans of the largest picture, where encoders
        write 1, 6 or 10. A pixel costs about a nanosecond a scan, even an empty one.
    header_steps
        Segments of a JPEG, and bytes between them, before the first scan; chunks of a PNG. Each
        costs a few microseconds; encoders write some ten, or one for each 8 KB.
    canvas_pixels
        Of a WebP or AVIF, whose decoders hold four copies of a picture: the largest that they
        decode within `memory_bytes`.
    strips
        Strips or tiles of a TIFF, each a few microseconds: as many as the longest side of a JPEG
        has rows, in two planes.
    tile_pixels
        Of a TIFF, pixels of a tile, for which memory is taken however small the picture is.
    run_pixels
        Of a BMP with run-length coding, which Pillow decodes pixel by pixel.
    gif_blocks
        Parts of up to 255 bytes of which a GIF's frames and remarks consist: as many as the largest
        body has, and as many again.
    reach
        Frames of an animation are followed until they hold so many times the pixels that one
        picture may have: by default 1,000 frames of 500 x 500 pixels.
    frame_pixels
        Pixels that a frame counts at least: what a smaller one costs is not its pixels. So no more
        than 15,625 frames are followed by default.
    profile_bytes
        Of a color profile; a larger one is not applied. Those of printers have up to 3 MB.
    seconds
        Processor time for all that is decoded of one file. The largest pictures take about ten.
    memory_bytes
        What decoding one file may take.
    """

    scanned_pixels: int = 16 * 64 * 10**6
    header_steps: int = 65_536
    canvas_pixels: int = 40 * 10**6
    strips: int = 131_072
    tile_pixels: int = 16 * 10**6
    run_pixels: int = 16 * 10**6
    gif_blocks: int = 262_144
    reach: int = 4
    frame_pixels: int = 128 * 128
    profile_bytes: int = 4 * 2**20
    seconds: float = 60.0
    memory_bytes: int = 1000 * 10**6


BOUNDS: Final = DecodeBounds()
"""The bounds in force."""
