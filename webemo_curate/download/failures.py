"""Reasons why a request brought no answer: libcurl's own words, and the statuses for them.

A reason goes into a manifest, so it is the same whenever the same thing happens: without the ports,
addresses and times that libcurl's messages hold.
"""

import errno
import os
import re

import pycurl

from webemo_curate.credentials import masked_within
from webemo_curate.download.outcome import AttemptError
from webemo_curate.errors import CurateError
from webemo_curate.system_faults import GO_ON, lacking, raise_system_fault
from webemo_curate.verdicts import FetchStatus

STATUS_BY_ERROR = {
    pycurl.E_OPERATION_TIMEDOUT: FetchStatus.TIMEOUT,
    pycurl.E_PARTIAL_FILE: FetchStatus.TRUNCATED,
    pycurl.E_URL_MALFORMAT: FetchStatus.BAD_URL,
    pycurl.E_BAD_CONTENT_ENCODING: FetchStatus.CORRUPT,
}
"""What libcurl's errors come to; any other is a `connection` failure."""

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
"""Errors of a transfer by number (CURLE_* in curl/curl.h) that an HTTP request can end with.

pycurl gives names to the errors of other interfaces too, under the same numbers; and none to a few.
"""

SAID_BY_NAME = {
    pycurl.E_COULDNT_CONNECT,
    pycurl.E_COULDNT_RESOLVE_HOST,
    pycurl.E_COULDNT_RESOLVE_PROXY,
    pycurl.E_OPERATION_TIMEDOUT,
    pycurl.E_PARTIAL_FILE,
}
"""Errors whose message adds nothing to the name but an address, a time or a number of bytes."""

VARYING = re.compile(r" in connection to \S+| after \d+ ms| port \d+|(?<=stream) \d+")
MAX_REASON = 160

UNCODED = "Unrecognized content encoding type"
"""libcurl's words, in all its versions, for a coding that it has no decoder for."""

DIED = "Connection died"
"""libcurl's words where all kept connections that it took up, one after the other, had been closed
by the host meanwhile: it has not been asked at all."""

NO_START = {
    pycurl.E_COULDNT_CONNECT,
    pycurl.E_COULDNT_RESOLVE_HOST,
    pycurl.E_COULDNT_RESOLVE_PROXY,
    pycurl.E_FAILED_INIT,
    pycurl.E_SSL_CACERT_BADFILE,
}
"""How a lack of descriptors shows: libcurl has no error of its own for it."""

LACKS = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.ENOBUFS})
"""What the system says when it is at its end; said to a connection, it is not about the host."""

SPARE_DESCRIPTORS = 8
"""What a look-up and a connection take at most; with fewer left, neither says anything."""


def failure(code: int, message: str, os_errno: int, http_status: int | None) -> AttemptError:
    """Say why a request failed.

    Parameters
    ----------
    code : int
        libcurl's error of the transfer.
    message : str
        What libcurl said.
    os_errno : int
        The operating system's last error of the connection; 0 if there was none.
    http_status : int or None
        Status code, if an answer had begun.

    Returns
    -------
    AttemptError
        With a reason that is the same in every run.

    Raises
    ------
    CurateError
        If it is the machine's fault and not the URL's: open files or memory are lacking, or the
        certificates cannot be read any more.
    """
    _raise_lack(code, os_errno)
    if code == pycurl.E_SSL_CACERT_BADFILE:
        raise CurateError(f"{message}; make the certificates readable and {GO_ON}")
    status = STATUS_BY_ERROR.get(code, FetchStatus.CONNECTION)
    return AttemptError(status, reason(code, message, os_errno), http_status)


def reason(code: int, message: str, os_errno: int = 0) -> str:
    """Name an error and add what libcurl or the system said, without what varies between runs."""
    name = ERROR_NAMES.get(code, f"curl {code}")
    said = VARYING.sub("", message)
    if code in SAID_BY_NAME:
        said = os.strerror(os_errno) if code == pycurl.E_COULDNT_CONNECT and os_errno else ""
    said = "".join(sign if sign.isprintable() else " " for sign in said).strip()
    said = masked_within(said)  # what is wrong with a proxy's URL is told with all of it
    return (f"{name}: {said}" if said else name)[:MAX_REASON]


def check_descriptors() -> None:
    """Stop the run if the process is at its limit of open files.

    Raises
    ------
    SystemFaultError
        If fewer than `SPARE_DESCRIPTORS` can be opened.
    """
    spare: list[int] = []
    try:
        for _ in range(SPARE_DESCRIPTORS):
            spare.append(os.open(os.devnull, os.O_RDONLY))  # noqa: PERF401 - closed below
    except OSError as error:
        raise_system_fault(error)
    finally:
        for descriptor in spare:
            os.close(descriptor)


def _raise_lack(code: int, os_errno: int) -> None:
    if code == pycurl.E_OUT_OF_MEMORY:
        raise lacking(errno.ENOMEM)  # libcurl asks for little, whatever a host sends
    if os_errno in LACKS:
        raise_system_fault(OSError(os_errno, os.strerror(os_errno)))
    if code in NO_START:
        check_descriptors()
