"""Limits of decoding, the same in every part of the package."""

from dataclasses import dataclass
from typing import Final

from webemo_curate.config.settings import StageConfig, setting


class DecodingConfig(StageConfig):
    """Which pictures are decoded, by any stage or command."""

    max_pixels: int = setting(
        64 * 10**6, ge=1, description="Largest width times height that is decoded."
    )


@dataclass(frozen=True)
class DecodeBounds:
    """What decoding may cost beyond the number of pixels: facts of the project, not settings.

    All but the last two are counted in the file before anything is decoded, so that equal files
    have equal outcomes on every machine. Whoever changes one raises the versions of the stages that
    decode.

    Attributes
    ----------
    scanned_pixels
        Most scans times pixels of a JPEG: 16 scans of the largest picture, where encoders write 1,
        6 or 10. A pixel costs about a nanosecond a scan, even an empty one.
    header_steps
        Most segments of a JPEG, and bytes between them, before the first scan; most chunks of a
        PNG. Each costs a few microseconds; encoders write about ten, or one for each 8 KB.
    canvas_pixels
        Most pixels of a WebP or AVIF, whose decoders hold four copies of a picture: the most that
        they decode within `memory_bytes`.
    strips
        Most strips or tiles of a TIFF, each costing a few microseconds: as many as the longest side
        of a JPEG has rows, in two planes.
    tile_pixels
        Most pixels of a TIFF's tile, for which memory is taken however small the picture is.
    sample_bytes
        Most bytes of the samples of a TIFF that Pillow does not read: as many as the largest
        picture has with one of 32 bits a pixel.
    run_pixels
        Most pixels of a BMP with run-length coding, which Pillow decodes pixel by pixel.
    gif_blocks
        Most blocks of up to 255 bytes in a GIF's frames and comments: twice as many as the largest
        body has.
    reach
        Frames of an animation are decoded until they hold this many times the pixels allowed for
        one picture: by default 1,000 frames of 500 x 500 pixels.
    frame_pixels
        Least pixels that a frame counts for, because a small frame's cost is not in its pixels. So
        at most 15,625 frames are decoded by default.
    profile_bytes
        Most bytes of a color profile; a larger one is not applied. Printers' profiles have up to 3
        MB.
    seconds
        Processor seconds to decode one file. The largest pictures take about ten.
    memory_bytes
        Most memory, in bytes, to decode one file.
    """

    scanned_pixels: int = 16 * 64 * 10**6
    header_steps: int = 65_536
    canvas_pixels: int = 40 * 10**6
    strips: int = 131_072
    tile_pixels: int = 16 * 10**6
    sample_bytes: int = 4 * 64 * 10**6
    run_pixels: int = 16 * 10**6
    gif_blocks: int = 262_144
    reach: int = 4
    frame_pixels: int = 128 * 128
    profile_bytes: int = 4 * 2**20
    seconds: float = 60.0
    memory_bytes: int = 1000 * 10**6


BOUNDS: Final = DecodeBounds()
"""The limits in force."""
