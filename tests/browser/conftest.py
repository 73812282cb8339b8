"""A browser, and the demonstration's market served to it by the real service."""

from __future__ import annotations

import shutil
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, sync_playwright

from ledger.app.market import Market
from ledger.app.settings import Settings
from ledger.cli.demo.command import run_demo
from ledger.cli.shell import out
from tests.browser.serving import served

BROWSERS = ("chromium", "chromium-browser", "google-chrome")


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """The system's Chromium; nothing is downloaded."""
    found = next(filter(None, map(shutil.which, BROWSERS)), None)
    if found is None:
        pytest.skip(f"none of {', '.join(BROWSERS)} is installed")
    with sync_playwright() as player:
        opened = player.chromium.launch(executable_path=found, args=["--no-sandbox"])
        yield opened
        opened.close()


@pytest.fixture(scope="session")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Where the demonstration's market is served."""
    home = tmp_path_factory.mktemp("browser") / "home"
    with out.capture():
        run_demo(home, keep_serving=False)
    settings = Settings(home=home, rpc_url="", database_url="")
    with Market.open(settings) as market, served(market) as url:
        yield url
