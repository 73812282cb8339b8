"""The HTTP application: routes, errors, background work.

In the background it follows the chain, signs the log it writes, and resends what is open. A fault
there is logged and shown by /readyz; it never ends the service.
"""

from __future__ import annotations

import threading
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import structlog
from fastapi import FastAPI
from fastapi.staticfiles import StaticFiles

from api import journal, problems
from api.console import catalogue as catalogue_pages
from api.console import objection, page, reference
from api.edge import Edge
from api.intake import Intake
from api.routes import (
    catalogue,
    commands,
    gateway,
    health,
    licences,
    logs,
    money,
    objections,
    papers,
    people,
    registration,
    search,
    simulations,
    usage,
)
from ledger import __version__
from ledger.app.log_keeping import sign_gateway_log
from ledger.app.market import Market
from ledger.domain.errors import LedgerError

_LOG = structlog.get_logger("api.background")
_STATIC = Path(__file__).parent / "console" / "static"


def create_app(market: Market) -> FastAPI:
    """Return the application that serves a market."""

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        stop = threading.Event()
        threads = [
            threading.Thread(target=_kept_up, args=(work, stop), daemon=True)
            for work in (
                lambda: market.indexer.follow(stop),
                lambda: _signed_regularly(market, stop),
            )
        ]
        for thread in threads:
            thread.start()
        yield
        stop.set()
        for thread in threads:
            thread.join(timeout=5)

    app = FastAPI(
        title="Metro Data Ledger 都市圈数据账本",
        version=__version__,
        summary="Provenance, provable use and exact sharing of income for a data market.",
        lifespan=lifespan,
        docs_url=None,
        redoc_url=None,
    )
    app.state.market = market
    journal.configure_once()
    problems.install(app)
    app.add_middleware(Intake, own_reading=(simulations.PATH,))
    app.add_middleware(Edge)
    for router in (
        page.router,
        catalogue_pages.router,
        reference.router,
        objection.router,
        health.router,
        catalogue.router,
        licences.router,
        search.router,
        logs.router,
        money.router,
        papers.router,
        registration.router,
        people.router,
        objections.router,
        simulations.router,
        usage.router,
        gateway.router,
        commands.router,
    ):
        app.include_router(router)
    app.mount("/static", StaticFiles(directory=_STATIC), name="static")
    return app


def _kept_up(work: Callable[[], object], stop: threading.Event) -> None:
    """Do background work until told to stop; a fault is logged and tried again."""
    while not stop.is_set():
        try:
            work()
        except LedgerError as error:
            _LOG.warning("background", code=error.code, detail=error.detail)
        stop.wait(1.0)


def _signed_regularly(market: Market, stop: threading.Event) -> None:
    while not stop.wait(market.settings.checkpoint_seconds):
        sign_gateway_log(market)
