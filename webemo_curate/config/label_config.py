"""Settings that turn labels into classes, and that balance and split the sample."""

from contextlib import suppress
from fractions import Fraction
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, model_validator

from webemo_curate.config.settings import AbsolutePath, CommaList, Flag, StageConfig, setting
from webemo_curate.quoting import quoted
from webemo_curate.verdicts import Split

MAX_RATIO = 1e9
DRAW_SEED = "Seed of the draw."


Target = Literal["binary", "level2", "labels"]
"""The kinds of classes: some labels against all others, the groups of level 2, or the labels."""


class BinarizeConfig(StageConfig):
    """How classes are made from labels."""

    target: Target = setting(
        "binary",
        flag=Flag(),
        description="Classes: --positive against all others, level 2's groups, or labels.",
    )
    positive: CommaList = setting(
        ("sadness",),
        min_length=1,
        flag=Flag(metavar="NAME,..."),
        description="Labels, or groups of any level, that make the binary target's positive class.",
    )
    level: int = setting(
        2,
        ge=1,
        flag=Flag(),
        description="Level meant by a name that occurs on several levels; 1: the labels.",
    )
    conflicts: Literal["drop", "positive", "majority"] = setting(
        "drop",
        flag=Flag(),
        description="What happens to a picture with labels of several classes.",
    )
    exclude: CommaList = setting(
        (),
        flag=Flag(metavar="LABEL,..."),
        description="Labels or groups left out, such as 'surprise,confusion'.",
    )

    @model_validator(mode="after")
    def _check_policy(self) -> "BinarizeConfig":
        if self.conflicts == "positive" and self.target != "binary":
            raise ValueError(
                f"--conflicts positive is for --target binary alone, and --target is {self.target}"
                ": give --conflicts drop or majority"
            )
        return self

    def fingerprint(self) -> dict[str, Any]:
        """Return the fields that decide the target, in the form used before there were several.

        The binary target is not named, and a single positive name is a text; other targets have no
        positive class.

        Returns
        -------
        dict of str to Any
            See `StageConfig.fingerprint`.
        """
        document = super().fingerprint()
        if self.target != "binary":
            unused = ("positive", "level")
            return {name: value for name, value in document.items() if name not in unused}
        del document["target"]
        if len(self.positive) == 1:
            document["positive"] = self.positive[0]
        return document


MAX_PART = 30
LISTED = "listed"
"""Stands for the classes' own shares: no class is cut."""


def _check_part(given: str) -> str:
    name, equals, part = given.rpartition("=")
    try:
        fits = len(part) <= MAX_PART and 1 / MAX_RATIO <= float(part) <= MAX_RATIO
        sound = bool(name and equals) and fits
    except ValueError:
        sound = False
    if not sound:
        raise ValueError(f"{quoted(given)} is no NAME=PART with a part above 0, such as joy=2")
    return given


def _check_parts(given: tuple[str, ...]) -> tuple[str, ...]:
    if given == (LISTED,):
        return given
    names = [_check_part(text).rpartition("=")[0] for text in given]
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise ValueError(f"{quoted(twice[0])} is given twice")
    return given


class UndersampleConfig(StageConfig):
    """How the classes are balanced."""

    positive_fraction: float = setting(
        0.46,
        gt=0,
        lt=1,
        flag=Flag(),
        description="Share of the positive class after the draw; binary target only.",
    )
    shares: Annotated[CommaList, AfterValidator(_check_parts)] = setting(
        (),
        flag=Flag(metavar="NAME=PART,..."),
        description="Parts that all classes have after the draw, such as 'joy=2,anger=1', or "
        "'listed': all images; default: equal parts, or --positive-fraction.",
    )
    size: int | None = setting(None, ge=2, flag=Flag(), description="Total number of images kept.")
    seed: int = setting(0, flag=Flag(), description=DRAW_SEED)

    @property
    def parts(self) -> dict[str, Fraction]:
        """The given parts, by class name."""
        given = () if self.shares == (LISTED,) else self.shares
        return {name: Fraction(part) for name, _, part in (text.rpartition("=") for text in given)}

    def fingerprint(self) -> dict[str, Any]:
        """Return the fields as JSON values; shares that were not given are left out, as before.

        Returns
        -------
        dict of str to Any
            See `StageConfig.fingerprint`.
        """
        document = super().fingerprint()
        if not self.shares:
            del document["shares"]
        return document


def _split_slashes(given: Any) -> Any:
    parts = given.split("/") if isinstance(given, str) else given
    if isinstance(parts, list | tuple) and len(parts) == len(Split):
        with suppress(TypeError, ValueError):
            return tuple(float(part) for part in parts)
    raise ValueError("give three numbers, such as 80/10/10")


class SplitConfig(StageConfig):
    """How the sample is split."""

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
        if min(self.ratios) < 0 or self.ratios[0] <= 0 or max(self.ratios) > MAX_RATIO:
            raise ValueError("ratios are three numbers train/validation/test such as 80/10/10")
        return self
