"""A card's words on rights: the license that the user gave, and whose the pictures are."""

from webemo_curate.config import ExportConfig
from webemo_curate.errors import InputError

HUB_LICENSES = frozenset(
    (
        *("apache-2.0", "bsd", "bsd-2-clause", "bsd-3-clause", "bsl-1.0", "c-uda", "cc", "cc0-1.0"),
        *("cc-by-2.0", "cc-by-2.5", "cc-by-3.0", "cc-by-4.0", "cc-by-sa-3.0", "cc-by-sa-4.0"),
        *("cc-by-nc-2.0", "cc-by-nc-3.0", "cc-by-nc-4.0", "cc-by-nd-4.0", "cc-by-nc-nd-3.0"),
        *("cc-by-nc-nd-4.0", "cc-by-nc-sa-2.0", "cc-by-nc-sa-3.0", "cc-by-nc-sa-4.0"),
        *("cdla-permissive-1.0", "cdla-permissive-2.0", "cdla-sharing-1.0", "gfdl", "gpl-3.0"),
        *("mit", "odbl", "odc-by", "pddl", "unknown", "unlicense"),
    )
)
"""Names that the Hugging Face hub takes in a card; any other is `other` with a name."""

OWNERS = (
    "The pictures belong to their owners. The license above is for what was added to them: labels, "
    "verdicts and lists. Whoever uses a picture asks its owner, or relies on what their law allows."
)


def required_license(config: ExportConfig, what: str) -> str:
    """Return the license that the user gave.

    Parameters
    ----------
    config : ExportConfig
        May hold none.
    what : str
        Whose card states it, for the message.

    Returns
    -------
    str
        In the user's words.

    Raises
    ------
    InputError
        If none was given: none is assumed.
    """
    if config.license is None:
        raise InputError(
            f"--license: the card of {what} states under which license labels and lists are "
            "given, and none is assumed; add --license with its name, such as "
            "--license cc-by-4.0, or --license 'not for redistribution'"
        )
    if not config.license.isprintable():
        raise InputError("--license: holds signs that cannot be printed; give one line of text")
    return config.license


def hub_fields(name: str) -> dict[str, str]:
    """Return the fields of a Hugging Face card that state a license."""
    if name.lower() in HUB_LICENSES:
        return {"license": name.lower()}
    return {"license": "other", "license_name": name}
