"""Settings of the search for labels that a network doubts, and of what becomes of the worst."""

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator

from webemo_curate.config.settings import Flag, StageConfig, setting


def _percent(given: Any) -> Any:
    """Read a percentage given with its sign, such as `5%`."""
    return given.strip().removesuffix("%") if isinstance(given, str) else given


Percentage = Annotated[float, BeforeValidator(_percent)]


class LabelIssuesConfig(StageConfig):
    """How labels are doubted; the networks are those of the train section."""

    doubt: Literal["classes", "labels"] = setting(
        "classes",
        flag=Flag(),
        description="What is doubted: the classes of binarize's --target, or the listed labels.",
    )
    folds: int = setting(
        5,
        ge=2,
        le=20,
        flag=Flag(),
        description="Networks trained: each answers the part, of whole groups, it has not seen.",
    )
    drop_worst: Percentage | None = setting(
        None,
        gt=0,
        lt=100,
        flag=Flag(metavar="N%"),
        description="Percentage of the labeled images, those with the lowest scores, that "
        "undersample leaves out; default: none.",
    )
