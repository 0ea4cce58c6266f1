"""Bounds of what is decoded: the same in every part of the package."""

from webemo_curate.config.settings import StageConfig, setting


class DecodingConfig(StageConfig):
    """Which pictures are decoded, by whatever stage or command reads them."""

    max_pixels: int = setting(
        64 * 10**6, ge=1, description="Largest width times height that is decoded."
    )
