"""No setting of a stage is forgotten: it changes the fingerprint, or is marked as operational."""

from pathlib import Path
from typing import Any, Literal, get_args, get_origin

import pytest
from pydantic.fields import FieldInfo

from webemo_curate.config import PipelineConfig, StageConfig
from webemo_curate.config.listing_config import PLACES
from webemo_curate.config.settings import OPERATIONAL
from webemo_curate.pipeline import build_stages
from webemo_curate.stages.stage import Stage
from webemo_curate.verdicts import QualityFlag

OTHER_VALUES: dict[tuple[str, str], Any] = {
    ("ocr", "second_side"): 640,
    ("listing", "encoding"): "cp1252",
    ("listing", "delimiter"): ";",
    ("listing", "label_column"): ("mood",),
    **{("listing", f"{cell}_column"): "other" for cell in ("url", "path", "split", "group", "id")},
    ("text", "threshold"): 0.77,
    ("quality", "drop"): (QualityFlag.DARK,),
    ("text", "min_area"): 0.11,
    ("undersample", "size"): 12,
    ("undersample", "shares"): ("joy=1", "anger=2"),
    ("fetch", "limit"): 12,
    ("split", "ratios"): (70, 20, 10),
    ("binarize", "positive"): ("anger",),
    ("binarize", "exclude"): ("anger",),
}
"""Values of fields whose other values do not follow from type and default."""

NOT_HERE = {("ocr", "engine"), ("ocr", "device")} | {("listing", place) for place in PLACES}
"""Fields whose effect needs a GPU or weights (tests/ocr/test_selection.py shows it), or that enter
by the digest of what they name."""

STAGES = build_stages(PipelineConfig.model_validate({"filter_text": {"engine": "rapidocr"}}))
FIELDS = [
    pytest.param(stage, name, field, id=f"{stage.name}.{name}")
    for stage in STAGES
    for name, field in type(stage.config).model_fields.items()
    if (stage.name, name) not in NOT_HERE
]


def operational(field: FieldInfo) -> bool:
    """Tell whether a field is said to decide nothing."""
    return OPERATIONAL in (field.json_schema_extra or {})


def another(stage: str, name: str, field: FieldInfo) -> Any:
    """Return a value that is not the default."""
    if (stage, name) in OTHER_VALUES:
        return OTHER_VALUES[stage, name]
    if get_origin(field.annotation) is Literal:
        return next(value for value in get_args(field.annotation) if value != field.default)
    if isinstance(field.default, bool):
        return not field.default
    if isinstance(field.default, int):
        return field.default + 1
    assert isinstance(field.default, float), f"name another value of {stage}.{name}"
    return field.default / 2


@pytest.mark.parametrize(("stage", "name", "field"), FIELDS)
def test_every_setting_is_in_the_fingerprint_or_decides_nothing(
    stage: Stage[StageConfig], name: str, field: FieldInfo
) -> None:
    before = stage.configuration()
    if operational(field):
        assert name not in before
        return
    changed = stage.config.model_copy(update={name: another(stage.name, name, field)})
    own = stage.config
    stage.config = changed
    try:
        assert stage.configuration() != before
    finally:
        stage.config = own


def test_every_section_of_a_stage_reaches_one() -> None:
    read = {field for stage in STAGES for field in type(stage.config).model_fields}
    sections = (
        "fetch",
        "images",
        "quality",
        "filter_text",
        "features",
        "dedup",
        "binarize",
        "split",
    )
    for section in sections:
        own = PipelineConfig.model_fields[section].annotation
        assert set(getattr(own, "model_fields", {})) <= read, section


def test_fingerprints_of_the_example_are_what_its_manifests_say() -> None:
    from webemo_curate.manifest import read_info

    example = Path(__file__).parents[2] / "manifests"
    for stage in STAGES:
        info = read_info(example / f"{stage.outputs[0]}.parquet")
        assert info is not None
        assert set(info.origin.configuration) == set(stage.configuration()), stage.name
