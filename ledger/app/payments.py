"""Payments: a bank's statement, matched line by line to invoices.

Rules kept here:
1. A line is matched by the invoice's reference and by nothing else; a line that matches no
   invoice, or two, waits for people (`ledger.app.open_payments`) and changes nothing.
2. An invoice may be paid in parts. Of a line that brings more than the invoice still asks for, the
   rest waits for people under a digest of its own.
3. The digest of a bank line is salted with the service's secret and always the same for the same
   line, so reading a statement twice records nothing twice.
"""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import dataclass, field, replace
from typing import Any
from uuid import UUID

from ledger.app.bank_statements import COLUMNS, BankLine, NumberedLine, read_statement
from ledger.app.batches import Ask, run_many
from ledger.app.billing import invoice_reference
from ledger.app.commands import Done, run
from ledger.app.errors import (
    CurrencyError,
    OverpaidError,
    ReferenceAmbiguousError,
    ReferenceUnknownError,
)
from ledger.app.holds import RecordPayment
from ledger.app.market import Market
from ledger.app.open_payments import OpenItem, OpenPayments
from ledger.chain.keys import KeyAccount
from ledger.codec.documents import Document
from ledger.domain.codes import InvoiceState
from ledger.domain.errors import LedgerError
from ledger.domain.ids import Digest, digest_text
from ledger.projection import queries

__all__ = ["COLUMNS", "StatementReport", "assign_payment", "import_statement", "open_items"]

_PAGE = 500
_REFERENCE = re.compile(r"MDL[0-9A-F]{12}")


@dataclass(frozen=True, slots=True)
class StatementReport:
    """What a bank statement brought."""

    matched: list[Done] = field(default_factory=list)
    already_recorded: int = 0
    passed_over: int = 0
    """Debits and entries that are not booked yet."""
    findings: list[LedgerError] = field(default_factory=list)

    def as_dict(self) -> dict[str, Any]:
        """Return the report as plain data."""
        return {
            "matched": [done.as_dict() for done in self.matched],
            "already_recorded": self.already_recorded,
            "passed_over": self.passed_over,
            "findings": [finding.as_dict() for finding in self.findings],
        }


def import_statement(market: Market, account: KeyAccount, content: str | bytes) -> StatementReport:
    """Record every line of a statement that matches one open invoice.

    Args:
        market: the market.
        account: the operator's or the platform's key.
        content: CSV with a header of `COLUMNS`, or camt.053 XML.

    Raises:
        MalformedStatementError: the XML is no camt.053, or does not add up; nothing was recorded.
        StatementLineError: the table has another header; nothing was recorded.
    """
    statement = read_statement(content.encode() if isinstance(content, str) else content)
    wave = _Wave(market, account, _references(market))
    for numbered in statement.lines:
        wave.take(numbered)
    wave.flush()
    return StatementReport(
        matched=wave.matched,
        already_recorded=wave.already_recorded,
        passed_over=statement.passed_over,
        findings=[finding for _line_no, finding in sorted(wave.findings, key=lambda item: item[0])],
    )


def open_items(market: Market, *, is_all: bool = False) -> list[OpenItem]:
    """Return the bank lines that wait for people; with `is_all` those that were dismissed, too.

    A line whose money is recorded as a payment by now waits no more.
    """
    with market.read() as connection:
        return [
            item
            for item in store_of(market).all()
            if queries.payment_of_receipt(connection, item.receipt_digest) is None
            and (is_all or item.dismissed_at is None)
        ]


def assign_payment(
    market: Market, account: KeyAccount, receipt_digest: bytes, invoice_id: UUID
) -> Done:
    """Record the money of a line that waits on an invoice that somebody names.

    Raises:
        OpenItemUnknownError: no line of this digest waits.
        CurrencyError: it is in another currency.
        OverpaidError: the invoice asks for nothing more.
        LedgerError: as `run`.
    """
    item = store_of(market).require(receipt_digest)
    if item.amount_fen == 0:
        raise CurrencyError(
            f"the amount is in {item.currency}", field="currency", got=item.currency, expected="CNY"
        )
    document = market.documents.require(receipt_digest)
    payment = _payment(market, invoice_id, document, item)
    done = run(market, account, "record-payment", payment.request)
    _note_excess(market, item, payment.request.amount_fen)
    return done


def dismiss_payment(market: Market, receipt_digest: bytes, reason: str) -> OpenItem:
    """Close a line that is no payment, for a reason.

    Raises:
        OpenItemUnknownError: no line of this digest waits.
    """
    return store_of(market).dismiss(receipt_digest, reason, market.now_seconds())


def store_of(market: Market) -> OpenPayments:
    """Return where the lines that wait are kept."""
    return OpenPayments(market.home / "payments")


@dataclass(frozen=True, slots=True)
class _Payment:
    """Money of a bank line on its way to an invoice."""

    line_no: int
    request: RecordPayment
    item: OpenItem
    open_fen: int

    @property
    def excess(self) -> LedgerError | None:
        """What the line brings beyond what the invoice asks for, as people are told."""
        if self.item.amount_fen == self.request.amount_fen:
            return None
        return _overpaid(self.request.invoice_id, self.item.amount_fen, self.open_fen)


class _Wave:
    """Lines of a statement that are recorded together: of different invoices, none twice."""

    def __init__(
        self,
        market: Market,
        account: KeyAccount,
        references: dict[str, list[UUID]],
    ) -> None:
        self.matched: list[Done] = []
        self.already_recorded = 0
        self.findings: list[tuple[int, LedgerError]] = []
        self._market = market
        self._account = account
        self._references = references
        self._payments: list[_Payment] = []

    def take(self, numbered: NumberedLine) -> None:
        """Take a line along, or report what is the matter with it."""
        try:
            payment = self._payment(numbered)
        except LedgerError as finding:
            self.findings.append((numbered.line_no, finding))
            return
        if payment is None:
            self.already_recorded += 1
        else:
            self._payments.append(payment)

    def flush(self) -> None:
        """Record what was taken along."""
        payments, self._payments = self._payments, []
        asks = [Ask(self._account, "record-payment", payment.request) for payment in payments]
        for payment, result in zip(payments, run_many(self._market, asks), strict=True):
            if isinstance(result, LedgerError):
                self.findings.append((payment.line_no, result))
                continue
            self.matched.append(result)
            _note_excess(self._market, payment.item, payment.request.amount_fen)
            if payment.excess is not None:
                self.findings.append((payment.line_no, payment.excess))

    def _payment(self, numbered: NumberedLine) -> _Payment | None:
        """Return what to record, None when it was recorded before."""
        market, line = self._market, numbered.line
        if line is None:
            raise numbered.error or LedgerError("the line cannot be read")
        line.require_whole()
        document = Document(line.as_record(), market.secrets.salt_for("bank", line.bank_reference))
        if any(payment.request.receipt_digest == document.digest for payment in self._payments):
            self.flush()
        known = store_of(market).find(document.digest)
        if known is not None and known.dismissed_at is not None:
            return None
        try:
            item = _item(market, document.digest, line, line.amount_fen)
            with market.read() as connection:
                recorded = queries.payment_of_receipt(connection, document.digest)
            if recorded is not None:
                _note_excess(market, item, recorded.amount_fen)
                return None
            invoice_id = _match(market, self._references, line, numbered.line_no)
            if any(payment.request.invoice_id == invoice_id for payment in self._payments):
                self.flush()
            return _payment(market, invoice_id, document, item, numbered.line_no)
        except (
            CurrencyError,
            OverpaidError,
            ReferenceAmbiguousError,
            ReferenceUnknownError,
        ) as error:
            market.documents.save(document)
            _wait(market, _item(market, document.digest, line, _fen_or_nothing(line)), error)
            raise


def _payment(
    market: Market, invoice_id: UUID, document: Document, item: OpenItem, line_no: int = 0
) -> _Payment:
    """Return the record of as much of an amount as an invoice still asks for."""
    with market.read() as connection:
        invoice = queries.invoice(connection, invoice_id)
    is_open = invoice.state == InvoiceState.ISSUED
    open_fen = invoice.gross_fen - invoice.paid_fen if is_open else 0
    if open_fen == 0:
        raise _overpaid(invoice_id, item.amount_fen, 0)
    market.documents.save(document)
    request = RecordPayment(
        invoice_id=invoice_id,
        amount_fen=min(item.amount_fen, open_fen),
        receipt_digest=document.digest,
    )
    return _Payment(line_no, request, item, open_fen)


def _note_excess(market: Market, item: OpenItem, recorded_fen: int) -> None:
    """Let what a line brought beyond its payment wait; noticing it again changes nothing."""
    excess_fen = item.amount_fen - recorded_fen
    if excess_fen == 0:
        return
    record = {
        "type": "bank_line_excess",
        "excess_of": item.digest,
        "bank_reference": item.bank_reference,
        "amount_fen": excess_fen,
    }
    document = Document(record, market.secrets.salt_for("bank", f"excess {item.digest}"))
    market.documents.save(document)
    rest = replace(
        item,
        digest=digest_text(document.digest),
        amount_fen=excess_fen,
        excess_of=item.digest,
    )
    _wait(market, rest, OverpaidError(f"{excess_fen} fen were paid beyond the invoice"))


def _wait(market: Market, item: OpenItem, reason: LedgerError) -> None:
    store_of(market).note(replace(item, code=reason.code, detail=reason.detail))


def _item(market: Market, receipt_digest: Digest, line: BankLine, amount_fen: int) -> OpenItem:
    return OpenItem(
        digest=digest_text(receipt_digest),
        code="",
        detail="",
        amount_fen=amount_fen,
        currency=line.currency,
        booked_on=line.booked_on,
        reference=line.reference,
        payer=line.payer,
        bank_reference=line.bank_reference,
        noticed_at=market.now_seconds(),
    )


def _fen_or_nothing(line: BankLine) -> int:
    try:
        return line.amount_fen
    except CurrencyError:
        return 0


def _references(market: Market) -> dict[str, list[UUID]]:
    """Return the invoices by the reference that their buyers write."""
    found: defaultdict[str, list[UUID]] = defaultdict(list)
    with market.read() as connection:
        offset = 0
        while rows := queries.invoices_list(connection, limit=_PAGE, offset=offset).items:
            for row in rows:
                found[invoice_reference(row.invoice_id)].append(row.invoice_id)
            offset += len(rows)
    return found


def _match(market: Market, references: dict[str, list[UUID]], line: BankLine, line_no: int) -> UUID:
    """Return the invoice that a line names: the open one, or the only one."""
    written = set(_REFERENCE.findall(line.reference.upper().replace(" ", "")))
    named = [found for reference in sorted(written) for found in references.get(reference, ())]
    with market.read() as connection:
        states = {found: queries.invoice(connection, found).state for found in named}
    unpaid = [found for found, state in states.items() if state == InvoiceState.ISSUED]
    chosen = unpaid or named
    if len(chosen) == 1:
        return chosen[0]
    kind = ReferenceAmbiguousError if chosen else ReferenceUnknownError
    raise kind(
        f"line {line_no} matches {len(chosen)} open invoices",
        field="reference",
        got=line.reference,
        expected="the reference of one open invoice",
    )


def _overpaid(invoice_id: UUID, amount_fen: int, open_fen: int) -> OverpaidError:
    return OverpaidError(
        f"invoice {invoice_id} asks for {open_fen} fen more, {amount_fen} came",
        field="amount_fen",
        got=amount_fen,
        expected=open_fen,
    )
