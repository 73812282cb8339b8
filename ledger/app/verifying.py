"""Verification as a use case: reads the chain, the logs and the documents of this home.

The checks themselves are `ledger.verification`, which shares no computation with the service.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ledger.app.market import Market
from ledger.chain.events import Event
from ledger.chain.signed_calls import signed_calls
from ledger.verification.findings import Progress, VerificationReport
from ledger.verification.reading import read_events, read_lineages
from ledger.verification.verifier import audit, audit_offline, recompute, verify


def verify_market(
    market: Market,
    *,
    logs: Path | None = None,
    documents: Path | None = None,
    report: Mapping[str, Any] | None = None,
    progress: Progress | None = None,
) -> VerificationReport:
    """Recompute everything from the chain and the files and return what does not agree.

    Args:
        market: the opened market; its projections are not looked at.
        logs: folder of logs to check; the home's own when left out.
        documents: folder of documents; the home's own when left out.
        report: a statement to compare.
        progress: called with a step, how much is done, how much there is.
    """
    events, counts = _read(market)
    return verify(
        events,
        logs=logs or market.home / "logs",
        documents=documents or market.home / "documents",
        report=report,
        counts=counts,
        agreement_domain=market.contracts.licences.eip712_domain(block="latest"),
        lineages=read_lineages(market.contracts, events, "latest"),
        calls=signed_calls(
            market.chain, market.contracts, sorted({event.tx_hash for event in events})
        ),
        progress=progress,
    )


def recomputed_statement(market: Market) -> dict[str, Any]:
    """Return the statement as the verifier computes it from the chain's events alone."""
    events, _counts = _read(market)
    return recompute(events, logs=market.home / "logs")


def audit_logs(
    market: Market, *, log_no: int | None = None, progress: Progress | None = None
) -> VerificationReport:
    """Check the logs of this home against the chain and return figures and findings.

    Args:
        market: the opened market; its projections are not looked at.
        log_no: the only log to check; all of them when left out.
        progress: called with a log, receipts done, receipts there are.
    """
    events, counts = _read(market)
    logs = market.home / "logs"
    return audit(events, logs=logs, log_no=log_no, counts=counts, progress=progress)


def audit_copy(
    folder: Path, anchors: Mapping[str, Any], progress: Progress | None = None
) -> VerificationReport:
    """Check a copy of one log's files against anchors from a file; needs no market.

    Raises:
        MalformedValueError: the anchors are of another form.
    """
    return audit_offline(folder, anchors, progress)


def _read(market: Market) -> tuple[list[Event], dict[str, int]]:
    """Return all events up to the newest block, and the contracts' counters at it."""
    head = market.chain.head()
    events = read_events(market.chain, market.contracts, market.deployment.first_block, head.number)
    counts = {
        contract.name: contract.event_count(block=head.number)
        for contract in market.contracts.indexed.values()
    }
    return events, counts
