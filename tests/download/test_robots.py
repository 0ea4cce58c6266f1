"""robots.txt by RFC 9309: its own examples, and no file raises or takes long."""

import asyncio
from collections import Counter
from contextlib import nullcontext
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.simulated_hosts import run_at_once
from tests.download.site import NONE, Site, answer, fetch, picture
from webemo_curate.download import rules_held
from webemo_curate.download.outcome import AttemptError
from webemo_curate.download.robots import MAX_ROBOTS_BYTES, Robots, read_robots
from webemo_curate.verdicts import FetchStatus

AGENT = "webemo-curate"
SITE = "http://a.example"


def allows(text: str, path: str, agent: str = AGENT) -> bool:
    return read_robots(text.encode(), agent).allows(SITE + path)


SIMPLE = """\
User-Agent: *
Disallow: *.gif$
Disallow: /example/
Allow: /publications/

User-Agent: foobot
Disallow:/
Allow:/example/page.html
Allow:/example/allowed.gif

User-Agent: barbot
User-Agent: bazbot
Disallow: /example/page.html

User-Agent: quxbot
"""


@pytest.mark.parametrize(
    ("agent", "allowed", "forbidden"),
    [
        ("otherbot", ["/", "/publications/x"], ["/a.gif", "/example/x"]),
        ("foobot", ["/example/page.html", "/example/allowed.gif"], ["/", "/example/", "/x"]),
        ("BarBot", ["/", "/a.gif", "/example/x"], ["/example/page.html"]),
        ("bazbot", ["/", "/a.gif", "/example/x"], ["/example/page.html"]),
        ("quxbot", ["/", "/a.gif", "/example/page.html"], []),
    ],
)
def test_section_5_1_simple_example(agent: str, allowed: list[str], forbidden: list[str]) -> None:
    assert all(allows(SIMPLE, path, agent) for path in allowed)
    assert not any(allows(SIMPLE, path, agent) for path in forbidden)


def test_section_5_2_longest_match() -> None:
    text = "User-Agent: foobot\nAllow: /example/page/\nDisallow: /example/page/disallowed.gif\n"
    assert not allows(text, "/example/page/disallowed.gif", "foobot")
    assert allows(text, "/example/page/other.gif", "foobot")


def test_section_2_2_1_groups_that_name_the_crawler_are_one() -> None:
    text = (
        "user-agent: ExampleBot\ndisallow: /foo\ndisallow: /bar\n\n"
        "user-agent: OtherBot\ndisallow: /other\n\nuser-agent: ExampleBot\ndisallow: /baz\n"
    )
    paths = ["/foo", "/bar", "/other", "/baz"]
    assert [allows(text, path, "examplebot") for path in paths] == [False, False, True, False]


@pytest.mark.parametrize(
    ("rule", "path"),
    [
        ("/foo/bar?baz=quz", "/foo/bar?baz=quz"),
        ("/foo/bar?baz=https://foo.bar", "/foo/bar?baz=https%3A%2F%2Ffoo.bar"),
        ("/foo/bar/\U0001f600", "/foo/bar/%F0%9F%98%80"),
        ("/foo/bar/%f0%9f%98%80", "/foo/bar/%F0%9F%98%80"),
        ("/foo/bar/%62%61%7A", "/foo/bar/baz"),
        ("/foo/bar/baz", "/foo/bar/%62%61%7A"),
        ("/a b", "/a%20b"),
    ],
)
def test_section_2_2_2_escapes_are_compared_alike(rule: str, path: str) -> None:
    assert not allows(f"User-agent: *\nDisallow: {rule}", path)


@pytest.mark.parametrize(
    ("rule", "forbidden", "allowed"),
    [
        ("/path/file-with-a-%2A.html", "/path/file-with-a-*.html", "/path/file-with-a-b.html"),
        ("/path/foo-%24", "/path/foo-$", "/path/foo-"),
        ("/this/path/exactly$", "/this/path/exactly", "/this/path/exactly/not"),
        ("/this/*/exactly", "/this/a/b/exactly/x", "/this/exactly"),
        ("/*.jpg$", "/a/b.jpg", "/a/b.jpg?w=220"),
        ("/a*b*c$", "/abbc", "/abb"),
        ("/a*bc*c$", "/abcc", "/abc"),
        ("/*/print", "/page?x=/print", "/print"),
        ("*.gif", "/a.gif?x", "/a.png"),
        ("/a%2Fb", "/a%2fb", "/a/b"),
    ],
)
def test_section_2_2_3_special_characters(rule: str, forbidden: str, allowed: str) -> None:
    text = f"User-agent: *\nDisallow: {rule}"
    assert not allows(text, forbidden)
    assert allows(text, allowed)


@pytest.mark.parametrize(
    ("text", "allowed"),
    [
        ("\ufeffUser-agent: *\nDisallow: /", False),
        ("User-agent: *\n\n# why\n\nDisallow: /private/", False),
        ("User-agent: *\rDisallow: /private/\r", False),
        ("USER-AGENT : * # all\r\n  disallow\t: /private/ # this", False),
        ("User-agent: Webemo-Curate/2.0 (x)\nDisallow: /", False),
        ("User-agent: webemo\nDisallow: /", True),
        ("User-agent: webemo-curate-images\nDisallow: /", True),
        ("User-agent: *\nDisallow: /\n\nUser-agent: webemo-curate\nDisallow: /x", True),
        ("User-agent: *\nDisallow: /private/\nAllow: /private/", True),
        ("User-agent: *\nDisallow: /\nAllow: /private", True),
        ("User-agent: *\nDisallow:", True),
        ("Disallow: /", True),
        ("User-agent: a\nSitemap: x\nUser-agent: *\nDisallow: /", False),
        ("<html>no robots.txt</html>", True),
        ("User-agent: *\nDisallow /\nnonsense\n:\nDisallow: /private", False),
        ("", True),
    ],
)
def test_lines_and_groups(text: str, allowed: bool) -> None:
    assert allows(text, "/private/a.jpg") is allowed


def test_a_long_file_is_cut_at_the_end_of_a_line() -> None:
    head = "User-agent: *\nDisallow: /private\n"
    filled = head + "#" * (MAX_ROBOTS_BYTES - len(head) - 21) + "\nAllow: /private/open"
    assert len(filled) == MAX_ROBOTS_BYTES
    assert allows(filled, "/private/open")
    assert not allows(filled + "/more", "/private/open/more")


def test_many_stars_take_no_time_that_grows_with_their_power() -> None:
    text = "User-agent: *\n" + f"Disallow: /{'*a' * 200}*b\n" * 500
    assert allows(text, "/" + "a" * 4000)


def test_many_names_and_many_rules_are_not_multiplied() -> None:
    text = "".join(f"User-agent: bot{index}\n" for index in range(10_000))
    text += "User-agent: *\n" + "Disallow: /x\n" * 10_000
    assert not allows(text, "/x")


@given(
    st.binary(max_size=300)
    | st.lists(st.sampled_from(["user-agent:", "*", "$", "disallow:/", "\n", "%", "%2", "?", "é"]))
    .map("".join)
    .map(str.encode),
    st.text("/ab*$?%2A", max_size=20),
)
def test_no_file_raises(content: bytes, path: str) -> None:
    assert read_robots(content, AGENT).allows(f"{SITE}/{path}") in (True, False)


@given(st.text("ab*", min_size=1, max_size=12), st.text("ab", max_size=12), st.booleans())
def test_matching_equals_a_plain_search_of_all_ways(pattern: str, path: str, ends: bool) -> None:
    def matches(pattern: str, path: str) -> bool:
        if not pattern:
            return not ends or not path
        if pattern[0] == "*":
            return any(matches(pattern[1:], path[start:]) for start in range(len(path) + 1))
        return path[:1] == pattern[0] and matches(pattern[1:], path[1:])

    text = f"User-agent: *\nDisallow: /{pattern}{'$' * ends}"
    assert allows(text, f"/{path}") is not matches(pattern, path)


FORBIDS = answer(b"User-agent: *\nDisallow: /")


@pytest.mark.parametrize(
    ("said", "status", "reason"),
    [
        (FORBIDS, FetchStatus.ROBOTS, "robots.txt"),
        (NONE, FetchStatus.OK, None),
        (answer(status=b"401 Unauthorized"), FetchStatus.OK, None),
        (answer(status=b"403 Forbidden"), FetchStatus.OK, None),
        (answer(status=b"410 Gone"), FetchStatus.OK, None),
        (answer(status=b"204 No Content"), FetchStatus.OK, None),
        (
            answer(status=b"429 Too Many Requests"),
            FetchStatus.THROTTLED,
            "robots.txt: HTTP 429",
        ),
        (answer(status=b"500 Error"), FetchStatus.SERVER_ERROR, "robots.txt: HTTP 500"),
        (answer(status=b"503 Busy"), FetchStatus.THROTTLED, "robots.txt: HTTP 503"),
        (
            b"",
            FetchStatus.CONNECTION,
            "robots.txt: got nothing: Empty reply from server",
        ),
        (
            b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nUser",
            FetchStatus.TRUNCATED,
            "robots.txt: partial file",
        ),
        (answer(b"", b"Location: file:///x", status=b"302 Found"), FetchStatus.OK, None),
        (answer(b"", b"Location: /robots.txt", status=b"302 Found"), FetchStatus.OK, None),
    ],
)
def test_what_the_request_for_robots_txt_comes_to(
    tmp_path: Path, site: Site, said: bytes, status: FetchStatus, reason: str | None
) -> None:
    url = f"{site.base}/a.jpg"
    site.answers = {"/robots.txt": said, "/a.jpg": answer(picture())}
    row = fetch(tmp_path, [url])[url]
    assert (row["status"], row["error_class"]) == (status, reason)
    assert site.asked() == (["/a.jpg"] if status is FetchStatus.OK else [])


def test_robots_txt_behind_five_redirects_counts(tmp_path: Path, site: Site) -> None:
    steps = ["/robots.txt", "/1", "/2", "/3", "/4", "/5"]
    for step, after in pairwise(steps):
        site.answers[step] = answer(b"", b"Location: " + after.encode(), status=b"301 Moved")
    site.answers |= {"/5": FORBIDS, "/a.jpg": answer(picture())}
    url = f"{site.base}/a.jpg"
    assert fetch(tmp_path, [url])[url]["status"] == FetchStatus.ROBOTS


def test_a_site_that_was_down_for_a_moment_is_asked_again(tmp_path: Path, site: Site) -> None:
    site.answers = {
        "/robots.txt": [answer(status=b"500 Error"), FORBIDS],
        "/a.jpg": answer(picture()),
    }
    url = f"{site.base}/a.jpg"
    row = fetch(tmp_path, [url], retries=2, timeout=20)[url]
    assert (row["status"], row["attempts"]) == (FetchStatus.ROBOTS, 2)
    assert site.asked() == []


def test_robots_are_asked_about_the_path_that_is_asked_for(tmp_path: Path, site: Site) -> None:
    site.answers = {"/robots.txt": answer(b"User-agent: *\nDisallow: /private/")}
    urls = [site.base + path for path in ("/a/../private/x.jpg", "/a/%2e%2e/private/x.jpg")]
    assert {row["status"] for row in fetch(tmp_path, urls).values()} == {FetchStatus.ROBOTS}


def test_rules_of_many_sites_are_held_within_bounds() -> None:
    reads: Counter[str] = Counter()
    turn = nullcontext[None]

    async def read(site: rules_held.Site, _: object) -> Robots:
        reads[site.place] += 1
        return read_robots(b"User-agent: *\n" + b"Disallow: /x\n" * 10, AGENT)

    async def ask() -> None:
        rules = rules_held.RulesHeld(read, most=40)
        together = [rules.of(rules_held.Site("a"), turn) for _ in range(5)]
        await asyncio.gather(*together)
        for site in ("b", "c", "a", "d", "a", "b"):
            await rules.of(rules_held.Site(site), turn)

    asyncio.run(ask())
    assert reads == {"a": 1, "b": 2, "c": 1, "d": 1}


def test_rules_are_read_anew_after_a_day_and_kept_where_the_site_is_down() -> None:
    """A run takes days: RFC 9309 (2.4) has rules used for 24 hours, longer if unreachable."""
    reads: list[float] = []

    async def read(_: rules_held.Site, __: object) -> Robots:
        now = asyncio.get_running_loop().time()
        reads.append(now // 3600)
        if 24 <= now / 3600 < 50:
            raise AttemptError(FetchStatus.SERVER_ERROR, "503")
        return read_robots(b"User-agent: *\nDisallow: /" + (b"a" if now else b"b"), AGENT)

    async def ask() -> list[bool]:
        rules = rules_held.RulesHeld(read)
        allowed = []
        for _ in range(80):
            robots = await rules.of(rules_held.Site("host"), nullcontext[None])
            allowed.append(robots.allows("http://host/a"))
            await asyncio.sleep(3600)
        return allowed

    allowed = run_at_once(ask())
    assert reads == [0, *range(24, 51), 74]  # while it is down, once an hour
    assert allowed == [True] * 50 + [False] * 30
