"""The URL of an object store other than Amazon's."""

import os
from collections.abc import Mapping

from webemo_curate.credentials import holds_credentials
from webemo_curate.errors import InputError

VARIABLES = ("AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL")


def endpoint(environment: Mapping[str, str] = os.environ) -> str | None:
    """Return the endpoint that the environment names.

    Parameters
    ----------
    environment : mapping of str to str, optional
        Environment variables; the first of `VARIABLES` that is set is used.

    Returns
    -------
    str or None
        The endpoint's URL; None for Amazon's own.

    Raises
    ------
    InputError
        If it holds a user name or password, which libraries would show in their errors.
    """
    for name in VARIABLES:
        if found := environment.get(name):
            if holds_credentials(found):
                raise InputError(
                    f"{name}: it holds credentials; give the URL without, and them in "
                    "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"
                )
            return found
    return None
