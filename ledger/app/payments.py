"""Payments: a bank's statement, matched line by line to invoices.

Rules kept here:
1. A line is matched by the invoice's reference and by nothing else; a line that matches no open
   invoice, or two, is a finding for people and changes nothing.
2. Amounts are read as decimal text and become fen exactly.
3. The digest of a bank line is salted with the service's secret and always the same for the same
   line, so reading a statement twice records nothing twice.
"""

from __future__ import annotations

import csv
import io
import re
from dataclasses import dataclass, field
from typing import Annotated, Any
from uuid import UUID

from pydantic import Field

from ledger.app.billing import invoice_reference
from ledger.app.commands import Command, CommandRequest, Done, command, run
from ledger.app.errors import (
    ReferenceAmbiguousError,
    ReferenceUnknownError,
    StatementLineError,
)
from ledger.app.fields import DigestField, Id
from ledger.app.market import Market
from ledger.chain.keys import KeyAccount
from ledger.codec.documents import Document
from ledger.domain.errors import LedgerError
from ledger.domain.units import AMOUNT_FEN_MAX, fen
from ledger.projection import queries
from ledger.projection.queries.money import InvoiceRow

COLUMNS = ("booked_on", "reference", "amount_yuan", "payer", "bank_reference")
CURRENCY = "CNY"
_AMOUNT = re.compile(r"(\d{1,13})(?:\.(\d{1,2}))?")
_REFERENCE = re.compile(r"MDL[0-9A-F]{12}")


class RecordPayment(CommandRequest):
    """Money that arrived on an invoice."""

    invoice_id: Id
    amount_fen: Annotated[int, Field(ge=1, le=AMOUNT_FEN_MAX)]
    receipt_digest: DigestField


class AcceptInvoice(CommandRequest):
    """The buyer accepts what was delivered."""

    invoice_id: Id


class ReleaseInvoice(CommandRequest):
    """Ends the hold after its time."""

    invoice_id: Id


@dataclass(frozen=True, slots=True)
class StatementReport:
    """What a bank statement brought."""

    matched: list[Done] = field(default_factory=list)
    already_recorded: int = 0
    findings: list[LedgerError] = field(default_factory=list)

    def as_dict(self) -> dict[str, Any]:
        """Return the report as plain data."""
        return {
            "matched": [done.as_dict() for done in self.matched],
            "already_recorded": self.already_recorded,
            "findings": [finding.as_dict() for finding in self.findings],
        }


@command("record-payment", RecordPayment, "Record a payment", "登记到账")
def record_payment(market: Market, actor_id: UUID | None, request: RecordPayment) -> Command:
    """Plan the record of a payment."""
    return Command(
        "revenue",
        "recordPayment",
        (request.invoice_id, request.amount_fen, request.receipt_digest),
        result={"invoice_id": str(request.invoice_id), "amount_fen": request.amount_fen},
    )


@command("accept-invoice", AcceptInvoice, "Accept the delivery", "验收")
def accept_invoice(market: Market, actor_id: UUID | None, request: AcceptInvoice) -> Command:
    """Plan the buyer's acceptance."""
    return Command(
        "revenue", "accept", (request.invoice_id,), result={"invoice_id": str(request.invoice_id)}
    )


@command("release-invoice", ReleaseInvoice, "Release a payment after its hold", "解付")
def release_invoice(market: Market, actor_id: UUID | None, request: ReleaseInvoice) -> Command:
    """Plan the release after the hold."""
    return Command(
        "revenue", "release", (request.invoice_id,), result={"invoice_id": str(request.invoice_id)}
    )


def import_statement(market: Market, account: KeyAccount, text: str) -> StatementReport:
    """Record every line of a statement that matches one open invoice.

    Args:
        market: the market.
        account: the operator's or the platform's key.
        text: CSV with a header of `COLUMNS`; amounts in yuan with at most two decimals.

    Raises:
        StatementLineError: the file has another header; nothing was recorded.
    """
    matched: list[Done] = []
    findings: list[LedgerError] = []
    already_recorded = 0
    for line_no, line in enumerate(_lines(text), start=2):
        try:
            done = _import_line(market, account, line, line_no)
        except LedgerError as finding:
            findings.append(finding)
            continue
        if done is None:
            already_recorded += 1
        else:
            matched.append(done)
    return StatementReport(matched, already_recorded, findings)


def _import_line(
    market: Market, account: KeyAccount, line: dict[str, str], line_no: int
) -> Done | None:
    """Record one line; None when it was recorded before."""
    document, amount_fen = _receipt(market, line, line_no)
    with market.read() as connection:
        if queries.payment_of_receipt(connection, document.digest) is not None:
            return None
        invoices = queries.open_invoices(connection)
    invoice = _match(invoices, line, line_no)
    market.documents.save(document)
    request = RecordPayment(
        invoice_id=invoice.invoice_id, amount_fen=amount_fen, receipt_digest=document.digest
    )
    return run(market, account, "record-payment", request)


def _lines(text: str) -> list[dict[str, str]]:
    try:
        reader = csv.DictReader(io.StringIO(text.removeprefix("\ufeff")), strict=True)
        if tuple(reader.fieldnames or ()) != COLUMNS:
            raise StatementLineError(
                "a bank statement has another header",
                field="header",
                got=list(reader.fieldnames or ()),
                expected=list(COLUMNS),
            )
        return list(reader)
    except csv.Error as error:
        raise StatementLineError(f"the statement is no CSV: {error}", field="file") from error


def _receipt(market: Market, line: dict[str, str], line_no: int) -> tuple[Document, int]:
    """Return the document of a bank line and its amount in fen; exact."""
    if None in line or None in line.values():
        raise StatementLineError(
            f"line {line_no} has another number of cells", field=f"line {line_no}"
        )
    amount = _AMOUNT.fullmatch(line["amount_yuan"])
    if amount is None:
        raise StatementLineError(
            f"line {line_no}: the amount must be yuan with at most two decimals",
            field="amount_yuan",
            got=line["amount_yuan"],
            expected="digits, a point, two digits",
        )
    amount_fen = fen(int(amount[1]) * 100 + int((amount[2] or "0").ljust(2, "0")), "amount_yuan")
    record = {"type": "bank_line"} | {column: line[column] for column in COLUMNS}
    salt = market.secrets.salt_for("bank", line["bank_reference"])
    return Document(record, salt), int(amount_fen)


def _match(invoices: list[InvoiceRow], line: dict[str, str], line_no: int) -> InvoiceRow:
    references = set(_REFERENCE.findall(line["reference"].upper().replace(" ", "")))
    found = [invoice for invoice in invoices if invoice_reference(invoice.invoice_id) in references]
    if len(found) == 1:
        return found[0]
    kind = ReferenceAmbiguousError if found else ReferenceUnknownError
    raise kind(
        f"line {line_no} matches {len(found)} open invoices",
        field="reference",
        got=line["reference"],
        expected="the reference of one open invoice",
    )
