"""Trusted certificate authorities: the system's, or those that the environment names."""

import os
import re
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from webemo_curate.errors import InputError
from webemo_curate.system_faults import raise_system_fault

BUNDLES = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")
FILE, FOLDERS = "SSL_CERT_FILE", "SSL_CERT_DIR"

HASHED = re.compile(r"[0-9a-f]{8}\.[0-9]+")
"""Names of certificates in a folder of OpenSSL's layout."""


@dataclass(frozen=True)
class Certificates:
    """Locations of trusted certificates.

    Attributes
    ----------
    bundle
        A file of certificates in PEM form; None for libcurl's own.
    folders
        Folders of certificates in OpenSSL's layout, joined by `os.pathsep`; None for libcurl's own.
    """

    bundle: str | None = None
    folders: str | None = None


SYSTEM = Certificates()
"""The locations that libcurl finds by itself."""


def trusted(environment: Mapping[str, str] = os.environ) -> Certificates:
    """Read from the environment which certificates to trust, and check that they can be read.

    The order is that of requests and curl: `REQUESTS_CA_BUNDLE` (a file or a folder), then
    `CURL_CA_BUNDLE` (a file), then `SSL_CERT_FILE` and `SSL_CERT_DIR` together. An empty variable
    counts as not set.

    Parameters
    ----------
    environment : mapping of str to str, optional
        Environment variables.

    Returns
    -------
    Certificates
        The locations to use; libcurl's own if no variable is set.

    Raises
    ------
    InputError
        If the variable that decides names a place that is missing, unreadable or without
        certificates.
    """
    for name in BUNDLES:
        value = environment.get(name)
        if value and Path(value).is_dir():
            return Certificates(folders=_checked_folder(name, value))
        if value:
            return Certificates(bundle=_checked_file(name, value))
    bundle, folders = environment.get(FILE), environment.get(FOLDERS)
    return Certificates(
        bundle=_checked_file(FILE, bundle) if bundle else None,
        folders=_checked_folders(folders) if folders else None,
    )


def _checked_file(name: str, value: str) -> str:
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(cafile=value)
    except ssl.SSLError as error:
        raise _wrong(name, value, "it holds no certificate in PEM form") from error
    except OSError as error:
        raise_system_fault(error, value)
        raise _wrong(name, value, error.strerror or str(error)) from error
    return value


def _checked_folder(name: str, value: str) -> str:
    """Check that a folder holds a certificate under the name by which OpenSSL looks for it."""
    try:
        found = any(HASHED.fullmatch(file.name) for file in Path(value).iterdir())
    except OSError as error:
        raise_system_fault(error, value)
        raise _wrong(name, value, error.strerror or str(error)) from error
    if not found:
        raise _wrong(name, value, "no certificate in it is named by its hash (openssl rehash)")
    return value


def _checked_folders(value: str) -> str:
    if not any(Path(folder).is_dir() for folder in value.split(os.pathsep)):
        raise _wrong(FOLDERS, value, "no such folder")
    return value


def _wrong(name: str, value: str, what: str) -> InputError:
    return InputError(
        f"{name}={value}: {what}; name a file of trusted certificates that is there, or run: "
        f"unset {name}"
    )
