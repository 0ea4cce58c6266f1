"""The base of all configurations: frozen models whose fields declare their options.

A field's declaration holds its default, limits, help and command-line option.
"""

import json
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Final, Self, TypeVar

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ByteSize,
    ConfigDict,
    Field,
    TypeAdapter,
    model_validator,
)
from pydantic.fields import FieldInfo

from webemo_curate.machine import at_home
from webemo_curate.quoting import quoted

OPERATIONAL = "operational"
"""Marks a field that changes how a stage runs (speed, politeness, place), never its result."""

FLAG = "flag"
"""Key under which a field's `Flag` is stored."""

PANEL = "Options"
"""Help panel of options whose flag names no other."""


@dataclass(frozen=True)
class Flag:
    """The command-line option of a field.

    Attributes
    ----------
    names
        The option's declaration, such as `--near/--exact-only`; empty for `--` and the field's
        name.
    panel
        Heading of the option's panel in the help.
    old_name
        An earlier name, accepted for one more release.
    switch
        Values of a pair of flags: `{True: "gpu", False: "cpu"}` for `--gpu/--cpu`.
    metavar
        Placeholder for the value in the help.
    """

    names: str = ""
    panel: str = PANEL
    old_name: str | None = None
    switch: Mapping[bool, str] | None = None
    metavar: str | None = None


def setting(
    default: Any, *, flag: Flag | None = None, operational: bool = False, **constraints: Any
) -> Any:
    """Declare a field.

    Parameters
    ----------
    default : Any
        The field's default.
    flag : Flag, optional
        The field's option; without one the field can only be set in a pipeline file.
    operational : bool, default False
        Whether the field is left out of the stage's fingerprint.
    **constraints : Any
        Passed to `pydantic.Field` (`ge`, `gt`, `description`, ...).

    Returns
    -------
    Any
        A pydantic field.
    """
    extra: dict[str, Any] = {OPERATIONAL: True} if operational else {}
    if flag:
        extra[FLAG] = flag
    return Field(default, json_schema_extra=extra, **constraints)


def flag_of(field: FieldInfo) -> Flag | None:
    """Return a field's option; None if it has none."""
    extra = field.json_schema_extra
    flag = extra.get(FLAG) if isinstance(extra, dict) else None
    return flag if isinstance(flag, Flag) else None


def option_name(name: str, field: FieldInfo) -> str:
    """Return the name of a field's option, such as `--positive-fraction`."""
    flag = flag_of(field)
    declared = flag.names.split("/")[0] if flag else ""
    return declared or "--" + name.replace("_", "-")


def _split_commas(given: Any) -> Any:
    if not isinstance(given, str):
        return given
    with suppress(ValueError, RecursionError):
        if isinstance(listed := json.loads(given), list):
            return listed
    return [part.strip() for part in given.split(",") if part.strip()]


def comma_list(names: Sequence[str]) -> str:
    """Write names as a `CommaList` reads them: a name may hold commas itself.

    Parameters
    ----------
    names : sequence of str
        Any names.

    Returns
    -------
    str
        With commas, such as `joy,anger`; where that means other names, as a JSON array.
    """
    plain = ",".join(names)
    return plain if _split_commas(plain) == [*names] else json.dumps([*names], ensure_ascii=False)


AbsolutePath = Annotated[Path, AfterValidator(at_home), AfterValidator(Path.absolute)]
"""A path made absolute, so that it stays valid when a later command starts elsewhere."""

CommaList = Annotated[tuple[str, ...], BeforeValidator(_split_commas)]
"""Several names; also accepted as one text with commas, or as a JSON array of names with commas."""


def _count_bytes(given: Any) -> Any:
    return int(TypeAdapter(ByteSize).validate_python(given)) if isinstance(given, str) else given


ByteCount = Annotated[int, BeforeValidator(_count_bytes)]
"""A number of bytes; also accepted as text with a unit, such as 4GB or 512MiB."""


WHOLE_BOUND: Final = 2**63 - 1
"""Largest magnitude of whole numbers that columns and generators can hold."""

SMALLEST, LARGEST = 1e-30, 1e15
"""Limits of other numbers except 0: their reciprocals and products stay finite, also as seconds."""


class StageConfig(BaseModel):
    """Base of all stage configurations: frozen, and strict about unknown names."""

    # A rejected input may be a secret; `config_files.validate` shows it masked.
    model_config = ConfigDict(
        frozen=True, extra="forbid", allow_inf_nan=False, hide_input_in_errors=True
    )

    @model_validator(mode="after")
    def _check_magnitudes(self) -> Self:
        """Raise if a number exceeds what clocks, arrays and database columns can hold."""
        for name in type(self).model_fields:
            for value in _numbers(getattr(self, name)):
                if _is_extreme(value):
                    raise ValueError(f"{name}: {quoted(value)} is too large or too small a number")
        return self

    def fingerprint(self) -> dict[str, Any]:
        """Return the fields that can change a stage's result, as JSON values.

        Returns
        -------
        dict of str to Any
            Every field that is not marked operational.
        """
        left_out = {
            name
            for name, field in type(self).model_fields.items()
            if isinstance(field.json_schema_extra, dict) and OPERATIONAL in field.json_schema_extra
        }
        return self.model_dump(mode="json", exclude=left_out)


def _numbers(value: Any) -> list[int | float]:
    values = value if isinstance(value, tuple) else (value,)
    return [each for each in values if type(each) in (int, float)]


def _is_extreme(value: float) -> bool:
    if isinstance(value, int):
        return abs(value) > WHOLE_BOUND
    return value != 0 and not SMALLEST <= abs(value) <= LARGEST


ConfigT = TypeVar("ConfigT", bound=StageConfig)
