"""Settings of exports, of releases, and of rebuilding a release."""

from enum import StrEnum

from pydantic import field_validator

from webemo_curate.config.settings import CommaList, Flag, StageConfig, setting
from webemo_curate.verdicts import Split

ACCEPTABLE = ("same_pixels", "re_encoded", "substitute")
"""Outcomes of `rebuild` by which a picture may replace one that its URL no longer serves byte by
byte."""


class ExportFormat(StrEnum):
    """The formats in which the final set is exported."""

    HUGGINGFACE = "huggingface"
    WEBDATASET = "webdataset"
    IMAGEFOLDER = "imagefolder"
    CROISSANT = "croissant"
    FIFTYONE = "fiftyone"
    CSV = "csv"


class ExportConfig(StageConfig):
    """What is exported, and what its card says."""

    splits: CommaList = setting(
        (),
        operational=True,
        flag=Flag(metavar="SPLIT,..."),
        description="Splits that are written, such as 'train,test'; default: all.",
    )
    shard_images: int = setting(
        2000, operational=True, ge=1, flag=Flag(), description="Images in each shard."
    )
    license: str | None = setting(
        None,
        operational=True,
        min_length=1,
        flag=Flag(),
        description="License of labels and lists that the card states, such as cc-by-4.0.",
    )
    name: str = setting(
        "curated-emotions",
        operational=True,
        min_length=1,
        flag=Flag(),
        description="Name of the set in its card.",
    )

    @field_validator("splits")
    @classmethod
    def _check_splits(cls, given: tuple[str, ...]) -> tuple[str, ...]:
        if unknown := sorted(set(given) - set(Split)):
            raise ValueError(f"no split {unknown[0]!r}; there are {', '.join(Split)}")
        return tuple(str(split) for split in Split if split in given)


class RebuildConfig(StageConfig):
    """Which pictures a rebuilt set may hold."""

    accept: CommaList = setting(
        (),
        flag=Flag(metavar="OUTCOME,..."),
        description=f"Take pictures of these outcomes too: {', '.join(ACCEPTABLE)}.",
    )
    distance: int = setting(
        10,
        ge=0,
        le=64,
        flag=Flag(),
        description="Bits of perceptual hash by which a re-encoded picture may differ.",
    )

    @field_validator("accept")
    @classmethod
    def _check_accept(cls, given: tuple[str, ...]) -> tuple[str, ...]:
        if unknown := sorted(set(given) - set(ACCEPTABLE)):
            raise ValueError(f"no such outcome: {unknown[0]!r}; give {', '.join(ACCEPTABLE)}")
        return given
