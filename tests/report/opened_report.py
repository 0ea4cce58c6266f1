"""The report opened in a browser: nothing may go wrong there, and nothing may be asked for."""

from collections.abc import Iterator
from pathlib import Path

from playwright.sync_api import Browser, Page

WIDE, NARROW = 1100, 400


def opened(browser: Browser, report: Path, width: int, scheme: str) -> Iterator[Page]:
    context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme)
    page = context.new_page()
    wrong: list[str] = []
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.on("console", lambda said: wrong.append(said.text))
    page.on("request", lambda asked: wrong.append(asked.url) if asked.url[:4] == "http" else None)
    page.goto(report.as_uri())
    yield page
    assert page.evaluate("typeof pwned") == "undefined"
    assert wrong == []
    context.close()
