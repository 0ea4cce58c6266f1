"""Settings for decoding, describing and comparing pictures."""

from webemo_curate.config.settings import Flag, StageConfig, setting


class ImagesConfig(StageConfig):
    """How stored bodies are decoded and hashed."""

    partition_rows: int = setting(
        512, operational=True, ge=1, description="Files that a worker gets at a time."
    )


class FeaturesConfig(StageConfig):
    """Local features, by which crops, captions and borders are found."""

    enabled: bool = setting(
        True,
        flag=Flag("--crops/--no-crops"),
        description="Find crops, captions and borders as well.",
    )
    partition_rows: int = setting(
        256, operational=True, ge=1, description="Files that a worker gets at a time."
    )


REACH = 12
"""Largest distance of hashes, in bits, up to which pairs are always measured."""


class MatchingConfig(StageConfig):
    """Which pairs of images are measured."""

    perceptual: bool = setting(
        True,
        flag=Flag("--near/--exact-only"),
        description="Find near duplicates, or equal pixels alone.",
    )
    reach: int = setting(REACH, ge=0, le=64, description="Largest distance of hashes, in bits.")
    partition_rows: int = setting(
        64, operational=True, ge=1, description="Pairs that a worker gets at a time."
    )


class DedupConfig(StageConfig):
    """Which images count as the same picture."""

    distance: int = setting(
        10,
        ge=0,
        le=64,
        flag=Flag(),
        description="Largest Hamming distance, in bits, of perceptual hashes that are looked at.",
    )
    perceptual: bool = setting(
        True,
        flag=Flag("--near/--exact-only"),
        description="Find near duplicates, or equal pixels alone.",
    )
    min_inliers: int = setting(
        16, ge=4, flag=Flag(), description="Keypoints that must agree on one placing."
    )
    min_correlation: float = setting(
        0.8,
        ge=-1,
        le=1,
        flag=Flag(),
        description="Least correlation of the gray values where two pictures overlap.",
    )
    max_changed: float = setting(
        0.008,
        ge=0,
        le=1,
        flag=Flag(),
        description="Largest part that may differ, as a share of the overlap.",
    )
    partition_rows: int = setting(
        64, operational=True, ge=1, description="Pairs that a worker gets at a time."
    )

    @property
    def matching(self) -> MatchingConfig:
        """The pairs to measure: more than are accepted now, so that limits can be changed later."""
        return MatchingConfig(
            perceptual=self.perceptual,
            reach=max(REACH, self.distance),
            partition_rows=self.partition_rows,
        )
