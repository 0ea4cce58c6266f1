"""What an answer comes to: codes, redirects, cookies, headers, and true reasons."""

import socket
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import features

from tests.download.site import Site, answer, fetch, one, picture, stored
from webemo_curate.download.failures import ERROR_NAMES, MAX_REASON, reason
from webemo_curate.download.response import KEPT, Response
from webemo_curate.errors import InputError
from webemo_curate.imaging import accepted_types
from webemo_curate.verdicts import FetchStatus


@pytest.mark.parametrize(
    "status", [b"200 OK", b"201 Created", b"202 Accepted", b"203 By proxy", b"226 Used", b"299 New"]
)
def test_codes_of_success_carry_a_picture(tmp_path: Path, site: Site, status: bytes) -> None:
    row = one(tmp_path, site, answer(picture(), status=status))
    assert (row["status"], row["http_status"]) == (FetchStatus.OK, int(status[:3]))
    assert stored(tmp_path, row) == picture()


TRANSIENT = {
    b"408 Request Timeout": FetchStatus.TIMEOUT,
    b"425 Too Early": FetchStatus.THROTTLED,
    b"429 Too Many Requests": FetchStatus.THROTTLED,
    b"500 Internal Server Error": FetchStatus.SERVER_ERROR,
    b"503 Service Unavailable": FetchStatus.THROTTLED,
}


@pytest.mark.parametrize("status", TRANSIENT)
@pytest.mark.parametrize("tries", [{"retries": 1, "passes": 1}, {"retries": 0, "passes": 2}])
def test_codes_that_may_pass_are_asked_for_again(
    tmp_path: Path, site: Site, status: bytes, tries: dict[str, int]
) -> None:
    site.answers = {"/a.jpg": [answer(status=status), answer(picture())]}
    url = f"{site.base}/a.jpg"
    row = fetch(tmp_path, [url], **tries)[url]
    assert (row["status"], row["attempts"]) == (FetchStatus.OK, 2)


@pytest.mark.parametrize("status", TRANSIENT)
def test_codes_that_do_not_pass_end_as_what_they_are(
    tmp_path: Path, site: Site, status: bytes
) -> None:
    row = one(tmp_path, site, answer(status=status), passes=1)
    assert (row["status"], row["http_status"]) == (TRANSIENT[status], int(status[:3]))


SIZE = len(picture())


@pytest.mark.parametrize(
    ("span", "status"),
    [
        (None, FetchStatus.OK),
        (f"bytes 0-{SIZE - 1}/{SIZE}", FetchStatus.OK),
        (f"bytes 0-{SIZE - 1}/*", FetchStatus.OK),
        (f"bytes 0-10/{SIZE}", FetchStatus.TRUNCATED),
        (f"bytes 5-{SIZE - 1}/{SIZE}", FetchStatus.TRUNCATED),
        ("bytes \xb2-\xb3/\xb2", FetchStatus.OK),
    ],
)
def test_a_part_that_was_not_asked_for_counts_if_it_is_all(
    tmp_path: Path, site: Site, span: str | None, status: FetchStatus
) -> None:
    lines = [] if span is None else [f"Content-Range: {span}".encode("latin-1")]
    row = one(tmp_path, site, answer(picture(), *lines, status=b"206 Partial Content"))
    assert row["status"] == status


@pytest.mark.parametrize(
    ("said", "status", "why"),
    [
        (answer(status=b"204 No Content"), FetchStatus.NOT_IMAGE, "HTTP 204"),
        (answer(status=b"304 Not Modified"), FetchStatus.NOT_IMAGE, "HTTP 304"),
        (answer(picture(), status=b"300 Choices"), FetchStatus.NOT_IMAGE, "HTTP 300"),
        (answer(status=b"302 Found"), FetchStatus.BAD_URL, "HTTP 302 without Location"),
        (answer(status=b"451 Legal"), FetchStatus.FORBIDDEN, "HTTP 451"),
        (answer(status=b"999 Denied"), FetchStatus.SERVER_ERROR, "HTTP 999"),
        (b"HTTP/1.1 404 X\r\nContent-Length: 99\r\n\r\nx", FetchStatus.NOT_FOUND, "HTTP 404"),
        (
            answer(b"x", b"Content-Encoding: gzip", status=b"404 X"),
            FetchStatus.NOT_FOUND,
            "HTTP 404",
        ),
    ],
)
def test_codes_without_a_picture_say_so(
    tmp_path: Path, site: Site, said: bytes, status: FetchStatus, why: str
) -> None:
    row = one(tmp_path, site, said)
    assert (row["status"], row["error_class"]) == (status, why)


def test_a_location_in_any_bytes_is_followed(tmp_path: Path, site: Site) -> None:
    ways = {
        "/café/1.jpg".encode(): "/caf%C3%A9/1.jpg",
        b"/caf\xe9/2.jpg": "/caf%E9/2.jpg",
        b"/two words/3.jpg#top": "/two%20words/3.jpg",
    }
    for number, (location, target) in enumerate(ways.items()):
        moved = answer(b"", b"Location: " + location, status=b"301 Moved")
        site.answers |= {f"/{number}": moved, target: answer(picture(number))}
    rows = fetch(tmp_path, [f"{site.base}/{number}" for number in range(len(ways))])
    assert {row["status"] for row in rows.values()} == {FetchStatus.OK}
    assert sorted(row["final_url"] for row in rows.values()) == sorted(
        site.base + target for target in ways.values()
    )


def test_a_cookie_lives_as_long_as_the_redirects_of_its_url(tmp_path: Path, site: Site) -> None:
    for number in range(2):
        site.answers |= {
            f"/{number}": answer(
                b"", b"Location: /in", b"Set-Cookie: seen=1", b"Set-Cookie: x=\xe9", status=b"302 X"
            ),
            "/in": answer(picture()),
        }
    fetch(tmp_path, [f"{site.base}/0", f"{site.base}/1"], concurrency=1)
    sent = {head.split()[1]: [] for head in site.heads}
    for head in site.heads:
        sent[head.split()[1]] += [line for line in head.splitlines() if line.startswith("Cookie")]
    assert len(sent["/in"]) == 2
    assert all("seen=1" in line for line in sent["/in"])
    assert sent["/0"] == sent["/1"] == sent["/robots.txt"] == []


def test_cookies_are_bounded(tmp_path: Path, site: Site) -> None:
    many = [b"Set-Cookie: c%d=%s" % (index, b"x" * 4000) for index in range(60)]
    hops = [f"/{index}.jpg" for index in range(4)]
    for hop, after in pairwise(hops):
        lines = [line.replace(b"c", hop[1:2].encode(), 1) for line in many]
        moved = answer(b"", b"Location: " + after.encode(), *lines, status=b"302 X")
        site.answers[hop] = moved
    site.answers[hops[-1]] = answer(picture())
    url = site.base + hops[0]
    assert fetch(tmp_path, [url])[url]["status"] == FetchStatus.OK
    sent = [line for head in site.heads for line in head.splitlines() if "Cookie: " in line]
    assert sent
    assert max(map(len, sent)) < 10_000


def test_only_what_is_taken_is_asked_for(tmp_path: Path, site: Site) -> None:
    one(tmp_path, site, answer(picture()))
    asked = next(line for line in site.heads[-1].splitlines() if line.startswith("Accept: "))
    kinds = asked.removeprefix("Accept: ").split(",")
    assert kinds == list(accepted_types())
    assert len(kinds) == len(set(kinds))
    assert {"image/jpeg", "image/png", "image/webp"} <= set(kinds)
    assert ("image/avif" in kinds) == features.check("avif")
    assert not any("*" in kind for kind in kinds)


@pytest.mark.parametrize(
    ("said", "status", "why"),
    [
        (b"", FetchStatus.CONNECTION, "got nothing: Empty reply from server"),
        (
            b"\xff\xd8\xff\xe0 no status line",
            FetchStatus.CONNECTION,
            "unsupported protocol: Received HTTP/0.9 when not allowed",
        ),
        (
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nabc\r\n",
            FetchStatus.CONNECTION,
            "recv error: chunk hex-length char not a hex digit: 0x7a",
        ),
        (
            b"HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\nabc",
            FetchStatus.TRUNCATED,
            "partial file",
        ),
        (
            b"HTTP/1.1 200 OK\r\nno colon\r\n\r\n",
            FetchStatus.CONNECTION,
            "weird server reply: Header without colon",
        ),
        (
            b"HTTP/1.1 200 OK\r\nX: " + b"a" * 400_000 + b"\r\n\r\n",
            FetchStatus.CONNECTION,
            "too large",
        ),
    ],
)
def test_reasons_are_those_of_libcurl(
    tmp_path: Path, site: Site, said: bytes, status: FetchStatus, why: str
) -> None:
    row = one(tmp_path, site, said, ignore_robots=True)
    assert (row["status"], row["error_class"]) == (status, why)


def test_hosts_that_are_not_there_say_so_without_their_ports(tmp_path: Path) -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        refused = f"http://127.0.0.1:{closed.getsockname()[1]}/a.jpg"
    unknown = "http://no-such-host.invalid/a.jpg"
    rows = fetch(tmp_path, [refused, unknown], ignore_robots=True)
    assert rows[refused]["error_class"] == "couldnt connect: Connection refused"
    assert rows[unknown]["error_class"] == "couldnt resolve host"
    assert {row["status"] for row in rows.values()} == {FetchStatus.CONNECTION}


def test_no_name_is_that_of_another_interface() -> None:
    assert not any("multi" in name or "ftp" in name for name in ERROR_NAMES.values())
    assert ERROR_NAMES[7] == "couldnt connect"
    assert reason(99, "") == "curl 99"


@given(st.integers(0, 100), st.text() | st.just("x in connection to a:443 after 12 ms"), st.just(0))
def test_a_reason_is_bounded_printable_and_without_what_varies(
    code: int, message: str, os_errno: int
) -> None:
    said = reason(code, message, os_errno)
    assert 0 < len(said) <= MAX_REASON
    assert said.isprintable()
    assert ":443" not in said


def test_headers_are_kept_in_bounds(tmp_path: Path, site: Site) -> None:
    lines = [b"Content-Type: image/jpeg; " + b"x" * 90_000, b"Retry-After: \xb2"]
    row = one(tmp_path, site, answer(picture(), *lines, *[b"X-Robots-Tag: none"] * 500))
    assert row["status"] == FetchStatus.OK
    assert len(row["content_type"]) == KEPT["content-type"]


@given(st.lists(st.binary(max_size=60) | st.sampled_from([b"HTTP/1.1 200", b"\r\n"]), max_size=30))
def test_no_header_line_raises(lines: list[bytes]) -> None:
    response = Response("http://a.example/", 10, 206)
    for line in lines:
        for name in KEPT:
            response.take(name.encode() + b":" + line)
        response.take(line)
    assert all(len(value) <= KEPT[name] for name in KEPT for value in response.headers(name))
    assert response.partial in (True, False)
    assert isinstance(response.codings, list)


HEADERS = st.sampled_from(
    [name.encode() for name in KEPT]
    + [b"Set-Cookie", b"Transfer-Encoding", b"Content-Length", b"X"]
)
VALUES = st.binary(max_size=30) | st.sampled_from(
    [b"gzip", b"br", b"\xb2", b"a=b; domain=.", b"9" * 400, b"bytes 0-0/0", b"//[", b"http://"]
)


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    status=st.sampled_from([b"200", b"206", b"302", b"404", b"429", b"503", b"999", b"2"]),
    lines=st.lists(st.tuples(HEADERS, VALUES).map(b": ".join), max_size=5),
    body=st.binary(max_size=20) | st.just(picture()),
)
def test_no_answer_ends_a_run(
    tmp_path_factory: pytest.TempPathFactory,
    site: Site,
    status: bytes,
    lines: list[bytes],
    body: bytes,
) -> None:
    head = b"\r\n".join([b"HTTP/1.1 " + status + b" X", *lines])
    row = one(
        tmp_path_factory.mktemp("ws"),
        site,
        head + b"\r\n\r\n" + body,
        ignore_robots=True,
        timeout=1,
    )
    assert row["status"] in set(FetchStatus)
    assert row["sha256"] is not None or row["error_class"]


def test_the_contact_is_sent_in_any_script_and_only_on_one_line(tmp_path: Path, site: Site) -> None:
    row = one(tmp_path, site, answer(picture()), contact="señor@a.example")
    assert row["status"] == FetchStatus.OK
    sent = site.heads[-1].encode("latin-1").decode()
    assert "(contact: señor@a.example)" in sent
    with pytest.raises(InputError, match="--contact"):
        one(tmp_path / "b", site, answer(picture()), contact="a\r\nX: y")
