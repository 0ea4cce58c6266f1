"""Say why a manifest is stale, in the words of the options that a user gave."""

from collections.abc import Mapping
from typing import Any

from webemo_curate.config import StageConfig
from webemo_curate.config.settings import flag_of, option_name
from webemo_curate.manifest import Origin
from webemo_curate.verdicts import DEFAULT_CLASSES


def difference(old: Origin, new: Origin, config: StageConfig) -> str:
    """Say in words what makes a manifest stale.

    Parameters
    ----------
    old, new : Origin
        How it came to be, and how it would now; they differ.
    config : StageConfig
        Of the stage, whose options the settings are known by.

    Returns
    -------
    str
        The first difference.
    """
    if old.stage_version != new.stage_version:
        return f"the stage's version is {new.stage_version}, was {old.stage_version}"
    for name in sorted(old.inputs.keys() | new.inputs.keys()):
        if old.inputs.get(name) != new.inputs.get(name):
            return f"its input '{name}' has changed"
    changed = _changed_setting(old.configuration, new.configuration, config)
    return changed or "another stage wrote it"


def changed_classes(old: tuple[str, ...] | None, new: tuple[str, ...] | None) -> str | None:
    """Say that targets have other names than were recorded; None where they have not.

    Names are no part of a manifest's digest: other labels may get the same numbers. Splits of the
    paper's classes did not name them once.
    """
    if old == new or (old, new) == (None, DEFAULT_CLASSES):
        return None
    return f"its classes are {_listed(new)}, were {_listed(old)}"


def _listed(classes: tuple[str, ...] | None) -> str:
    return ", ".join(classes) if classes else "not named"


def _changed_setting(
    old: Mapping[str, Any], new: Mapping[str, Any], config: StageConfig
) -> str | None:
    """Name the first setting that differs as the user knows it: by its option or options."""
    fields = type(config).model_fields
    # In the order of their declaration, as the first decides what the others mean.
    for name in sorted(old.keys() | new.keys(), key=[*fields, *sorted({*old, *new})].index):
        before, after = old.get(name), new.get(name)
        if before == after:
            continue
        if name in fields:
            return f"{option_name(name, fields[name])} is {_shown(after)}, was {_shown(before)}"
        options = [option_name(each, field) for each, field in fields.items() if flag_of(field)]
        if isinstance(before, dict) and isinstance(after, dict) and options:
            return f"what {', '.join(options)} come to has changed"
        return f"{name} is {_shown(after)}, was {_shown(before)}"
    return None


def _shown(value: Any) -> str:
    return "not given" if value is None else str(value)
