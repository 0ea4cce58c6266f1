"""The report's map in a real browser: zoomed, moved, colored, asked."""

import pytest
from playwright.sync_api import Page

pytestmark = pytest.mark.slow  # one report of a trained run, and a browser's start


def test_the_map_is_walked_by_keys_wheel_and_mouse(page: Page) -> None:
    canvas, says = page.locator("#map-canvas"), page.locator("#map-says")
    canvas.scroll_into_view_if_needed()
    canvas.focus()
    views = [canvas.screenshot()]
    for key in ("+", "ArrowLeft"):
        page.keyboard.press(key)
        views.append(canvas.screenshot())
    page.mouse.move(*_middle(page))
    page.mouse.wheel(0, -300)
    views.append(canvas.screenshot())
    page.mouse.down()
    page.mouse.move(300, 300, steps=4)
    page.mouse.up()
    views.append(canvas.screenshot())
    assert len(set(views)) == len(views), "each changes what is seen"
    assert says.inner_text() == "No point is chosen.", "dragging chooses nothing"
    page.keyboard.press("0")
    assert canvas.screenshot() == views[0]
    page.keyboard.press("Enter")
    assert "curate similar" in says.inner_text()
    digits = says.inner_text().partition(";")[0]
    assert len(digits) == 8
    page.mouse.click(*_middle(page))
    assert "split: " in says.inner_text() or "No point" in says.inner_text()


def test_the_map_s_colors_are_named_and_hide_their_points(page: Page) -> None:
    canvas, key = page.locator("#map-canvas"), page.locator("#map-key button")
    page.locator("#map-small").uncheck()
    before = canvas.screenshot()
    page.locator("#map-by").select_option(label="split")
    names = key.all_inner_texts()
    assert [name.split()[0] for name in names][:1] == ["train"]
    assert sum(int(name[name.index("(") + 1 : -1]) for name in names) == int(
        canvas.get_attribute("aria-label").split()[2]  # type: ignore[union-attr]
    )
    colored = canvas.screenshot()
    key.first.focus()
    page.keyboard.press("Enter")
    assert key.first.get_attribute("aria-pressed") == "false"
    assert len({before, colored, canvas.screenshot()}) == 3
    page.locator("#map-by").select_option(label="score of the text filter")
    assert key.count() == 0
    steps = page.locator("#map-key li").all_inner_texts()
    assert [step.strip() for step in steps] == ["0", "0.5", "1"]


def _middle(page: Page) -> tuple[float, float]:
    box = page.locator("#map-canvas").bounding_box()
    assert box
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
