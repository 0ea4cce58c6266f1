"""How the page looks, to everyone: axe-core, narrow windows, dark mode, pictures of the docs."""

import io
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from PIL import Image

from tests.chromium import needs_fonts
from tests.review_page.conftest import Served
from tests.review_page.made import make_cases
from tests.review_page.test_page import choose, open_page, press
from tools.review_pictures import HARMLESS, SHOWN, show
from webemo_curate.workspace import Workspace

if TYPE_CHECKING:
    from playwright.sync_api import Page

Serve = Callable[..., Served]
DOCS = Path(__file__).parents[2] / "docs"
WCAG = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa"]

BLOCK = 20
"""Pixels a side of what is compared as one mean: edges are drawn a little otherwise elsewhere."""

ALIKE = 0.9
"""Least correlation of these means with the picture in the docs."""


def violations(page: "Page") -> list[str]:
    from axe_playwright_python.sync_playwright import Axe

    found = Axe().run(page, options={"runOnly": {"type": "tag", "values": WCAG}})
    return [
        f"{each['id']}: {node['html'][:200]}"
        for each in found.response["violations"]
        for node in each["nodes"]
    ]


@pytest.mark.slow
@pytest.mark.parametrize("colors", ["light", "dark"])
def test_no_view_has_a_barrier_that_axe_knows(page: "Page", serve_page: Serve, colors: str) -> None:
    page.emulate_media(color_scheme=colors)  # type: ignore[arg-type]
    open_page(page, serve_page().address)
    found = {}
    for kind in ("text", "duplicate", "label"):
        choose(page, kind=kind)
        found[kind] = violations(page)
    choose(page, kind="duplicate")
    page.keyboard.press("w")
    found["wipe"] = violations(page)
    press(page, "g")
    page.keyboard.press("Space")
    found["grid"] = violations(page)
    press(page, "g")
    press(page, "s")
    choose(page, state="decided")
    found["decided"] = violations(page)
    page.keyboard.press("?")
    found["help"] = violations(page)
    page.keyboard.press("Escape")
    page.keyboard.press("Space")
    page.wait_for_selector("#enlarged img")
    found["enlarged"] = violations(page)
    assert found == {view: [] for view in found}


@pytest.mark.parametrize("key", ["", "g"])
def test_nothing_stands_outside_a_window_of_400_pixels(
    page: "Page", serve_page: Serve, key: str
) -> None:
    page.set_viewport_size({"width": 400, "height": 800})
    open_page(page, serve_page().address)
    if key:
        press(page, key)
    for kind in ("text", "duplicate", "label"):
        choose(page, kind=kind)
        width = page.evaluate("document.scrollingElement.scrollWidth")
        assert width <= 400
        for control in page.locator("button:visible, select:visible, img:visible").all():
            place = control.bounding_box()
            assert place
            assert place["x"] >= 0
            assert place["x"] + place["width"] <= 400


def test_all_is_reached_by_tab_alone(page: "Page", serve_page: Serve) -> None:
    open_page(page, serve_page().address)
    choose(page, kind="duplicate")
    page.evaluate("document.activeElement.blur()")
    reached = set()
    for _ in range(40):
        page.keyboard.press("Tab")
        reached.add(page.evaluate("document.activeElement.id || document.activeElement.innerText"))
    wanted = {"kind", "rule", "state", "shortcuts", "show-grid", "show-help", "done", "beside"}
    wanted |= {"wipe", "blink", "previous", "next", "undo", "zoom", "same s", "different n"}
    assert wanted <= {name.strip() for name in reached}


def test_what_is_shown_is_said(page: "Page", serve_page: Serve) -> None:
    """A screen reader hears of each case: its number, the question, what the rule says."""
    open_page(page, serve_page().address)
    choose(page, kind="text")
    said = page.inner_text("[role=status]")
    assert said.startswith("Case 1 of 6. Does this picture bear text? The rule says drop")
    press(page, "k")
    assert page.inner_text("[role=status]").startswith("Case 2 of 6.")
    assert page.locator("#pictures img").get_attribute("alt")


@pytest.fixture(scope="module")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Draw the cases that the pictures of the docs show."""
    return make_cases(Workspace(tmp_path_factory.mktemp("harmless") / "ws"), HARMLESS).root


@pytest.mark.parametrize("name", SHOWN)
def test_the_main_views_look_as_in_the_docs(page: "Page", serve_page: Serve, name: str) -> None:
    needs_fonts()
    show(page, serve_page().address, name)
    shown = Image.open(io.BytesIO(page.screenshot()))
    wanted = Image.open(DOCS / f"{name}.png")
    assert shown.size == wanted.size
    means = [
        np.asarray(each.convert("RGB").reduce(BLOCK), float).ravel() for each in (shown, wanted)
    ]
    assert np.corrcoef(*means)[0, 1] >= ALIKE
