"""Explain why a manifest is stale, naming the options that the user gave."""

from collections.abc import Mapping
from typing import Any

from webemo_curate.config import StageConfig
from webemo_curate.config.settings import flag_of, option_name
from webemo_curate.manifest import Origin
from webemo_curate.verdicts import DEFAULT_CLASSES


def difference(old: Origin, new: Origin, config: StageConfig) -> str:
    """Return what makes a manifest stale, in words.

    Parameters
    ----------
    old, new : Origin
        What it was made from, and what it would be made from now; they differ.
    config : StageConfig
        The stage's configuration, whose options name the settings.

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
    """Describe how the names of targets have changed; None if they have not.

    Names are not part of a manifest's digest, so other labels may have the same numbers. Splits of
    an earlier release did not record the names of the paper's classes.
    """
    if old == new or (old, new) == (None, DEFAULT_CLASSES):
        return None
    return f"its classes are {_listed(new)}, were {_listed(old)}"


def _listed(classes: tuple[str, ...] | None) -> str:
    return ", ".join(classes) if classes else "not named"


def _changed_setting(
    old: Mapping[str, Any], new: Mapping[str, Any], config: StageConfig
) -> str | None:
    """Describe the first setting that differs, by its option or options."""
    fields = type(config).model_fields
    # In the order of declaration, because an earlier setting may give later ones their meaning.
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
