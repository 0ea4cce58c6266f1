"""The report in a real browser: looked at, clicked, typed, printed."""

import io
from pathlib import Path
from unicodedata import normalize

import numpy as np
import pytest
from axe_playwright_python.sync_playwright import Axe
from PIL import Image
from playwright.sync_api import Browser, Page
from pypdf import PdfReader

from tests.chromium import needs_fonts
from tests.report.made_workspace import HOSTILE
from tests.report.opened_report import NARROW, WIDE, opened

pytestmark = pytest.mark.slow  # one report of a trained run, and a browser's start

AA = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa"]
SHOTS = Path(__file__).with_name("shots")
SCALE = 5
"""Screenshots are compared this much smaller: edges drawn a little otherwise are gray there too."""

MAX_DIFFERENT = 3
"""Mean difference of gray values, 0 to 255, up to which two views are alike; of two different views
it is 10 and more, of a view and an empty page 6."""


def test_hostile_text_is_shown_as_text_and_nothing_is_asked_of_a_network(page: Page) -> None:
    shown = page.locator("body").inner_text()
    assert shown.count(HOSTILE) > 5
    assert page.locator("script").count() == 1
    assert page.locator("img[src=x]").count() == 0


def test_no_script_but_the_page_s_own_runs(browser: Browser, report: Path, tmp_path: Path) -> None:
    spoiled = tmp_path / "spoiled.html"
    text = report.read_text()
    spoiled.write_text(text.replace("</main>", "<script>pwned = 1</script></main>"))
    page = browser.new_page()
    page.goto(spoiled.as_uri())
    assert page.evaluate("typeof pwned") == "undefined"
    page.close()


@pytest.mark.parametrize("fixture", ["page", "small_page"])
def test_axe_finds_no_violation_of_wcag_2_1_aa(
    fixture: str, request: pytest.FixtureRequest
) -> None:
    page = request.getfixturevalue(fixture)
    for enlarged in (False, True):
        if enlarged:
            page.locator("button.enlarge").first.click()
        found = Axe().run(page, options={"runOnly": AA})
        assert found.violations_count == 0, found.generate_report()


def test_nothing_is_wider_than_a_narrow_screen(small_page: Page) -> None:
    assert small_page.evaluate("document.documentElement.scrollWidth") <= NARROW
    assert small_page.evaluate("getComputedStyle(document.body).colorScheme") == "light dark"


def test_a_picture_is_enlarged_with_its_boxes_and_closed_by_keyboard(page: Page) -> None:
    button = page.locator("#narrow-text button.enlarge").first
    button.focus()
    page.keyboard.press("Enter")
    viewer = page.locator("#viewer")
    assert viewer.is_visible()
    under = viewer.locator(".under")
    assert under.get_attribute("src") == button.locator("img").get_attribute("src")
    assert under.bounding_box()["width"] > 2 * button.locator("img").bounding_box()["width"]  # type: ignore[index]
    assert "SALE" in viewer.locator(".says").inner_text()
    assert not viewer.locator("input").is_visible()
    page.keyboard.press("Escape")
    assert not viewer.is_visible()
    assert button.evaluate("button => button === document.activeElement")


def test_the_two_pictures_of_a_pair_wipe_over_each_other(page: Page) -> None:
    page.locator("#narrow-dedup button.enlarge").first.click()
    slider, over = page.locator("#viewer input"), page.locator("#viewer .over")
    sides = [page.locator(f"#viewer .{place}").evaluate(SIDES) for place in ("under", "over")]
    assert sides[0] == sides[1], "the second lies in the first's frame"
    slider.focus()
    page.keyboard.press("Home")
    assert over.evaluate("image => image.style.clipPath") == "inset(0px 0px 0px 0%)"
    page.keyboard.press("End")
    assert "100%" in over.evaluate("image => image.style.clipPath")
    page.mouse.move(*_middle(page))
    assert 40 < int(slider.input_value()) < 60
    page.get_by_role("button", name="Close").click()
    assert not page.locator("#viewer").is_visible()


SIDES = "image => image.decode().then(() => [image.naturalWidth, image.naturalHeight])"


def _middle(page: Page) -> tuple[float, float]:
    box = page.locator("#viewer .over").bounding_box()
    assert box
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


def test_near_misses_and_what_a_move_changes_stand_beside_the_steps(page: Page) -> None:
    dedup = page.locator("#narrow-dedup").inner_text()
    assert "near misses" in dedup
    assert "11 bits apart, correlation 0.950" in dedup
    assert "distance 12" in dedup
    assert page.locator("#funnel a[href='#narrow-text']").is_visible()
    for step in ("text", "dedup", "binarize"):
        assert page.locator(f"#narrow-{step} .threshold text").first.text_content()
        assert page.locator(f"#narrow-{step} tbody tr").count() >= 2


def test_a_table_sorts_by_keyboard_up_and_down(page: Page) -> None:
    page.locator("#labels details details summary").click()
    table = page.locator("#labels table")
    heading = table.locator("th", has_text="Listed lines")
    heading.locator("button").focus()
    for order, reverse in (("ascending", False), ("descending", True)):
        page.keyboard.press("Enter")
        assert heading.get_attribute("aria-sort") == order
        counts = [int(cell) for cell in table.locator("td:nth-child(3)").all_inner_texts()]
        assert counts == sorted(counts, reverse=reverse)


def test_dates_and_digests_sort_as_words_and_accuracies_as_numbers(page: Page) -> None:
    table = page.locator("#training table").first
    told = {
        "Finished": ["2026-11-27 20:53", "2026-02-01 09:00"],
        "Split": ["9e107d9d", "10ab34cd"],
        "Test, %": ["99.1 (9.0 to 99.9)", "100.0 (90.0 to 100.0)"],
    }
    for heading, (one, other) in told.items():
        column = table.locator("thead th").all_inner_texts().index(heading)
        cells = table.locator(f"tbody tr > :nth-child({column + 1})")
        cells.evaluate_all(
            "(all, words) => all.forEach((e, i) => e.textContent = words[i])", told[heading]
        )
        button = table.locator("th", has_text=heading).locator("button").first
        button.click()
        wanted = [one, other] if heading == "Test, %" else sorted([one, other])
        assert cells.all_inner_texts() == wanted, heading
        button.click()
        assert cells.all_inner_texts() == wanted[::-1], heading


def test_sections_fold_and_their_anchors_unfold_them(page: Page) -> None:
    table = page.locator("#splits table")
    page.locator("#splits summary").first.focus()
    page.keyboard.press("Enter")
    assert not table.is_visible()
    page.locator("nav a[href='#splits']").click()
    assert table.is_visible()
    targets = page.locator("a[href^='#']").evaluate_all("links => links.map(a => a.hash.slice(1))")
    assert all(page.evaluate("id => !!document.getElementById(id)", name) for name in targets)


def test_every_id_stands_once_and_what_plots_refer_to_is_there(page: Page) -> None:
    ids = page.locator("[id]").evaluate_all("all => all.map(each => each.id)")
    assert len(ids) == len(set(ids)) > 100
    used = page.locator("svg use").evaluate_all(
        "all => all.map(each => each.getAttribute('xlink:href'))"
    )
    assert {name.removeprefix("#") for name in used} <= set(ids)


def test_runs_are_compared_with_intervals_and_curves_over_each_other(page: Page) -> None:
    training = page.locator("#training")
    rows = training.locator("table").first.locator("tbody tr")
    assert rows.count() == 2
    assert " to " in rows.first.inner_text()
    assert "Learning curves over each other" in training.inner_text()
    looked = page.locator("#looks ~ ul.gallery figure img")
    assert looked.count() >= 2


def test_leaks_of_an_external_set_are_counted_by_split(page: Page) -> None:
    rows = page.locator("#leaks table").nth(1).locator("tbody tr").all_inner_texts()
    assert [row.split() for row in rows] == [
        ["outside", "train", "1", "0"],
        ["outside", "validation", "0", "0"],
        ["outside", "test", "1", "0"],
    ]
    within = page.locator("#leaks table").first.locator("tbody td").all_inner_texts()
    assert set(within) == {"0"}


def test_it_prints_without_empty_pages_or_cut_tables(page: Page, tmp_path: Path) -> None:
    page.locator("#origin summary").first.click()  # paper shows what is folded too
    page.emulate_media(media="print")
    page.set_viewport_size({"width": 688, "height": 971})  # A4 less its margins, at 96 a inch
    wide = "all => all.filter(each => each.getBoundingClientRect().right > innerWidth + 1).length"
    assert page.locator("table, svg, img").evaluate_all(wide) == 0
    page.pdf(path=tmp_path / "report.pdf", prefer_css_page_size=True)
    pages = PdfReader(tmp_path / "report.pdf").pages
    words = [normalize("NFKC", sheet.extract_text()).split() for sheet in pages]  # no ligatures
    assert len(pages) > 2
    assert all(len(on) > 4 or sheet.images for on, sheet in zip(words, pages, strict=True))
    said = " ".join(word for sheet in words for word in sheet)
    for heading in ("Funnel", "Near the thresholds", "Origin of the manifests", "Configuration"):
        assert heading in said


@pytest.mark.parametrize("width", [WIDE, NARROW])
@pytest.mark.parametrize("view", ["head", "narrow-text", "map", "training", "viewer"])
def test_the_main_views_look_as_they_did(
    browser: Browser, report: Path, view: str, width: int
) -> None:
    needs_fonts()
    for page in opened(browser, report, width, "light"):
        if view == "viewer":
            page.locator("#narrow-dedup button.enlarge").first.click()
        elif view != "head":
            page.locator(f"#{view}").evaluate("part => part.scrollIntoView()")
        shot = Image.open(io.BytesIO(page.screenshot())).convert("L")
    small = shot.resize((shot.width // SCALE, shot.height // SCALE), Image.Resampling.BOX)
    known = SHOTS / f"{view}-{width}.png"
    if not known.exists():
        small.save(known)
        pytest.fail(f"{known} was not there: look at it, then keep it")
    gap = np.abs(np.asarray(small, float) - np.asarray(Image.open(known), float))
    assert gap.mean() < MAX_DIFFERENT
