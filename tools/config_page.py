"""docs/configuration.md, generated from the models: `python -m tools.config_page > FILE`."""

from collections.abc import Iterator
from pathlib import Path
from types import NoneType
from typing import Any, Literal, get_args, get_origin

from annotated_types import Ge, Gt, Le, Lt
from pydantic import BaseModel
from pydantic.fields import FieldInfo

from webemo_curate.config.experiment_config import ExperimentConfig
from webemo_curate.config.pipeline_config import PipelineConfig
from webemo_curate.config.settings import OPERATIONAL, flag_of, option_name
from webemo_curate.config.train_config import PRESETS

HEADER = """\
# Configuration

Generated from `webemo_curate/config/`. A pipeline file and a workspace's `curate.yaml` have the
sections below; all of them and all their settings may be left out. Where a setting has an option,
a command takes it too, and a command that succeeds remembers it in `curate.yaml`.
`curate config show` says where each value comes from, `curate config set SECTION.NAME VALUE` and
`curate config unset SECTION.NAME` change it.

A setting marked *how* decides how a stage runs (speed, place, politeness) and never what it finds.
Changing any other makes the stages that read it stale.
"""

COLUMNS = "| setting | option | default | values | is |\n|---|---|---|---|---|\n"

SIGNS: dict[type, tuple[str, str]] = {
    Ge: ("≥", "ge"),
    Gt: (">", "gt"),
    Le: ("≤", "le"),
    Lt: ("<", "lt"),
}
"""Symbols of limits, and the attributes that hold them."""


def config_page() -> str:
    """Return the page as Markdown: a table for each section."""
    own = {name: field for name, field in PipelineConfig.model_fields.items() if not _model(field)}
    sections = "".join(
        _section(f"`{name}`", model.model_fields, model.__doc__ or "")
        for name, field in PipelineConfig.model_fields.items()
        if (model := _model(field))
    )
    return (
        HEADER
        + _section("Top level", own, "Settings outside any section.")
        + sections
        + _section("Experiment files", ExperimentConfig.model_fields, EXPERIMENTS)
        + _presets()
    )


EXPERIMENTS = (
    "What `curate experiment FILE` reads. Each of `networks` has the settings of `train`; those "
    "under `common` are every network's."
)


def _section(title: str, fields: dict[str, FieldInfo], about: str) -> str:
    summary = about.strip().split("\n\n")[0].replace("\n", " ")
    rows = "".join(_row(name, field) for name, field in fields.items())
    return f"\n## {title}\n\n{summary}\n\n{COLUMNS}{rows}"


def _row(name: str, field: FieldInfo) -> str:
    extra = field.json_schema_extra
    how = " *(how)*" if isinstance(extra, dict) and OPERATIONAL in extra else ""
    flag = flag_of(field)
    option = f"`{flag.names if flag and flag.names else option_name(name, field)}`" if flag else ""
    values = ", ".join([*_choices(field.annotation), *_bounds(field)])
    about = _cell(field.description or "")
    cells = (name, _cell(option), _cell(_default(field)), _cell(values), about + how)
    return f"| {' | '.join(cells)} |\n"


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def _default(field: FieldInfo) -> str:
    if field.is_required():
        return "must be given"
    value = field.get_default(call_default_factory=True)
    if value is None:
        return "none"
    if isinstance(value, tuple):
        return ", ".join(f"`{part}`" for part in value) or "empty"
    return f"`{str(value).lower() if isinstance(value, bool) else value}`"


def _choices(annotation: Any) -> Iterator[str]:
    if get_origin(annotation) is Literal:
        yield from (f"`{choice}`" for choice in get_args(annotation))
    elif annotation in KINDS:
        yield KINDS[annotation]
    else:
        for part in get_args(annotation):
            yield from _choices(part)


KINDS: dict[Any, str] = {
    bool: "true, false",
    int: "whole number",
    float: "number",
    str: "text",
    Path: "path",
    NoneType: "none",
}


def _bounds(field: FieldInfo) -> list[str]:
    signs = [(SIGNS[type(bound)], bound) for bound in field.metadata if type(bound) in SIGNS]
    return [f"{sign} {getattr(bound, name)}" for (sign, name), bound in signs]


def _model(field: FieldInfo) -> type[BaseModel] | None:
    kinds = (field.annotation, *get_args(field.annotation))
    return next((kind for kind in kinds if _is_model(kind)), None)


def _is_model(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, BaseModel)


def _presets() -> str:
    rows = "".join(
        f"| `{name}` | {', '.join(map(_set_to, preset.items())) or 'the defaults'} |\n"
        for name, preset in PRESETS.items()
    )
    table = f"| preset | sets |\n|---|---|\n{rows}"
    return f"\n## Presets of `train`\n\nGiven settings win over a preset's.\n\n{table}"


def _set_to(item: tuple[str, Any]) -> str:
    name, value = item
    return f"{name}: {str(value).lower() if isinstance(value, bool) else value}"


if __name__ == "__main__":
    print(config_page(), end="")
