"""Users and passwords in URLs reach no file, log or message."""

import logging
import sys
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from webemo_curate.cli import main
from webemo_curate.config import FetchConfig
from webemo_curate.credentials import holds_credentials, masked, masked_within
from webemo_curate.download.addresses import checked
from webemo_curate.download.failures import reason
from webemo_curate.download.outcome import AttemptError
from webemo_curate.verdicts import FetchStatus

SECRET = "hunter2"


def curate(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int:
    """Run a command; return its exit code."""
    monkeypatch.setattr(sys, "argv", ["curate", *arguments])
    with pytest.raises(SystemExit) as ended:
        main()
    return int(ended.value.code or 0)


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        (f"http://me:{SECRET}@a.example/x@y", "http://***@a.example/x@y"),
        (f"http://{SECRET}@a.example", "http://***@a.example"),
        (f"HTTP:\\\\me:{SECRET}@a.example\\x", "HTTP:\\\\***@a.example\\x"),
        (f"http:///me:{SECRET}@a.example/", "http:///***@a.example/"),
        (f"http://a@b:{SECRET}@a.example/", "http://***@a.example/"),
        (f"//me:{SECRET}@a.example/", "//***@a.example/"),
        (f"me:{SECRET}@a.example/", "***@a.example/"),
        (f"s3://KEY:{SECRET}@bucket/x", "s3://***@bucket/x"),
        ("http://a.example/a@b?c@d#e@f", "http://a.example/a@b?c@d#e@f"),
        ("http://a.example?a@b", "http://a.example?a@b"),
    ],
)
def test_what_names_the_user_is_masked(url: str, shown: str) -> None:
    assert masked(url) == shown
    assert holds_credentials(url) == (url != shown)


@given(st.text(alphabet=":/\\@?#ab%℀ .", max_size=20))
def test_what_is_masked_stays_so_and_is_never_asked_for(rest: str) -> None:
    url = f"http://{rest}"
    assert masked(masked(url)) == masked(url)
    said = ""
    try:
        checked(url)
    except AttemptError as error:
        said = str(error)
    assert "@" not in said or "***@" in said
    assert said or not holds_credentials(url)


@pytest.mark.parametrize(
    "options",
    [
        ["--mirror", f"http://me:{SECRET}@127.0.0.1:9/"],
        ["--workspace", f"s3://KEY:{SECRET}@bucket/prefix"],
    ],
)
def test_options_with_credentials_are_refused_at_once(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
    options: list[str],
) -> None:
    where = [] if "--workspace" in options else ["--workspace", str(tmp_path)]
    assert curate(monkeypatch, "fetch", *options, *where) == 2
    said = "".join(capfd.readouterr())
    assert SECRET not in said
    assert "***@" in said
    assert not list(tmp_path.rglob("*"))


def test_no_traceback_shows_what_was_given() -> None:
    with pytest.raises(ValidationError) as caught:
        FetchConfig(mirror=f"http://me:{SECRET}@a.example")
    assert SECRET not in str(caught.value)


def test_credentials_in_a_list_reach_no_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    listed, place = tmp_path / "list.txt", tmp_path / "ws"
    lines = [f"http://me:{SECRET}@127.0.0.1:9/{number}.jpg 0" for number in range(3)]
    listed.write_text("\n".join([*lines, f"http:\\\\{SECRET}@127.0.0.1:9/4.jpg 1"]))
    arguments = ["fetch", "--lists", str(listed), "--workspace", str(place)]
    assert curate(monkeypatch, *arguments) == 0
    said = "".join(capfd.readouterr())
    assert SECRET not in said
    files = [file for file in place.rglob("*") if file.is_file()]
    assert files
    for file in files:
        assert SECRET.encode() not in file.read_bytes(), file
    urls = pq.read_table(place / "manifests/listing.parquet")["url"].to_pylist()
    assert urls[0] == "http://***@127.0.0.1:9/0.jpg"
    statuses = pq.read_table(place / "manifests/fetch.parquet")["status"].to_pylist()
    assert set(statuses) == {FetchStatus.BAD_URL}


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        (f"no proxy in 'http://me:{SECRET}@host:x': port", "no proxy in 'http://***@host:x': port"),
        (f"at https:/me:{SECRET}@a/b and s3://K:{SECRET}@c", "at https:/***@a/b and s3://***@c"),
        ("write to me@a.example, or see http://a.example/@me", None),
    ],
)
def test_texts_of_libraries_are_masked(text: str, shown: str | None) -> None:
    assert masked_within(text) == (shown or text)


def test_an_error_of_libcurl_holds_no_password_of_a_proxy() -> None:
    said = f"Unsupported proxy syntax in 'http://me:{SECRET}@host:x'"
    assert SECRET not in reason(5, said) + reason(3, said) + reason(97, said)


def listed(folder: Path) -> list[str]:
    (folder / "list.txt").write_text("http://a.example/1.jpg 0\n")
    return ["fetch", "--lists", str(folder / "list.txt"), "--workspace", str(folder / "ws")]


@pytest.mark.parametrize("name", ["http_proxy", "https_proxy", "HTTPS_PROXY", "all_proxy"])
@pytest.mark.parametrize("value", ["http://me:{}@host:port", "me:{}@", "ftp://me:{}@host"])
def test_a_proxy_that_is_none_is_one_error_without_its_password(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
    name: str,
    value: str,
) -> None:
    monkeypatch.setenv(name, value.format(SECRET))
    assert curate(monkeypatch, *listed(tmp_path)) == 2
    said = "".join(capfd.readouterr())
    assert f"curate: {name}: no URL of a proxy" in said
    assert SECRET not in said


def test_a_proxy_that_does_not_answer_shows_no_password(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("http_proxy", f"http://me:{SECRET}@127.0.0.1:9")
    options = ["--retries", "0", "--passes", "1"]
    assert curate(monkeypatch, *listed(tmp_path), *options, "--ignore-robots", "-v") == 0
    assert SECRET not in "".join(capfd.readouterr())
    for file in (tmp_path / "ws").rglob("*"):
        assert not file.is_file() or SECRET.encode() not in file.read_bytes(), file


def test_a_list_that_is_a_url_is_named_without_its_password(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    place = f"https://me:{SECRET}@a.example/list.txt"
    assert curate(monkeypatch, "fetch", "--lists", place, "--workspace", str(tmp_path)) == 2
    said = "".join(capfd.readouterr())
    assert SECRET not in said
    assert "no such list" in said


@pytest.mark.parametrize("name", ["AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_S3"])
def test_an_endpoint_with_a_password_is_refused(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], name: str
) -> None:
    monkeypatch.setenv(name, f"http://me:{SECRET}@127.0.0.1:9")
    assert curate(monkeypatch, "status", "--workspace", "s3://bucket/prefix") == 2
    said = "".join(capfd.readouterr())
    assert f"curate: {name}: it holds credentials" in said
    assert SECRET not in said


def test_no_traceback_or_log_line_shows_a_password(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    def broken(*_: object) -> None:
        logging.getLogger("webemo_curate").warning("asks http://me:%s@a.example", SECRET)
        raise ZeroDivisionError(f"http://me:{SECRET}@a.example/ divides by nothing")

    monkeypatch.setattr(logging.getLogger(), "handlers", [])
    monkeypatch.setattr("webemo_curate.pipeline.Pipeline.status", broken)
    assert curate(monkeypatch, "status", "--workspace", str(tmp_path)) == 1
    said = "".join(capfd.readouterr())
    assert "Traceback" in said
    assert "asks http://***@a.example" in said
    assert SECRET not in said
