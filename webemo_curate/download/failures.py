"""Map libcurl's errors to a status and a reason.

Reasons go into a manifest, so equal failures must give equal reasons. The ports, addresses and
times in libcurl's messages are removed.
"""

import errno
import os
import re

import pycurl

from webemo_curate.credentials import masked_within
from webemo_curate.download.outcome import AttemptError
from webemo_curate.errors import CurateError
from webemo_curate.system_faults import GO_ON, check_open_files, lacking, raise_system_fault
from webemo_curate.verdicts import FetchStatus

STATUS_BY_ERROR = {
    pycurl.E_OPERATION_TIMEDOUT: FetchStatus.TIMEOUT,
    pycurl.E_PARTIAL_FILE: FetchStatus.TRUNCATED,
    pycurl.E_URL_MALFORMAT: FetchStatus.BAD_URL,
    pycurl.E_BAD_CONTENT_ENCODING: FetchStatus.CORRUPT,
}
"""The status of libcurl's errors; any other error is a `connection` failure."""

NAMED = (
    "UNSUPPORTED_PROTOCOL",
    "FAILED_INIT",
    "URL_MALFORMAT",
    "COULDNT_RESOLVE_PROXY",
    "COULDNT_RESOLVE_HOST",
    "COULDNT_CONNECT",
    "HTTP2",
    "PARTIAL_FILE",
    "WRITE_ERROR",
    "OUT_OF_MEMORY",
    "OPERATION_TIMEDOUT",
    "SSL_CONNECT_ERROR",
    "ABORTED_BY_CALLBACK",
    "GOT_NOTHING",
    "SEND_ERROR",
    "RECV_ERROR",
    "SSL_CERTPROBLEM",
    "SSL_CIPHER",
    "PEER_FAILED_VERIFICATION",
    "BAD_CONTENT_ENCODING",
    "SSL_CACERT_BADFILE",
    "SSL_SHUTDOWN_FAILED",
    "NO_CONNECTION_AVAILABLE",
    "SSL_INVALIDCERTSTATUS",
)

ERROR_NAMES = {getattr(pycurl, f"E_{name}"): name.lower().replace("_", " ") for name in NAMED} | {
    8: "weird server reply",
    92: "http2 stream",
    97: "proxy",
    100: "too large",
}
"""Names of the errors (CURLE_* in curl/curl.h) that an HTTP request can end with.

pycurl lacks names for some of them, and uses the same numbers for errors of its other interfaces.
"""

SAID_BY_NAME = {
    pycurl.E_COULDNT_CONNECT,
    pycurl.E_COULDNT_RESOLVE_HOST,
    pycurl.E_COULDNT_RESOLVE_PROXY,
    pycurl.E_OPERATION_TIMEDOUT,
    pycurl.E_PARTIAL_FILE,
}
"""Errors whose message adds only an address, a time or a number of bytes to the name."""

VARYING = re.compile(r" in connection to \S+| after \d+ ms| port \d+|(?<=stream) \d+")
MAX_REASON = 160

UNCODED = "Unrecognized content encoding type"
"""libcurl's message, in all its versions, for a content coding that it cannot decode."""

DIED = "Connection died"
"""libcurl's message when the host had closed every kept connection that libcurl tried. The host has
then not received the request."""

NO_START = {
    pycurl.E_COULDNT_CONNECT,
    pycurl.E_COULDNT_RESOLVE_HOST,
    pycurl.E_COULDNT_RESOLVE_PROXY,
    pycurl.E_FAILED_INIT,
    pycurl.E_SSL_CACERT_BADFILE,
}
"""Errors by which a lack of file descriptors shows; libcurl has no error of its own for it."""

LACKS = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.ENOBUFS})
"""System errors that concern this machine, not the host, even where a connection reports them."""

SPARE_DESCRIPTORS = 8
"""Most file descriptors that a name look-up and a connection need. With fewer left, their errors
say nothing about the host."""


def failure(code: int, message: str, os_errno: int, http_status: int | None) -> AttemptError:
    """Return the failure of a request, with its status and reason.

    Parameters
    ----------
    code : int
        libcurl's error code.
    message : str
        libcurl's message.
    os_errno : int
        The operating system's last error on the connection; 0 if there was none.
    http_status : int or None
        Status code, if a response had begun.

    Returns
    -------
    AttemptError
        With a reason that is equal in every run.

    Raises
    ------
    CurateError
        If the machine is at fault, not the URL: open files or memory are lacking, or the
        certificates can no longer be read.
    """
    _raise_lack(code, os_errno)
    if code == pycurl.E_SSL_CACERT_BADFILE:
        raise CurateError(f"{message}; make the certificates readable and {GO_ON}")
    status = STATUS_BY_ERROR.get(code, FetchStatus.CONNECTION)
    return AttemptError(status, reason(code, message, os_errno), http_status)


def reason(code: int, message: str, os_errno: int = 0) -> str:
    """Return the error's name and libcurl's or the system's message, without parts that vary."""
    name = ERROR_NAMES.get(code, f"curl {code}")
    said = VARYING.sub("", message)
    if code in SAID_BY_NAME:
        said = os.strerror(os_errno) if code == pycurl.E_COULDNT_CONNECT and os_errno else ""
    said = "".join(sign if sign.isprintable() else " " for sign in said).strip()
    said = masked_within(said)  # a message about a bad proxy quotes its whole URL
    return (f"{name}: {said}" if said else name)[:MAX_REASON]


def check_descriptors() -> None:
    """Stop the run if the process is at its limit of open files.

    Raises
    ------
    SystemFaultError
        If fewer than `SPARE_DESCRIPTORS` can be opened.
    """
    try:
        check_open_files(SPARE_DESCRIPTORS)
    except OSError as error:
        raise_system_fault(error)


def _raise_lack(code: int, os_errno: int) -> None:
    if code == pycurl.E_OUT_OF_MEMORY:
        raise lacking(errno.ENOMEM)  # libcurl needs little memory, whatever a host sends
    if os_errno in LACKS:
        raise_system_fault(OSError(os_errno, os.strerror(os_errno)))
    if code in NO_START:
        check_descriptors()
