"""The page in a real browser: real keys, and what they leave on the disk."""

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

from tests.review_page.conftest import Served, decided
from tests.review_page.made import HOSTILE
from tests.stages.tables import manifest
from webemo_curate.reviews.review import Review
from webemo_curate.workspace import Workspace

if TYPE_CHECKING:
    from playwright.sync_api import Page

Serve = Callable[..., Served]


def open_page(page: "Page", address: str) -> None:
    page.goto(address)
    page.wait_for_selector("#work[data-ready]")


def turns(page: "Page") -> int:
    return int(page.get_attribute("#work", "data-ready") or 0)


def wait_turn(page: "Page", before: int) -> None:
    page.wait_for_selector(f'#work:not([data-ready="{before}"])')


def press(page: "Page", *keys: str) -> None:
    """Press keys, each when the one before has done its work."""
    for key in keys:
        before = turns(page)
        page.keyboard.press(key)
        wait_turn(page, before)


def choose(page: "Page", **filters: str) -> None:
    for name, value in filters.items():
        if page.input_value(f"#{name}") == value:
            continue
        before = turns(page)
        page.select_option(f"#{name}", value)
        wait_turn(page, before)
    page.locator("#work").focus()


@pytest.mark.parametrize(
    ("kind", "keys", "decisions"),
    [
        ("text", ["k", "d"], {"keep", "drop"}),
        ("duplicate", ["s", "n"], {"same", "different"}),
        ("label", ["1", "1", "d"], {"joy", "sadness", "drop"}),
    ],
)
def test_each_kind_is_decided_by_keys_and_is_on_the_disk_before_the_next_picture(
    page: "Page",
    serve_page: Serve,
    cases: Workspace,
    kind: str,
    keys: list[str],
    decisions: set[str],
) -> None:
    open_page(page, serve_page().address)
    choose(page, kind=kind)
    for count, key in enumerate(keys, start=1):
        press(page, key)
        assert len(decided(cases)) == count
    found = decided(cases)
    assert {review.decision for review in found} == decisions
    assert {str(review.kind) for review in found} == {kind}
    assert {review.reviewer for review in found} == {"ann"}
    assert None not in {review.threshold for review in found}


def test_the_nearest_case_comes_first_with_its_boxes_and_what_was_read(
    page: "Page", serve_page: Serve
) -> None:
    open_page(page, serve_page().address)
    choose(page, kind="text")
    assert "held against 0.85" in page.inner_text("#facts")
    assert page.locator("#pictures polygon").count() == 1
    scores = []
    for _ in range(6):
        scores.append(float(page.inner_text("#facts p").split("confidence ")[1].split(",")[0]))
        press(page, "ArrowRight")
    assert scores == [0.86, 0.83, 0.88, 0.81, 0.9, 0.79]


def test_keys_of_another_kind_decide_nothing(
    page: "Page", serve_page: Serve, cases: Workspace
) -> None:
    open_page(page, serve_page().address)
    choose(page, kind="text")
    for key in ("s", "n", "1", "x", "Control+k"):
        page.keyboard.press(key)
    press(page, "k")
    assert [review.decision for review in decided(cases)] == ["keep"]


def test_undo_takes_back_also_what_was_decided_before_the_server_started_anew(
    page: "Page", serve_page: Serve, cases: Workspace
) -> None:
    served = serve_page()
    open_page(page, served.address)
    choose(page, kind="text")
    press(page, "k", "d", "u")
    assert [review.decision for review in decided(cases)] == ["keep"]
    assert page.inner_text("#counter").startswith("Case 2 of 6, 1 decided")
    served.end()
    open_page(page, serve_page().address)
    press(page, "u")
    assert decided(cases) == []


def test_a_reload_goes_on_with_what_is_left(
    page: "Page", serve_page: Serve, cases: Workspace
) -> None:
    open_page(page, serve_page().address)
    assert "of 12" in page.inner_text("#counter")
    press(page, "d" if page.locator("#answers button", has_text="drop").count() else "s")
    page.reload()
    page.wait_for_selector("#work[data-ready]")
    assert page.inner_text("#counter").startswith("Case 1 of 11")
    assert len(decided(cases)) == 1


def test_two_tabs_decide_into_one_journal_and_hear_of_each_other(
    page: "Page", serve_page: Serve, cases: Workspace
) -> None:
    address = serve_page().address
    other = page.context.new_page()
    for tab in (page, other):
        open_page(tab, address)
        choose(tab, kind="text")
    press(page, "k")
    other.evaluate("window.dispatchEvent(new Event('focus'))")
    other.wait_for_selector("text=You decided: keep.")
    press(other, "d", "d")
    found = decided(cases)
    assert sorted(review.decision for review in found) == ["drop", "drop"]


def test_many_are_decided_at_once_in_the_grid_by_keyboard_alone(
    page: "Page", serve_page: Serve, cases: Workspace
) -> None:
    open_page(page, serve_page().address)
    choose(page, kind="text")
    press(page, "g")
    page.keyboard.press("Space")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Space")
    press(page, "k")
    assert [review.decision for review in decided(cases)] == ["keep", "keep"]
    page.keyboard.press("a")
    press(page, "d")
    assert [review.decision for review in decided(cases)] == ["drop"] * 6
    press(page, "u")
    assert sorted(review.decision for review in decided(cases)) == ["keep", "keep"]


def test_a_pair_wipes_and_blinks_and_any_picture_is_enlarged(
    page: "Page", serve_page: Serve
) -> None:
    open_page(page, serve_page().address)
    choose(page, kind="duplicate")
    assert page.locator("#pictures figure img").count() == 2
    page.keyboard.press("w")
    page.wait_for_selector(".laid img + img[src*='/laid/']")
    shapes = page.eval_on_selector_all(".laid img", "all => all.map(i => i.naturalWidth)")
    assert shapes[0] == shapes[1] > 0
    page.locator("#wiped").focus()
    page.keyboard.press("Home")
    assert "0%" in page.evaluate("document.querySelector('.laid img + img').style.clipPath")
    page.locator("#work").focus()
    page.keyboard.press("b")
    page.wait_for_selector(".laid.blinked")
    page.keyboard.press("b")
    assert page.locator("#pictures figure img").count() == 2
    page.keyboard.press("Space")
    page.wait_for_selector("#enlarged img")
    page.keyboard.press("Escape")
    assert not page.locator("#large").is_visible()


def test_what_strangers_wrote_stays_text(page: "Page", serve_page: Serve) -> None:
    open_page(page, serve_page().address)
    choose(page, kind="text")
    assert HOSTILE in page.inner_text("#facts ul >> nth=0")
    assert HOSTILE in page.inner_text("#facts ul >> nth=1")
    press(page, "g")
    press(page, "g")
    choose(page, kind="label")
    press(page, "ArrowRight")
    assert page.locator("#answers button", has_text=HOSTILE).count() == 1
    assert page.locator("img[src='x']").count() == 0
    assert page.title() != "hit"


def test_single_keys_can_be_turned_off(page: "Page", serve_page: Serve, cases: Workspace) -> None:
    open_page(page, serve_page().address)
    choose(page, kind="text")
    page.locator("#shortcuts").uncheck()
    page.locator("#work").focus()
    page.keyboard.press("k")
    assert page.inner_text("#counter").startswith("Case 1 of 6")
    assert decided(cases) == []


def test_a_decision_that_cannot_be_written_is_said_and_the_case_stays(
    page: "Page", serve_page: Serve, cases: Workspace
) -> None:
    open_page(page, serve_page().address)
    choose(page, kind="text")
    place = cases.root / "data/reviews"
    place.write_text("no folder")
    press(page, "k")
    assert "cannot be written" in page.inner_text("#trouble")
    assert page.inner_text("#counter").startswith("Case 1 of 6, 0 decided")
    place.unlink()
    press(page, "k")
    assert not page.locator("#trouble").is_visible()
    assert len(decided(cases)) == 1


def test_a_sample_hides_what_the_rule_says_and_read(
    page: "Page", serve_page: Serve, cases: Workspace
) -> None:
    hashes = cases.read("text", ["sha256"])["sha256"].to_pylist()
    open_page(page, serve_page(hashes=hashes).address)
    assert page.inner_text("#counter").startswith(f"Case 1 of {len(hashes)}")
    assert "hidden" in page.inner_text("#facts")
    assert page.locator("polygon").count() == 0
    assert not page.locator("#rule").is_visible()
    press(page, "k")
    (review,) = decided(cases)
    assert (review.sha256, review.note, review.score, review.threshold) == (
        hashes[0],
        "sample",
        None,
        None,
    )


def test_what_the_rule_said_of_a_label_and_what_a_person_chose_stand_apart(
    page: "Page", serve_page: Serve, cases: Workspace
) -> None:
    served = serve_page()
    open_page(page, served.address)
    choose(page, kind="label")
    press(page, "1")
    served.end()
    (review,) = decided(cases)
    assert review.decision in ("joy", "sadness")
    honor(cases, review)

    open_page(page, serve_page().address)
    choose(page, kind="label", state="decided")
    assert page.inner_text("#facts p >> nth=0").startswith("The rule says drop: share of votes")
    assert page.inner_text("#mark") == f"You decided: {review.decision}."


def honor(workspace: Workspace, review: Review) -> None:
    """Write of the reviewed picture what binarize would: the chosen label, the rule's beside it."""
    rows, info = workspace.read("labels").to_pylist(), workspace.info("labels")
    assert info
    for row in rows:
        mine = row["cluster"] == review.sha256
        ruled = {"ruled": row["verdict"], "ruled_label": row["label"]} if mine else {}
        chosen = {"verdict": "kept", "label": review.decision, "target": 0} if mine else {}
        row |= ruled | chosen | {"by": "review" if mine else "rule"}
    workspace.write("labels", manifest("labels", rows), info.origin)


def test_people_who_decide_otherwise_are_a_queue_of_their_own(
    page: "Page", serve_page: Serve
) -> None:
    first = serve_page("ann")
    open_page(page, first.address)
    choose(page, kind="text")
    press(page, "k", "k")
    first.end()
    open_page(page, serve_page("ben").address)
    choose(page, kind="text", state="mine")
    assert page.inner_text("#mark") == "Decided by 1 other."
    press(page, "d", "k")
    choose(page, state="conflict")
    assert page.inner_text("#counter").startswith("Case 1 of 1")


def test_done_ends_the_server(page: "Page", serve_page: Serve) -> None:
    served = serve_page()
    open_page(page, served.address)
    page.click("#done")
    page.wait_for_selector("text=This page can be closed")
    served.end()
