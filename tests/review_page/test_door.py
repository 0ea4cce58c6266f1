"""Who the page's server lets in: this machine, the page itself, with the token; and nobody else."""

from collections.abc import Callable
from urllib.parse import urlsplit

import pytest

from tests.review_page.asking import ask
from tests.review_page.conftest import Served, decided
from webemo_curate.workspace import Workspace

Serve = Callable[..., Served]
FIRST = {"numbers": [0], "decision": "drop"}


def test_every_answer_forbids_what_is_inline_or_from_elsewhere(serve_page: Serve) -> None:
    address = serve_page().address
    for path in ("", "page/main.js", "view", "page/none", "/other/"):
        headers = ask(address, path).headers
        assert headers["content-security-policy"].startswith("default-src 'none'")
        assert "unsafe" not in headers["content-security-policy"]
        assert headers["referrer-policy"] == "no-referrer"
        assert headers["x-content-type-options"] == "nosniff"
    assert "server" not in headers


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Host": "evil.example"}, 421),
        ({"Host": "127.0.0.1.evil.example:80"}, 421),
        ({"Host": ""}, 421),
        ({"Host": "[::1"}, 421),
        ({"Origin": "http://evil.example"}, 403),
        ({"Origin": "null"}, 403),
        ({"Sec-Fetch-Site": "cross-site"}, 403),
        ({"Content-Type": "text/plain"}, 400),
    ],
)
def test_what_comes_from_elsewhere_decides_nothing(
    serve_page: Serve, cases: Workspace, headers: dict[str, str], status: int
) -> None:
    address = serve_page().address
    assert ask(address, "decide", document=FIRST, headers=headers).status == status
    assert decided(cases) == []
    assert ask(address, "decide", document=FIRST).status == 200
    assert len(decided(cases)) == 1


def test_without_the_token_there_is_nothing(serve_page: Serve, cases: Workspace) -> None:
    address = serve_page().address
    token = urlsplit(address).path.strip("/")
    for path in ("/", "/view", "/decide", f"/{token[:-1]}/view", f"/{token}x/view", "/%ff/view"):
        assert ask(address, path, document=FIRST).status == 404
    assert decided(cases) == []


def test_a_tunnel_may_have_another_port_and_name_of_this_machine(serve_page: Serve) -> None:
    address = serve_page().address
    headers = {"Host": "localhost:9999", "Origin": "http://localhost:9999"}
    assert ask(address, "view", headers=headers).status == 200


@pytest.mark.parametrize(
    "document",
    [
        b"{",
        b"[]",
        b"[" * 60_000,
        {},
        {"numbers": [], "decision": "drop"},
        {"numbers": [0.5], "decision": "drop"},
        {"numbers": [True], "decision": "drop"},
        {"numbers": [-1], "decision": "drop"},
        {"numbers": [99], "decision": "drop"},
        {"numbers": [0], "decision": "burn"},
        {"numbers": [0, 99], "decision": "drop"},
        {"numbers": [0], "decision": "undo"},
        {"numbers": list(range(1000)), "decision": "drop"},
        b" " * 100_000,
    ],
)
def test_what_is_no_decision_is_refused_whole(
    serve_page: Serve, cases: Workspace, document: object
) -> None:
    answer = ask(serve_page().address, "decide", document=document)
    assert answer.status == 400
    assert "error" in answer.document()
    assert decided(cases) == []


def test_pictures_come_by_hash_alone_as_pixels(serve_page: Serve, cases: Workspace) -> None:
    address = serve_page().address
    (sha256, *_) = cases.read("text", ["sha256"])["sha256"].to_pylist()
    shown = [n for n in ask_numbers(address) if sha256 in n]
    answer = ask(address, f"picture/{shown[0]}?side=small")
    assert (answer.status, answer.headers["content-type"]) == (200, "image/jpeg")
    assert answer.content[:2] == b"\xff\xd8"
    for path in (
        "picture/curate.yaml",
        "picture/..%2f..%2fcurate.yaml",
        f"picture/{'0' * 64}",
        f"picture/{sha256}?side=huge",
        "page/../desk.py",
        "page/..%2fdesk.py",
    ):
        assert ask(address, path).status == 404


def ask_numbers(address: str) -> list[str]:
    """Return the hashes of all pictures that the page is told of."""
    numbers = ask(address, "view").document()["numbers"]
    assert isinstance(numbers, list)
    found = ask(address, "cases?numbers=" + ",".join(map(str, numbers))).document()
    return [picture["sha256"] for case in found for picture in case["pictures"]]  # type: ignore[index]


def test_a_picture_that_is_gone_is_said_and_the_case_can_be_decided(
    serve_page: Serve, cases: Workspace
) -> None:
    address = serve_page().address
    gone = ask_numbers(address)[0]
    (path,) = (cases.root / "data/images").rglob(f"{gone}*")
    path.unlink()
    assert ask(address, f"picture/{gone}").status == 404
    assert ask(address, "decide", document=FIRST).status == 200


def test_one_writer_works_in_a_workspace(serve_page: Serve, cases: Workspace) -> None:
    from tests.cli.command import curate

    serve_page()
    said = curate("review", "--no-browser", "--workspace", cases.root)
    assert said.code == 1
    assert "another curate command works here" in said.rest
