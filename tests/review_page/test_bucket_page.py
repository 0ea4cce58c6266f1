"""The page of a bucket's workspace: pictures come from shards, decisions are in it at once."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.review_page.asking import ask
from tests.review_page.conftest import Served
from tests.review_page.made import make_cases
from tests.review_page.test_page import choose, open_page, press
from webemo_curate.reviews.review_journal import ReviewJournal
from webemo_curate.storage.bucket import BucketStore
from webemo_curate.workspace import Workspace

if TYPE_CHECKING:
    from playwright.sync_api import Page

    from webemo_curate.reviews.review import Review

Serve = Callable[..., Served]


@pytest.fixture
def cases(url: str, tmp_path: Path) -> Workspace:
    """A bucket's workspace as a machine sees it that did not make it: nothing is cached."""
    make_cases(Workspace(BucketStore(url, tmp_path / "maker")))
    return Workspace(BucketStore(url, tmp_path / "ours"))


def test_pictures_of_a_bucket_are_shown_and_decisions_are_in_it_before_the_next(
    page: "Page", serve_page: Serve, url: str, tmp_path: Path
) -> None:
    served = serve_page()
    open_page(page, served.address)
    for count, (kind, key) in enumerate((("text", "d"), ("duplicate", "s"), ("label", "1")), 1):
        choose(page, kind=kind)
        shown = page.locator("#pictures img")
        assert shown.count() == (2 if kind == "duplicate" else 1)
        assert all(shown.evaluate_all("all => all.map(image => image.naturalWidth > 0)"))
        press(page, key)
        assert len(elsewhere(url, tmp_path / f"other {count}")) == count
    press(page, "u")
    served.end()
    found = elsewhere(url, tmp_path / "after")
    assert {review.decision for review in found} == {"drop", "same"}
    assert {review.reviewer for review in found} == {"ann"}


def test_a_pair_of_a_bucket_is_laid_one_on_the_other(serve_page: Serve, cases: Workspace) -> None:
    pairs = cases.read("pairs", ["first", "second", "correlation"]).to_pylist()
    pair = max(pairs, key=lambda row: row["correlation"])
    laid = ask(serve_page().address, f"laid/{pair['first']}/{pair['second']}")
    assert (laid.status, laid.headers["content-type"]) == (200, "image/webp")


def elsewhere(url: str, cache: Path) -> "list[Review]":
    """Return the decisions that stand, as another machine reads them from the bucket."""
    return ReviewJournal(Workspace(BucketStore(url, cache))).current()
