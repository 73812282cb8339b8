"""Every page, in both languages, on a desk and on a phone: whole, in order, open to everybody."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args
from urllib.parse import urljoin, urlparse

import pytest
from fastapi.responses import HTMLResponse
from fastapi.routing import APIRoute, iter_route_contexts
from playwright.sync_api import Browser, BrowserContext, Page

from tests.browser.serving import PAGES, PAPERS, Served

pytestmark = pytest.mark.browser

AXE = Path(__file__).parents[2] / "node_modules" / "axe-core" / "axe.min.js"
LANGUAGES = {"zh-CN": "zh", "en": "en"}
WIDTHS = {"desk": 1280, "phone": 390}
CHINESE = re.compile(r"[\u4e00-\u9fff]")


def visitor(browser: Browser, demonstration: Served, **options: Any) -> BrowserContext:
    """Open a browser of its own, with the key that papers ask for."""
    return browser.new_context(extra_http_headers={"X-Api-Key": demonstration.key}, **options)


@pytest.fixture(
    scope="module",
    params=[
        (name, tag, width) for name in (*PAGES, *PAPERS) for tag in LANGUAGES for width in WIDTHS
    ],
    ids="-".join,
)
def shown(
    request: pytest.FixtureRequest, browser: Browser, demonstration: Served
) -> Iterator[tuple[Page, str, str]]:
    """One page as a visitor of one language sees it at one width; its faults are kept."""
    name, tag, width = request.param
    size: Any = {"width": WIDTHS[width], "height": 900}
    context = visitor(browser, demonstration, locale=tag, viewport=size)
    page = context.new_page()
    faults: list[str] = []
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.on("requestfailed", lambda failed: faults.append(failed.url))
    page.on("response", lambda answer: faults.append(answer.url) if answer.status >= 400 else None)
    page.goto(urljoin(demonstration.address, demonstration.paths[name]))
    yield page, name, tag
    context.close()
    assert faults == []


def test_pages__every_route_that_answers_html__is_among_them(demonstration: Served) -> None:
    paths = [urlparse(path).path for path in demonstration.paths.values()]
    found = [it.original_route for it in iter_route_contexts(demonstration.app.routes)]
    of_html = [it for it in found if isinstance(it, APIRoute) and answers_html(it)]
    assert len(of_html) >= 7
    left_out = [it.path for it in of_html if not any(map(it.path_regex.match, paths))]
    assert left_out == []


def answers_html(route: APIRoute) -> bool:
    """Whether a route's answer is a page, always or where its `format` says so."""
    forms = [it for it in route.dependant.query_params if it.alias == "format"]
    choices = {choice for it in forms for choice in get_args(it.field_info.annotation)}
    return route.response_class is HTMLResponse or "html" in choices


def test_page__as_a_visitor_sees_it__in_the_visitors_language(
    shown: tuple[Page, str, str],
) -> None:
    page, name, tag = shown
    headings = page.locator("h1, h2").all_inner_texts()
    assert page.locator("h1").inner_text() == headings[0] != ""
    if name in PAPERS:
        assert all(CHINESE.search(text) and re.search("[a-z]", text) for text in headings)
        return
    assert page.locator("html").get_attribute("lang") == tag
    # The documentation's chapters are named in both languages; its first and last heading in one.
    shown_in = [bool(CHINESE.search(text)) for text in (headings[0], headings[-1])]
    assert shown_in == [tag == "zh-CN"] * 2


def test_page__at_its_width__nothing_is_cut_off(shown: tuple[Page, str, str]) -> None:
    page, *_ = shown
    wide = page.evaluate(
        """() => [...document.querySelectorAll('body *')]
            .filter(e => !e.closest('.scroll, .drawing, svg, .skip')
                && e.getBoundingClientRect().right > document.documentElement.clientWidth + 1)
            .map(e => e.tagName + ' ' + e.className + ' ' + e.textContent.trim().slice(0, 40))"""
    )
    assert wide == []


def test_page__by_the_rules_of_accessibility__no_violation(shown: tuple[Page, str, str]) -> None:
    page, *_ = shown
    page.evaluate(AXE.read_text(encoding="utf-8"))
    found = page.evaluate("async () => (await axe.run()).violations")
    told = [f"{item['id']}: {item['nodes'][0]['html'][:160]}" for item in found]
    assert told == []


def test_links__of_every_page__lead_somewhere(browser: Browser, demonstration: Served) -> None:
    """Asks for every link that stays on this service, and follows those of one page a path."""
    context = visitor(browser, demonstration)
    page = context.new_page()
    address = demonstration.address
    waiting = [urljoin(address, path) for path in demonstration.paths.values()]
    seen, read, broken = set(), set(), []
    while waiting:
        url = waiting.pop()
        if url in seen:
            continue
        seen.add(url)
        answer = context.request.get(url)
        if answer.status >= 400:
            broken.append(f"{answer.status} {url}")
        elif urlparse(url).path not in read and "html" in answer.headers.get("content-type", ""):
            read.add(urlparse(url).path)
            page.goto(url)
            links = page.eval_on_selector_all("a[href]", "all => all.map(a => a.href)")
            waiting += [
                link.split("#")[0]
                for link in links
                if urlparse(link).netloc == urlparse(address).netloc
            ]
    context.close()
    assert len(seen) > len(PAGES) + len(PAPERS)
    assert broken == []
