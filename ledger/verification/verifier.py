"""The independent check of everything: events, logs, money, documents, a report.

Rules kept here:
1. Nothing of the service's own computations is used: only units, ids, codes, byte formats and
   plain reads of the chain.
2. Every fault is a finding; a verification always comes to its end.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

from ledger.chain.events import Event
from ledger.verification.documents import check_documents
from ledger.verification.figures import expected_statement
from ledger.verification.findings import Findings, Progress, VerificationReport
from ledger.verification.invoices import ReadReceipt
from ledger.verification.logs import check_logs
from ledger.verification.market import MarketReplay
from ledger.verification.reading import check_numbers
from ledger.verification.receipts import read_receipt
from ledger.verification.report import block_number_of, check_report


def verify(
    events: Iterable[Event],
    *,
    logs: Path,
    documents: Path | None = None,
    report: Mapping[str, Any] | None = None,
    counts: Mapping[str, int] | None = None,
    agreement_domain: Mapping[str, Any] | None = None,
    progress: Progress | None = None,
) -> VerificationReport:
    """Recompute the market and return everything that does not agree.

    Args:
        events: all events of the market's contracts, in any order.
        logs: folder with a folder per log, named by its number.
        documents: folder of stored documents.
        report: a statement made by `ledger.report`, as parsed JSON.
        counts: number of the last event by contract, as the contracts say at the same block.
        agreement_domain: EIP-712 domain of agreements; without it their digests are not recomputed.
        progress: called with a step, how much is done, and how much there is.
    """
    ordered = sorted(events, key=lambda event: (event.block_number, event.log_index))
    findings = Findings()
    tell = progress or _silent
    read = partial(read_receipt, logs)
    check_numbers(ordered, counts, findings)
    market = MarketReplay(findings, read, agreement_domain)
    market.apply(ordered)
    tell("events", len(ordered), len(ordered))
    check_logs(market.logs.logs, logs, market.licences.licences, findings, progress)
    if documents is not None:
        check_documents(documents, findings)
        tell("documents", 1, 1)
    if report is not None:
        _check_report(report, ordered, market, read, findings)
        tell("report", 1, 1)
    return findings.report()


def _check_report(
    report: Mapping[str, Any],
    events: list[Event],
    market: MarketReplay,
    read: ReadReceipt,
    findings: Findings,
) -> None:
    """Compare a statement with the market as it was at the statement's block."""
    block_number = block_number_of(report)
    if block_number is None:
        findings.add("report_malformed", "report.block_number", report.get("block_number"), "int")
        return
    if any(event.block_number > block_number for event in events):
        market = MarketReplay(Findings(), read)
        market.apply(event for event in events if event.block_number <= block_number)
    check_report(report, expected_statement(market, block_number), findings)


def _silent(step: str, done: int, total: int) -> None:
    """Say nothing."""
