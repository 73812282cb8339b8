"""The independent check of everything: events, logs, money, documents, a report.

Rules kept here:
1. Nothing of the service's own computations is used: only units, ids, codes, byte formats and
   plain reads of the chain.
2. Every fault is a finding; a verification always comes to its end.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any
from uuid import UUID

from ledger.chain.events import Event
from ledger.verification.anchors import read_anchors
from ledger.verification.callers import Call
from ledger.verification.documents import check_documents
from ledger.verification.figures import expected_statement
from ledger.verification.findings import Findings, Progress, VerificationReport
from ledger.verification.invoices import ReadReceipt
from ledger.verification.log_check import check_log
from ledger.verification.logs import check_logs
from ledger.verification.market import MarketReplay
from ledger.verification.policies import check_policy_documents
from ledger.verification.reading import check_numbers
from ledger.verification.receipts import read_receipt
from ledger.verification.report import block_number_of, check_report
from ledger.verification.terms import check_terms


def verify(
    events: Iterable[Event],
    *,
    logs: Path,
    documents: Path | None = None,
    report: Mapping[str, Any] | None = None,
    counts: Mapping[str, int] | None = None,
    agreement_domain: Mapping[str, Any] | None = None,
    lineages: Mapping[UUID, list[dict[str, Any]]] | None = None,
    calls: Mapping[str, Sequence[Call]] | None = None,
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
        lineages: lineage by product as it is written on chain; not compared without it.
        calls: signed calls by transaction, for who might sign them; not checked when left out.
        progress: called with a step, how much is done, and how much there is.
    """
    ordered = sorted(events, key=lambda event: (event.block_number, event.log_index))
    findings = Findings()
    tell = progress or _silent
    read = partial(read_receipt, logs)
    check_numbers(ordered, counts, findings)
    market = MarketReplay(findings, read, agreement_domain, calls)
    market.apply(ordered)
    if lineages is not None:
        market.licences.compare_lineages(lineages)
    tell("events", len(ordered), len(ordered))
    audited = check_logs(market.logs.logs, logs, market.licences.licences, findings, progress)
    if documents is not None:
        check_documents(documents, findings)
        check_policy_documents(market.datasets.policies, documents, findings)
        check_terms(documents, ordered, findings)
        tell("documents", 1, 1)
    if report is not None:
        _check_report(report, ordered, market, read, findings)
        tell("report", 1, 1)
    return findings.report(audited)


def recompute(events: Iterable[Event], *, logs: Path) -> dict[str, Any]:
    """Return the statement of the whole market as the events imply it, without names.

    Args:
        events: all events of the market's contracts, in any order.
        logs: folder with a folder per log, named by its number.
    """
    ordered = sorted(events, key=lambda event: (event.block_number, event.log_index))
    market = MarketReplay(Findings(), partial(read_receipt, logs))
    market.apply(ordered)
    return expected_statement(market, ordered[-1].block_number if ordered else -1)


def audit(
    events: Iterable[Event],
    *,
    logs: Path,
    log_no: int | None = None,
    counts: Mapping[str, int] | None = None,
    progress: Progress | None = None,
) -> VerificationReport:
    """Check the logs' files against the chain and return what does not agree, with their figures.

    What is wrong in the rest of the market is left to `verify`.

    Args:
        events: all events of the market's contracts, in any order.
        logs: folder with a folder per log, named by its number.
        log_no: the only log to check; all of them when not given.
        counts: number of the last event by contract, as the contracts say at the same block.
        progress: called with a log, receipts done, receipts there are.
    """
    ordered = sorted(events, key=lambda event: (event.block_number, event.log_index))
    findings, elsewhere = Findings(), Findings()
    check_numbers(ordered, counts, findings)
    market = MarketReplay(elsewhere, partial(read_receipt, logs))
    market.apply(ordered)
    findings.items += [item for item in elsewhere.items if item.where.startswith("UsageLog ")]
    wanted = {no: log for no, log in market.logs.logs.items() if log_no in (None, no)}
    findings.require(bool(wanted) or log_no is None, "log_unknown", f"log {log_no}", log_no)
    licences = market.licences.licences
    audited = check_logs(wanted, logs, licences, findings, progress, is_all=log_no is None)
    return findings.report(audited)


def audit_offline(
    folder: Path, anchors: Mapping[str, Any], progress: Progress | None = None
) -> VerificationReport:
    """Check one log's files without a chain, against anchors that the caller brings.

    Terms of licences are not at hand, so whether a use was granted is not checked.

    Args:
        folder: the log's files.
        anchors: `{"log_no", "anchors": [{"size", "root", "time_ms"}, …]}`, oldest first, roots as
            0x and hex.
        progress: as `audit`.

    Raises:
        MalformedValueError: when the anchors are of another form.
    """
    findings = Findings()
    log = read_anchors(anchors)
    figures = check_log(log, folder, None, findings, progress)
    return findings.report([figures])


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
