"""How labels become classes, and how the sample is balanced and divided."""

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, model_validator

from webemo_curate.config.settings import AbsolutePath, CommaList, Flag, StageConfig, setting

LARGEST_RATIO = 1e9
DRAW_SEED = "Seed of the draw."


class BinarizeConfig(StageConfig):
    """Which labels make the positive class."""

    positive: CommaList = setting(
        ("sadness",),
        min_length=1,
        flag=Flag(metavar="NAME,..."),
        description="Labels, or groups of any level, that make the positive class.",
    )
    level: int = setting(
        2,
        ge=1,
        flag=Flag(),
        description="Which is meant where a name stands on several levels; 1: the labels.",
    )
    conflicts: Literal["drop", "positive", "majority"] = setting(
        "drop",
        flag=Flag(),
        description="What becomes of a picture under labels of both classes.",
    )
    exclude: CommaList = setting(
        (),
        flag=Flag(metavar="LABEL,..."),
        description="Labels or groups left out, such as 'surprise,confusion'.",
    )

    def fingerprint(self) -> dict[str, Any]:
        """Return the fields as JSON values; one positive name is a text, as it was before several.

        Returns
        -------
        dict of str to Any
            See `StageConfig.fingerprint`.
        """
        document = super().fingerprint()
        if len(self.positive) == 1:
            document["positive"] = self.positive[0]
        return document


class UndersampleConfig(StageConfig):
    """How the classes are balanced."""

    positive_fraction: float = setting(
        0.46,
        gt=0,
        lt=1,
        flag=Flag(),
        description="Share of the positive class after the draw.",
    )
    size: int | None = setting(None, ge=2, flag=Flag(), description="Images kept in all.")
    seed: int = setting(0, flag=Flag(), description=DRAW_SEED)


def _split_slashes(given: Any) -> Any:
    if not isinstance(given, str):
        return given
    try:
        return tuple(float(part) for part in given.split("/"))
    except ValueError:
        raise ValueError("give three numbers, such as 80/10/10") from None


class SplitConfig(StageConfig):
    """How the sample is divided."""

    ratios: Annotated[tuple[float, float, float], BeforeValidator(_split_slashes)] = setting(
        (80, 10, 10),
        flag=Flag(metavar="A/B/C"),
        description="Shares of train/validation/test, such as 80/10/10.",
    )
    seed: int = setting(0, flag=Flag(), description=DRAW_SEED)
    official: bool = setting(
        False,
        flag=Flag("--official/--free"),
        description="Keep WEBEmo's own test list apart as the test split.",
    )
    extend: AbsolutePath | None = setting(
        None,
        operational=True,
        flag=Flag(),
        description="Folder of an earlier split's manifests, whose images stay where they are.",
    )

    @model_validator(mode="after")
    def _check_ratios(self) -> "SplitConfig":
        if min(self.ratios) < 0 or self.ratios[0] <= 0 or max(self.ratios) > LARGEST_RATIO:
            raise ValueError("ratios are three numbers train/validation/test such as 80/10/10")
        return self
