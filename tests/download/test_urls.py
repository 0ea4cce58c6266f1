"""URLs are written as browsers and curl write them, and none raises anything but its outcome."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from webemo_curate.download.addresses import checked
from webemo_curate.download.hosts import host_of
from webemo_curate.download.outcome import AttemptError
from webemo_curate.download.urls import PLAIN, joined, written
from webemo_curate.verdicts import FetchStatus


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("HTTP://A.Example/Up.JPG", "http://a.example/Up.JPG"),
        ("http://a.example", "http://a.example/"),
        ("http://a.example:80/x", "http://a.example/x"),
        ("https://a.example:443/x", "https://a.example/x"),
        ("http://a.example:/x", "http://a.example/x"),
        ("http://a.example:8080/x", "http://a.example:8080/x"),
        ("http://a.example./x", "http://a.example./x"),
        ("http://my_host.example/x", "http://my_host.example/x"),
        ("http://[::1]:8080/x", "http://[::1]:8080/x"),
        ("http://a.example/фото.jpg", "http://a.example/%D1%84%D0%BE%D1%82%D0%BE.jpg"),
        ("http://a.example/%d1%84.jpg", "http://a.example/%d1%84.jpg"),
        ("http://a.example/two words.jpg?a b", "http://a.example/two%20words.jpg?a%20b"),
        ("http://a.example/100%.jpg", "http://a.example/100%.jpg"),
        ("http://a.example/x.jpg#part", "http://a.example/x.jpg"),
        ("http://a.example/?q#part", "http://a.example/?q"),
        ("http://a.example//a//b.jpg", "http://a.example//a//b.jpg"),
        ("http://a.example/a/../b/./c.jpg", "http://a.example/b/c.jpg"),
        ("http://a.example/a/%2E%2e/../../b/..", "http://a.example/"),
        ("http://a.example/a/.", "http://a.example/a/"),
        ("http://a.example/[1]|x'y.jpg", "http://a.example/[1]|x'y.jpg"),
        ('http://a.example/"q"<>`{}', "http://a.example/%22q%22%3C%3E%60%7B%7D"),
        ("http://a.example/h.jpg?a=1&amp;b=2", "http://a.example/h.jpg?a=1&amp;b=2"),
        (
            "http://a.example/q?u=http://x/y.jpg&w=[1]",
            "http://a.example/q?u=http://x/y.jpg&w=[1]",
        ),
        ("http://a.example/so\u00adft\u200b😀", "http://a.example/so%C2%ADft%E2%80%8B%F0%9F%98%80"),
        ("http:\\\\a.example\\b\\c.jpg?d\\e", "http://a.example/b/c.jpg?d\\e"),
    ],
)
def test_written_as_browsers_write_it(url: str, expected: str) -> None:
    assert checked(url) == expected
    assert checked(expected) == expected, "what is written is not written anew"


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("bücher.example", "xn--bcher-kva.example"),
        ("BÜCHER.Example", "xn--bcher-kva.example"),
        ("b%C3%BCcher.example", "xn--bcher-kva.example"),
        ("xn--bcher-kva.example", "xn--bcher-kva.example"),
        ("faß.example", "xn--fa-hia.example"),  # non-transitional: not 'fass'
        ("例え。テスト", "xn--r8jz45g.xn--zckzah"),  # an ideographic full stop
        ("\uff45\uff58ample.example", "example.example"),  # full-width letters
        ("exa\u00admple.example", "example.example"),
        ("☃.example", "xn--n3h.example"),  # IDNA 2008 alone refuses it; browsers do not
    ],
)
def test_hosts_in_any_script(host: str, expected: str) -> None:
    assert written(f"http://{host}/x") == f"http://{expected}/x"


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("ftp://a.example/x", "not an http(s) URL: ftp"),
        ("//a.example/x", "not an http(s) URL: no scheme"),
        ("http:///x", "no host"),
        ("http://me:secret@a.example/x", "it holds credentials"),
        ("http://@a.example/x", "it holds credentials"),
        ("http://a.example:0/x", "port 0"),
        ("http://a.example:65536/x", "Port out of range 0-65535"),
        ("http://a.example/\x00", "a control character"),
        ("http://a.example/a\nb", "a control character"),
        ("http://a b.example/x", "the host's name is none"),
        ("http://a..example/x", "the host's name is none"),
        ("http://" + "a" * 64 + ".example/x", "the host's name is none"),
        ("http://" + "a." * 130 + "example/x", "the host's name is longer than 253 characters"),
        ("http://a.example%2Fb/x", "the host's name is none"),
        ("http://a.example/" + "x" * 5000, "longer than 4096 characters"),
        ("http://[::1/x", "Invalid IPv6 URL"),
        ("http://[fe80::1%eth0]/x", None),
        ("http://xn--\u0080.example/x", None),
        ("http://a.example/\udcff", None),
    ],
)
def test_what_may_not_be_asked_for_says_why(url: str, reason: str | None) -> None:
    with pytest.raises(AttemptError) as caught:
        checked(url)
    assert caught.value.status is FetchStatus.BAD_URL
    assert str(caught.value) == (reason or str(caught.value))
    assert len(str(caught.value)) <= 80


@pytest.mark.parametrize(
    ("location", "expected"),
    [
        ("/café-été/1.jpg".encode(), "http://a.example/caf%C3%A9-%C3%A9t%C3%A9/1.jpg"),
        (b"/caf\xe9/1.jpg", "http://a.example/caf%E9/1.jpg"),
        ("/é".encode() + b"\xe9", "http://a.example/%C3%A9%E9"),
        (b"/caf%C3%A9/1.jpg", "http://a.example/caf%C3%A9/1.jpg"),
        (b"  /two words/1.jpg\t", "http://a.example/two%20words/1.jpg"),
        (b"1.jpg#top", "http://a.example/folder/1.jpg"),
        (b"?w=220", "http://a.example/folder/page?w=220"),
        (b"//b.example/1.jpg", "http://b.example/1.jpg"),
        (b"\\\\b.example\\1.jpg", "http://b.example/1.jpg"),
        ("https://bücher.example/1.jpg".encode(), "https://xn--bcher-kva.example/1.jpg"),
        (b"", "http://a.example/folder/page"),
    ],
)
def test_location_is_read_as_browsers_read_it(location: bytes, expected: str) -> None:
    assert checked(joined("http://a.example/folder/page", location)) == expected


PIECES = st.sampled_from(
    [
        *"/\\?#@:[]%.* \t\x00\xad\u200d",
        "http://",
        "//",
        "xn--",
        "%2e",
        "..",
        "é",
        "\udcff",
        "İ",
        "\uff11",
    ]
)
URLS = st.lists(PIECES | st.text(max_size=5), max_size=20).map("".join)


@given(URLS)
def test_no_url_raises_anything_but_its_outcome(url: str) -> None:
    for text in (url, f"http://{url}", f"http://a.example/{url}"):
        with suppress(AttemptError):
            asked = checked(text)
            assert asked.isascii()
            assert " " not in asked
            assert checked(asked) == asked


@given(st.binary(max_size=60) | URLS.map(lambda url: url.encode("utf-8", "surrogatepass")))
def test_no_location_raises_anything_but_its_outcome(location: bytes) -> None:
    with suppress(AttemptError, ValueError):
        assert checked(joined("http://a.example/x", location)).isascii()


PIECES = ["http://", "https://", "HTTP://", "a", "b-c", "x_y", ".", "..", "/", "//", ":8080", ":80"]
PIECES += [
    ":0",
    ":",
    "?",
    "q=1",
    "%2e",
    "%",
    "#",
    "@",
    "é",
    "\\",
    " ",
    "|",
    "[",
    "&",
    "~",
    "a" * 64,
]


@given(st.lists(st.sampled_from(PIECES), max_size=12).map("".join))
def test_urls_in_their_requested_form_are_told_at_a_glance(url: str) -> None:
    if PLAIN.fullmatch(url):
        assert written(url) == url == checked(url)
        assert host_of(url) == url.split("/")[2]
