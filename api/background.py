"""What runs beside the requests: the indexer follows the chain, the logs are signed."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import structlog

from ledger.app import log_keeping
from ledger.app.market import Market
from ledger.domain.errors import LedgerError
from ledger.projection import queries

_JOIN_SECONDS = 10.0
_PAUSE_SECONDS = 1.0
_LOG = structlog.get_logger("api.background")


@contextmanager
def working(market: Market) -> Iterator[None]:
    """Run the background work of a market while the block runs."""
    stop = threading.Event()
    threads = [
        threading.Thread(target=work, args=(market, stop), name=work.__name__, daemon=True)
        for work in (follow, sign)
    ]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        stop.set()
        for thread in threads:
            thread.join(_JOIN_SECONDS)


def follow(market: Market, stop: threading.Event) -> None:
    """Keep the projections at the head; after an error that waiting cannot heal, try again."""
    while not stop.is_set():
        try:
            market.indexer.follow(stop)
        except LedgerError as error:
            _LOG.error("indexer stopped", code=error.code, detail=error.detail)
            stop.wait(_PAUSE_SECONDS)


def sign(market: Market, stop: threading.Event) -> None:
    """Sign every log that grew, once per interval."""
    while not stop.wait(market.settings.checkpoint_seconds):
        try:
            sign_grown(market)
        except LedgerError as error:
            _LOG.warning("checkpoint failed", code=error.code, detail=error.detail)


def sign_grown(market: Market) -> int:
    """Sign the logs on this machine that have receipts beyond their checkpoint; return how many."""
    with market.read() as connection:
        numbers = [row.log_no for row in queries.logs_list(connection)]
    count = 0
    for log_no in numbers:
        if not (market.log_folder(log_no) / "log.json").exists():
            continue
        log = log_keeping.reader(market, log_no)
        signed = log.checkpoint()
        if signed is None or log.size > signed.size:
            log_keeping.checkpoint(market, log_no)
            count += 1
    return count
