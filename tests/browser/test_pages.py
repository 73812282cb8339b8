"""Every page, in both languages, on a desk and on a phone: whole, in order, open to everybody."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urljoin, urlparse

import pytest
from playwright.sync_api import Browser, Page

pytestmark = pytest.mark.browser

AXE = Path(__file__).parents[2] / "node_modules" / "axe-core" / "axe.min.js"
PAGES = ("/", "/docs")
LANGUAGES = {"zh-CN": "zh", "en": "en"}
WIDTHS = {"desk": 1280, "phone": 390}
CHINESE = re.compile(r"[\u4e00-\u9fff]")


@pytest.fixture(
    params=[(path, tag, width) for path in PAGES for tag in LANGUAGES for width in WIDTHS]
)
def shown(
    request: pytest.FixtureRequest, browser: Browser, address: str
) -> Iterator[tuple[Page, str]]:
    """One page as a visitor of one language sees it at one width; its faults are kept."""
    path, tag, width = request.param
    size: Any = {"width": WIDTHS[width], "height": 900}
    context = browser.new_context(locale=tag, viewport=size)
    page = context.new_page()
    faults: list[str] = []
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.on("requestfailed", lambda failed: faults.append(failed.url))
    page.on("response", lambda answer: faults.append(answer.url) if answer.status >= 400 else None)
    page.goto(urljoin(address, path))
    yield page, tag
    context.close()
    assert faults == []


def test_page__as_a_visitor_sees_it__in_the_visitors_language(shown: tuple[Page, str]) -> None:
    page, tag = shown
    assert page.locator("html").get_attribute("lang") == tag
    heading = page.locator("h1").inner_text()
    assert heading
    assert bool(CHINESE.search(page.locator("h1, h2").all_inner_texts()[-1])) == (tag == "zh-CN")


def test_page__at_its_width__nothing_is_cut_off(shown: tuple[Page, str]) -> None:
    page, _ = shown
    wide = page.evaluate(
        """() => [...document.querySelectorAll('body *')]
            .filter(e => !e.closest('.scroll, .drawing, svg, .skip')
                && e.getBoundingClientRect().right > document.documentElement.clientWidth + 1)
            .map(e => e.tagName + ' ' + e.className + ' ' + e.textContent.trim().slice(0, 40))"""
    )
    assert wide == []


def test_page__by_the_rules_of_accessibility__no_violation(shown: tuple[Page, str]) -> None:
    page, _ = shown
    page.evaluate(AXE.read_text(encoding="utf-8"))
    found = page.evaluate("async () => (await axe.run()).violations")
    told = [f"{item['id']}: {item['nodes'][0]['html'][:160]}" for item in found]
    assert told == []


def test_links__of_every_page__lead_somewhere(browser: Browser, address: str) -> None:
    """Follows every link that stays on this service, once."""
    context = browser.new_context()
    page = context.new_page()
    waiting, seen, broken = [urljoin(address, path) for path in PAGES], set(), []
    while waiting:
        url = waiting.pop()
        if url in seen:
            continue
        seen.add(url)
        answer = context.request.get(url)
        if answer.status >= 400:
            broken.append(f"{answer.status} {url}")
        elif "text/html" in answer.headers.get("content-type", ""):
            page.goto(url)
            links = page.eval_on_selector_all("a[href]", "all => all.map(a => a.href)")
            waiting += [
                link.split("#")[0]
                for link in links
                if urlparse(link).netloc == urlparse(address).netloc
            ]
    context.close()
    assert len(seen) > len(PAGES)
    assert broken == []
